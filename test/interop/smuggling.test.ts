/**
 * Nothing that looks like the end of a message to some server gets a second message through us: it
 * is refused, or taken as one message and relayed so that Postfix, Exim, OpenSMTPD and the laxest
 * reader of all each receive one.
 */
import assert from 'node:assert/strict';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { connectRaw } from '../../src/testing/raw-client.ts';
import type { RawClient } from '../../src/testing/raw-client.ts';
import { startExim, whyNoExim } from '../support/exim.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { startLaxSink } from '../support/lax-sink.ts';
import { startOpenSmtpd, whyNoOpenSmtpd } from '../support/opensmtpd.ts';
import { waitFor } from '../support/ports.ts';
import { startPostfix, whyNoPostfix } from '../support/postfix.ts';
import { endInChunk, smugglingCases, smugglingMessage } from '../support/smuggling-cases.ts';
import type { Fate, SmugglingCase, SmugglingMessage } from '../support/smuggling-cases.ts';

/** Takes what we relay; `messages` as it understood them. */
interface SecondServer {
  readonly port: number;
  messages(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Without the defences that a careful administrator switches on, and without BDAT: all by dots. */
const laxPostfix = {
  smtpd_forbid_bare_newline: 'no',
  smtpd_forbid_unauth_pipelining: 'no',
  smtpd_discard_ehlo_keywords: 'chunking',
};

const starters = {
  postfix: {
    skip: await whyNoPostfix(),
    start: () => startPostfix({ domains: ['postfix.test'], main: laxPostfix }),
  },
  exim: {
    skip: await whyNoExim(),
    start: () =>
      startExim({
        domains: ['exim.test'],
        main: { chunking_advertise_hosts: '', smtp_accept_queue_per_connection: '0' },
      }),
  },
  opensmtpd: { skip: await whyNoOpenSmtpd(), start: startOpenSmtpd },
  lax: { skip: null, start: startLaxSink },
};
type ServerName = keyof typeof starters;
const names = (Object.keys(starters) as ServerName[]).filter(
  (name) => starters[name].skip === null,
);

const modes = ['refuse', 'normalize'] as const;
type Mode = (typeof modes)[number];

/** How a content is sent; gives the replies to be expected before the last one. */
const ways = {
  'by DATA': sendData,
  'by DATA, cut at every byte': sendDataInBytes,
  'by BDAT': (client: RawClient, message: SmugglingMessage) => sendChunks(client, message, []),
  'by BDAT, a chunk for every byte': (client: RawClient, message: SmugglingMessage) =>
    sendChunks(client, message, seams(message)),
} as const;
type Way = keyof typeof ways;

const servers = new Map<ServerName, SecondServer>();
/** Ids of the cases that we accepted. */
const taken: string[] = [];
let gateway: RunningGateway;

before(async () => {
  for (const name of names) servers.set(name, await starters[name].start());
  const ports = [...servers.values()].map(({ port }) => port);
  gateway = await startGateway(
    await gatewaySetup({
      listeners: modes.map((mode) => ({
        name: mode,
        host: '127.0.0.1',
        port: 0,
        kind: 'mx',
        bareLineBreaks: mode,
      })),
      peerPorts: ports,
      top: { timeouts: { server: { greetingDelay: '0' } } },
      organization: {
        acceptedDomains: [
          { domain: 'example.test' },
          ...names.map((name) => ({
            domain: `${name}.test`,
            type: 'InternalRelay',
            recipients: 'any',
          })),
        ],
        outboundConnectors: names.map((name) => ({
          name: `to ${name}`,
          connectorType: 'OnPremises',
          recipientDomains: `${name}.test`,
          smartHosts: smartHost(servers.get(name)!.port),
        })),
      },
    }),
  );
});
after(async () => {
  try {
    await gateway?.stop();
  } finally {
    await gateway?.remove();
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
});

const recipients = names.map((name) => `clerk@${name}.test`);

for (const mode of modes) {
  for (const way of Object.keys(ways) as Way[]) {
    test(
      `${mode}: what is no end of a content ends none, ${way}`,
      { timeout: 60_000 },
      async () => {
        const cases = way.startsWith('by BDAT') ? [...smugglingCases, endInChunk] : smugglingCases;
        await inParallel(cases, (each) => attempt(mode, way, each));
      },
    );
  }
}

async function inParallel<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

/** Sends one case on a session of its own; notes its id where it was accepted. */
async function attempt(mode: Mode, way: Way, each: SmugglingCase): Promise<void> {
  const caseNumber = smugglingCases.indexOf(each);
  const id = `${mode}-${Object.keys(ways).indexOf(way)}-${caseNumber}-end`;
  const message = smugglingMessage(id, each.bytes, recipients);
  const what = `${each.name}, ${mode}, ${way}`;
  const client = await connectRaw({ port: gateway.port(mode), timeoutMs: 20_000 });
  try {
    await client.expect(220);
    await client.command('EHLO client.sender.test', 250);
    await client.command('MAIL FROM:<outer@sender.test> BODY=8BITMIME', 250);
    for (const recipient of recipients) {
      await client.command(`RCPT TO:<${recipient}> NOTIFY=NEVER`, 250);
    }
    await ways[way](client, message);
    const { text } = await client.reply();
    assert.equal(fateOf(text), each[mode], `${what}: ${text}`);
    // None of the hidden commands was answered, so the next reply is that to NOOP.
    await client.command('NOOP', 250);
    assert.equal(client.pending, '', what);
    if (each[mode] === 'taken') taken.push(id);
  } finally {
    client.close();
  }
}

function fateOf(reply: string): Fate | null {
  if (/^250 .*accepted as [0-9A-Z]{12}/.test(reply)) return 'taken';
  return (/^550 (5\.6\.11|5\.6\.0) /.exec(reply)?.[1] ?? null) as Fate | null;
}

async function sendData(client: RawClient, { content }: SmugglingMessage): Promise<void> {
  await client.command('DATA', 354);
  await client.send(`${content}\r\n.\r\n`);
}

async function sendDataInBytes(client: RawClient, message: SmugglingMessage): Promise<void> {
  await client.command('DATA', 354);
  for (const piece of cutAt(`${message.content}\r\n.\r\n`, seams(message))) {
    await client.send(piece);
    await turn();
  }
}

/** All chunks leave in one flight, as RFC 3030 allows. */
async function sendChunks(
  client: RawClient,
  { content }: SmugglingMessage,
  cuts: readonly number[],
): Promise<void> {
  const pieces = cutAt(content, cuts);
  const chunks = pieces.map((piece, index) => {
    return `BDAT ${piece.length}${index === pieces.length - 1 ? ' LAST' : ''}\r\n${piece}`;
  });
  await client.send(chunks.join(''));
  for (let count = 1; count < pieces.length; count += 1) await client.expect(250);
}

/** Where a reader could lose its place: before, within and behind the bytes of the case. */
function seams({ from, to }: SmugglingMessage): readonly number[] {
  const all = Array.from({ length: to - from + 3 }, (_, index) => from - 1 + index);
  return all.filter((at) => at <= from + 4 || at >= to - 6);
}

function cutAt(text: string, cuts: readonly number[]): readonly string[] {
  const edges = [0, ...cuts, text.length];
  return edges.slice(1).map((end, index) => text.slice(edges[index], end));
}

test('each case that was accepted leaves the queue', { timeout: 120_000 }, async () => {
  assert.ok(taken.length > 100, `${taken.length} were accepted`);
  await waitFor('an empty queue', async () => (await gateway.queue()).length === 0, 100_000);
});

for (const name of Object.keys(starters) as ServerName[]) {
  const { skip } = starters[name];
  const fact = `${name} received each accepted case once, whole, and nothing else`;
  test(fact, { skip: skip ?? false, timeout: 60_000 }, async () => {
    const server = servers.get(name)!;
    await waitFor(
      `${taken.length} messages at ${name}`,
      async () => (await server.messages()).length >= taken.length,
      40_000,
    );
    // What had been smuggled would come now.
    await sleep(500);
    const messages = await server.messages();
    assert.deepEqual(messages.map(subjectOf).sort(), taken.map((id) => `outer-${id}`).sort());
    for (const message of messages) {
      const id = subjectOf(message).slice('outer-'.length);
      for (const part of [`first-line-${id}`, 'MAIL FROM:<chief@sender.test>', `last-line-${id}`]) {
        assert.ok(message.includes(part), `${id} lacks ${part}`);
      }
    }
  });
}

function subjectOf(message: string): string {
  const header = message.split(/\r?\n\r?\n/, 1)[0]!;
  return /^Subject: (\S+)/m.exec(header)?.[1] ?? 'no subject';
}

for (const name of ['lax', 'postfix'] as const) {
  const { skip } = starters[name];
  const fact = `${name} would have been deceived by the sender of LF.CRLF: the proof can fail`;
  test(fact, { skip: skip ?? false }, async () => {
    const server = servers.get(name)!;
    const message = smugglingMessage('direct', '\n.\r\n', [`clerk@${name}.test`]);
    const client = await connectRaw({ port: server.port });
    await client.expect(220);
    await client.command('EHLO client.sender.test', 250);
    await client.command('MAIL FROM:<outer@sender.test>', 250);
    await client.command(`RCPT TO:<clerk@${name}.test>`, 250);
    await sendData(client, message);
    await waitFor('the smuggled message', async () =>
      (await server.messages()).some((each) => subjectOf(each) === 'smuggled-direct'),
    );
    client.close();
  });
}
