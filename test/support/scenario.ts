/**
 * Scenarios as folders: `postern.yaml`, `dialogue.txt`, `expectation.yaml`.
 *
 * A dialogue is what a client and the gateway say, line by line:
 *
 *     CONNECT mx        a new connection to that listener; the one before is closed
 *     C: text           sends the line with CRLF; lines up to the next S: leave in one flight
 *     C*9: text #       the same line nine times, # is the number from 1
 *     C> text\r\n       sends exactly these bytes; \r \n \t \0 \\ \x12 as in JavaScript
 *     S: 250 2.1.0      the next reply begins so; `with X` and `without X`: an EHLO keyword
 *     S*9: 250          nine replies
 *     TLS               STARTTLS, its 220, and the handshake
 *     END               the gateway closes the connection
 */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startGateway } from './gateway.ts';
import type { RunningGateway } from './gateway.ts';
import { gatewayCa, gatewayLeaf } from './gateway-config.ts';
import { chainPem } from '../../src/testing/certificates.ts';
import { waitFor } from './ports.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import type { RawClient } from '../../src/testing/raw-client.ts';

/** What must hold afterwards; patterns are for the messages of all mailboxes, with flag m. */
interface Expectation {
  readonly mailboxes?: Readonly<Record<string, number>>;
  readonly contains?: readonly string[];
  readonly absent?: readonly string[];
  /** Recipients that still wait. */
  readonly queued?: number;
}

/** Folders of scenarios, in order. */
export async function listScenarios(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** Starts a gateway with the scenario's configuration, speaks the dialogue, looks at what became. */
export async function runScenario(folder: string): Promise<void> {
  const [config, dialogue, expectation] = await Promise.all(
    ['postern.yaml', 'dialogue.txt', 'expectation.yaml'].map((name) =>
      readFile(join(folder, name), 'utf8'),
    ),
  );
  const gateway = await startGateway({
    config: process.getuid?.() === 0 ? config! : config!.replace(/^user: root\n/m, ''),
    files: {
      'tls/server.pem': chainPem(gatewayLeaf, gatewayCa),
      'tls/server.key': gatewayLeaf.keyPem,
    },
  });
  try {
    await speak(gateway, dialogue!);
    await assertExpectation(gateway, parse(expectation!) as Expectation);
    await gateway.stop();
  } finally {
    await gateway.remove();
  }
}

/** Speaks a dialogue with a gateway that runs; throws where a line does not hold, with all that was said. */
export async function speak(gateway: RunningGateway, dialogue: string): Promise<void> {
  const speaker = new Speaker(gateway);
  try {
    for (const [index, line] of dialogue.split('\n').entries()) {
      if (line === '' || line.startsWith('#')) continue;
      try {
        await speaker.take(line);
      } catch (cause) {
        const said = speaker.transcript;
        throw new Error(`dialogue line ${index + 1}: ${line}\n${String(cause)}\n${said}`, {
          cause,
        });
      }
    }
    await speaker.flush();
  } finally {
    speaker.close();
  }
}

/** The client's side of one dialogue. */
class Speaker {
  readonly #gateway: RunningGateway;
  #client: RawClient | null = null;
  #pending = '';

  constructor(gateway: RunningGateway) {
    this.#gateway = gateway;
  }

  get transcript(): string {
    return this.#client?.transcript ?? '';
  }

  async take(line: string): Promise<void> {
    const [, kind = line, count = '1', text = ''] = /^([CS])(?:\*(\d+))?: ?(.*)$/.exec(line) ?? [];
    if (kind === 'C') {
      for (let n = 1; n <= Number(count); n += 1) {
        this.#pending += `${count === '1' ? text : text.replaceAll('#', String(n))}\r\n`;
      }
      return;
    }
    if (line.startsWith('C> ')) {
      this.#pending += unescape(line.slice(3));
      return;
    }
    await this.flush();
    if (kind === 'S') for (let n = 1; n <= Number(count); n += 1) await this.#expect(text);
    else if (line.startsWith('CONNECT ')) await this.#connect(line.slice('CONNECT '.length));
    else if (line === 'TLS') await this.#open.startTlsByCommand();
    else if (line === 'END') await this.#open.ended();
    else throw new Error('the dialogue has no such line');
  }

  async flush(): Promise<void> {
    const bytes = this.#pending;
    this.#pending = '';
    if (bytes !== '') await this.#open.send(bytes);
  }

  close(): void {
    this.#client?.close();
  }

  get #open(): RawClient {
    assert(this.#client !== null, 'a dialogue begins with CONNECT');
    return this.#client;
  }

  async #connect(listener: string): Promise<void> {
    this.close();
    this.#client = await connectRaw({
      port: this.#gateway.port(listener),
      ...(listener === 'submissions' ? { implicitTls: {} } : {}),
    });
  }

  async #expect(text: string): Promise<void> {
    const reply = await this.#open.reply();
    const [, start = '', how, keyword = ''] = /^(.*?)(?: (with|without) (.+))?$/.exec(text) ?? [];
    assert.ok(`${reply.code} ${reply.lines.at(-1) ?? ''}`.startsWith(start), reply.text);
    if (how === undefined) return;
    const has = reply.lines.some((line) => line === keyword || line.startsWith(`${keyword} `));
    assert.equal(has, how === 'with', reply.text);
  }
}

const escapes: Readonly<Record<string, string>> = {
  r: '\r',
  n: '\n',
  t: '\t',
  0: '\0',
  '\\': '\\',
};

function unescape(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|([rnt0\\]))/g, (_, hex?: string, letter = '') =>
    hex === undefined ? escapes[letter]! : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

async function assertExpectation(gateway: RunningGateway, expected: Expectation): Promise<void> {
  const texts: string[] = [];
  for (const [account, count] of Object.entries(expected.mailboxes ?? {})) {
    const messages = await gateway.waitForMail(account, count);
    texts.push(...messages.map((message) => message.toString('latin1')));
    if (expected.queued === undefined) {
      await waitFor('an empty queue', async () => (await gateway.queue()).length === 0);
    }
    assert.equal((await gateway.mailbox(account)).length, count, `mailbox of ${account}`);
  }
  const all = texts.join('\n');
  for (const pattern of expected.contains ?? []) assert.match(all, new RegExp(pattern, 'm'));
  for (const pattern of expected.absent ?? []) assert.doesNotMatch(all, new RegExp(pattern, 'm'));
  if (expected.queued === undefined) return;
  const rows = await gateway.queue();
  assert.equal(rows.flatMap(({ recipients }) => recipients).length, expected.queued);
}
