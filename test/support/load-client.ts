/**
 * Clients that keep a gateway's MX port busy and note, by Message-ID, each message that was answered
 * 250; for crash tests. A lost connection is the expected end of a client.
 */
import { connectRaw } from '../../src/testing/raw-client.ts';
import type { RawClient } from '../../src/testing/raw-client.ts';

export interface Load {
  /** Message-IDs answered 250 so far. */
  readonly accepted: ReadonlySet<string>;
  /** Clients whose session was cut or answered otherwise than it should. */
  lost(): number;
  /** No new message is begun; resolves when all clients have ended. */
  stop(): Promise<void>;
}

export interface LoadSettings {
  readonly port: number;
  readonly clients: number;
  /** Recipient of every message. */
  readonly to: string;
  /** Prefix of the Message-IDs. */
  readonly name: string;
  /** Every third message is as large as that, to take another way than the others. */
  readonly largeBytes: number;
}

/** The last line of every message; one that lacks it was cut. */
export const lastLine = 'the last line of the message';

export function startLoad(settings: LoadSettings): Load {
  const accepted = new Set<string>();
  const state = { isStopping: false, lost: 0 };
  const clients = Array.from({ length: settings.clients }, (_, client) =>
    runClient(settings, `${settings.name}-${client}`, accepted, state),
  );
  return {
    accepted,
    lost: () => state.lost,
    stop: async () => {
      state.isStopping = true;
      await Promise.all(clients);
    },
  };
}

async function runClient(
  settings: LoadSettings,
  name: string,
  accepted: Set<string>,
  state: { readonly isStopping: boolean; lost: number },
): Promise<void> {
  let client: RawClient | null = null;
  try {
    client = await connectRaw({ port: settings.port, timeoutMs: 10_000 });
    await client.expect(220);
    await client.command('EHLO client.sender.test', 250);
    for (let count = 0; !state.isStopping; count += 1) {
      const id = `${name}-${count}@sender.test`;
      await client.send(`MAIL FROM:<a@sender.test>\r\nRCPT TO:<${settings.to}>\r\nDATA\r\n`);
      await client.expect(250);
      await client.expect(250);
      await client.expect(354);
      await client.send(messageOf(id, count % 3 === 0 ? settings.largeBytes : 1000));
      await client.expect(250);
      accepted.add(id);
    }
  } catch {
    // The gateway was killed under this client; what it noted until then is what counts.
    state.lost += 1;
  } finally {
    client?.close();
  }
}

function messageOf(id: string, sizeBytes: number): string {
  const line = `${'x'.repeat(76)}\r\n`;
  const body = line.repeat(Math.ceil(sizeBytes / line.length));
  return `Message-ID: <${id}>\r\nFrom: <a@sender.test>\r\n\r\n${body}${lastLine}\r\n.\r\n`;
}
