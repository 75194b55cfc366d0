/**
 * Scenarios as folders: `postern.yaml`, `dialogue.txt`, `expectation.yaml` (scenario-expectation.ts),
 * and where clients show certificates `certificates.yaml` (scenario-certificates.ts).
 *
 * A dialogue is what a client and the gateway say, line by line:
 *
 *     CONNECT mx        a new connection to that listener; the one before is closed
 *     CONNECT mx from 127.0.0.5    the same from another address of this machine
 *     C: text           sends the line with CRLF; lines up to the next S: leave in one flight
 *     C*9: text #       the same line nine times, # is the number from 1
 *     C> text\r\n       sends exactly these bytes; \r \n \t \0 \\ \x12 as in JavaScript
 *     S: 250 2.1.0      the next reply begins so; `with X` and `without X`: an EHLO keyword
 *     S*9: 250          nine replies
 *     TLS               STARTTLS, its 220, and the handshake
 *     TLS as NAME       the same, and the client shows this certificate
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
import { certificateOf, partnerCaPem, readCertificates } from './scenario-certificates.ts';
import type { ClientCertificates } from './scenario-certificates.ts';
import { assertExpectation } from './scenario-expectation.ts';
import type { Expectation } from './scenario-expectation.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import type { RawClient } from '../../src/testing/raw-client.ts';

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
  const certificates = await readCertificates(join(folder, 'certificates.yaml'));
  const gateway = await startGateway({
    config: process.getuid?.() === 0 ? config! : config!.replace(/^user: root\n/m, ''),
    files: {
      'tls/server.pem': chainPem(gatewayLeaf, gatewayCa),
      'tls/server.key': gatewayLeaf.keyPem,
      'tls/partner-ca.pem': partnerCaPem,
    },
  });
  try {
    await speak(gateway, dialogue!, certificates);
    await assertExpectation(gateway, parse(expectation!) as Expectation, certificates);
    await gateway.stop();
  } finally {
    await gateway.remove();
  }
}

/** Speaks a dialogue with a gateway that runs; throws where a line does not hold, with all that was said. */
export async function speak(
  gateway: RunningGateway,
  dialogue: string,
  certificates: ClientCertificates = new Map(),
): Promise<void> {
  const speaker = new Speaker(gateway, certificates);
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
  readonly #certificates: ClientCertificates;
  #client: RawClient | null = null;
  #pending = '';

  constructor(gateway: RunningGateway, certificates: ClientCertificates) {
    this.#gateway = gateway;
    this.#certificates = certificates;
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
    else if (line.startsWith('TLS as ')) await this.#startTlsAs(line.slice('TLS as '.length));
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

  async #connect(where: string): Promise<void> {
    this.close();
    const [listener = '', localAddress] = where.split(' from ');
    this.#client = await connectRaw({
      port: this.#gateway.port(listener),
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(listener === 'submissions' ? { implicitTls: {} } : {}),
    });
  }

  async #startTlsAs(name: string): Promise<void> {
    const { pem, keyPem } = certificateOf(this.#certificates, name);
    await this.#open.startTlsByCommand({ cert: pem, key: keyPem });
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
