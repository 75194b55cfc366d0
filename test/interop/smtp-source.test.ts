/** Postfix's load generator against us: what it was told is accepted is in the mailbox or at the sink. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { runProgram, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { waitFor } from '../support/ports.ts';
import { whyNoPostfix } from '../support/postfix.ts';

/** Whoever has Postfix has its smtp-source, which needs no root. */
const noPostfix = await whyNoPostfix();
const skip = noPostfix !== null && noPostfix.includes('missing') ? noPostfix : false;

/** `recipients` that each message has at the sink, where they go one by one. */
interface Load {
  readonly name: string;
  readonly words: readonly string[];
  readonly messages: number;
  readonly recipients: number;
}

const loads: readonly Load[] = [
  { name: 'one', words: [], messages: 1, recipients: 1 },
  {
    name: 'sessions',
    words: ['-s', '40', '-m', '400', '-l', '1000'],
    messages: 400,
    recipients: 1,
  },
  {
    name: 'kept',
    words: ['-d', '-s', '10', '-m', '400', '-l', '2000'],
    messages: 400,
    recipients: 1,
  },
  {
    name: 'many',
    words: ['-d', '-N', '-s', '5', '-m', '40', '-r', '50', '-l', '3000'],
    messages: 40,
    recipients: 50,
  },
  {
    name: 'large',
    words: ['-d', '-s', '4', '-m', '12', '-l', '3000000'],
    messages: 12,
    recipients: 1,
  },
  { name: 'slow', words: ['-d', '-s', '5', '-m', '20', '-R', '1'], messages: 20, recipients: 1 },
];

let gateway: RunningGateway;
let sink: FakePartner;

before(async () => {
  if (skip !== false) return;
  sink = await startFakePartner({ extensions: ['PIPELINING', 'SIZE 100000000', '8BITMIME'] });
  gateway = await startGateway(
    await gatewaySetup({
      peerPorts: [sink.port],
      organization: {
        acceptedDomains: [
          { domain: 'example.test' },
          { domain: 'sink.test', type: 'InternalRelay', recipients: 'any' },
        ],
        outboundConnectors: [
          {
            name: 'to the sink',
            connectorType: 'OnPremises',
            recipientDomains: 'sink.test',
            smartHosts: smartHost(sink.port),
          },
        ],
      },
    }),
  );
});
after(async () => {
  try {
    await gateway?.stop();
  } finally {
    await gateway?.remove();
    await sink?.close();
  }
});

for (const { name, words, messages, recipients } of loads) {
  const fact = `smtp-source ${words.join(' ')}: all ${messages} arrive at all ${recipients} recipients`;
  test(fact, { skip, timeout: 60_000 }, async () => {
    const from = `${name}@sender.test`;
    // It ends with an error at the first reply that is none of 2yz or 354.
    const sent = await runProgram([
      '/usr/sbin/smtp-source',
      ...words,
      '-M',
      'client.sender.test',
      '-f',
      from,
      '-t',
      `${name}@sink.test`,
      `inet:127.0.0.1:${gateway.port('mx')}`,
    ]);
    assert.equal(sent.code, 0, sent.stderr);
    const arrived = () => sink.messages.filter((message) => message.from === from);
    const taken = () => arrived().reduce((sum, each) => sum + each.recipients.length, 0);
    await waitFor(`${messages} messages`, () => taken() >= messages * recipients, 40_000);
    assert.equal(taken(), messages * recipients);
    const paths = new Set(arrived().flatMap((message) => message.recipients));
    assert.equal(paths.size, words.includes('-N') ? messages * recipients : recipients);
  });
}

test(
  'smtp-source: mail to a mailbox arrives there, each message once',
  { skip, timeout: 60_000 },
  async () => {
    const sent = await runProgram([
    '/usr/sbin/smtp-source', '-d', '-s', '20', '-m', '200', '-l', '500', '-M', 'client.sender.test',
    '-f', 'a@sender.test', '-t', 'user@example.test', '-S', 'to the mailbox', `inet:127.0.0.1:${gateway.port('mx')}`,
  ]); // prettier-ignore
    assert.equal(sent.code, 0, sent.stderr);
    const messages = await gateway.waitForMail('user', 200);
    assert.equal(messages.length, 200);
    assert.ok(messages.every((message) => message.includes('Subject: to the mailbox\r\n')));
    await waitFor('an empty queue', async () => (await gateway.queue()).length === 0);
  },
);

test('smtp-source -o says no HELO, and is told to', { skip }, async () => {
  const { code, stderr } = await runProgram([
    '/usr/sbin/smtp-source',
    '-o',
    `inet:127.0.0.1:${gateway.port('mx')}`,
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /503 5\.5\.1 EHLO or HELO first/);
});
