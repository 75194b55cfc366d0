/** The client session over a pair of streams: the server's end is played by the test, byte for byte. */
import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { Envelope } from '../../src/mail/envelope.ts';
import type { Body } from '../../src/smtp/client-body.ts';
import { ClientSession } from '../../src/smtp/client-session.ts';
import type { ClientSessionOptions } from '../../src/smtp/client-session.ts';
import { defaultClientTimeouts } from '../../src/smtp/client-timeouts.ts';
import type { ClientTimeouts } from '../../src/smtp/client-timeouts.ts';
import type { TransactionResult } from '../../src/smtp/client-transaction.ts';

/** The server's end of a pair of streams: collects what the client writes, one entry per flight. */
export class Peer {
  readonly flights: string[] = [];
  isEnded = false;
  readonly #stream: Duplex;
  #waiting: (() => void)[] = [];

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.flights.push(chunk.toString('latin1'));
      this.#wake();
    });
    stream.on('end', () => {
      this.isEnded = true;
      this.#wake();
    });
    stream.on('error', () => undefined);
  }

  get text(): string {
    return this.flights.join('');
  }

  say(text: string): void {
    this.#stream.write(text);
  }

  /** Ends the connection as a peer that goes away would. */
  drop(): void {
    this.#stream.destroy();
  }

  pause(): void {
    this.#stream.pause();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async heard(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      assert(!this.isEnded, `the client ended without ${part}: ${this.text}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  forget(): void {
    this.flights.length = 0;
  }
}

export interface Setup {
  readonly session: ClientSession;
  readonly peer: Peer;
}

export const quickTimeouts: ClientTimeouts = { ...defaultClientTimeouts, quitMs: 20 };

/** `part` overrides the options of the session. */
export function connect(part: Partial<ClientSessionOptions> = {}): Setup {
  const [ours, theirs] = duplexPair();
  const session = new ClientSession(ours, {
    protocol: 'smtp',
    connectionId: 'c1',
    ownName: 'us.example',
    timeouts: quickTimeouts,
    transactionsInFlightMax: 2,
    ...part,
  });
  return { session, peer: new Peer(theirs) };
}

/** Greeted, and its EHLO or LHLO answered with these keywords. */
export async function ready(keywords: readonly string[], setup = connect()): Promise<Setup> {
  const { session, peer } = setup;
  const greeted = session.readGreeting();
  peer.say('220 them.example ESMTP\r\n');
  assert.equal((await greeted).kind, 'done');
  const hello = session.hello();
  await peer.heard(`${session.protocol === 'lmtp' ? 'LHLO' : 'EHLO'} us.example\r\n`);
  const lines = ['them.example', ...keywords];
  peer.say(lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join(''));
  assert.equal((await hello).kind, 'done');
  peer.forget();
  return setup;
}

export function envelope(...recipients: string[]): Envelope {
  return {
    reversePath: { localPart: 'a', domain: 'us.example' },
    recipients: recipients.map((localPart) => ({ localPart, domain: 'them.example' })),
    bodyType: '7bit',
  };
}

export function memory(text: string): Body {
  return { kind: 'memory', bytes: Buffer.from(text) };
}

export function streamed(text: string, announced = text.length): Body {
  return {
    kind: 'stream',
    sizeBytes: announced,
    async *open() {
      for (let at = 0; at < text.length; at += 7) yield Buffer.from(text.slice(at, at + 7));
    },
  };
}

export function kinds(result: Pick<TransactionResult, 'recipients'>): string[] {
  return result.recipients.map((r) => (r.kind === 'refused' ? `refused ${r.stage}` : r.kind));
}
