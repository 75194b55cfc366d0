/** The answer to a rehearsal: bounded, one form, and nothing in it that a stranger could use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  address,
  certificate,
  inboundConnector,
  noon,
  patterns,
  policy,
  reached,
  serverEvidence,
  tlsEvidence,
} from '../../test/support/policy.ts';
import type { Address } from '../mail/address.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { InboundConnector } from '../policy/policy.ts';
import { judgeRehearsal } from '../policy/rehearsal.ts';
import { messageIdOf, writeRehearsalAnswer } from './rehearsal.ts';

const recipient = address('rehearsal@example.test');

interface Case {
  readonly connectors?: readonly InboundConnector[];
  readonly evidence?: Evidence;
  readonly sender?: Address;
  readonly heloName?: string;
  readonly messageId?: string | null;
}

function answer({
  connectors = [],
  evidence = serverEvidence(),
  sender = address('ann@partner.test'),
  heloName = 'mail.partner.test',
  messageId = null,
}: Case) {
  const current = policy({ inboundConnectors: connectors, rehearsalAddress: recipient });
  const session = {
    listener: 'mx',
    clientAddress: '203.0.113.9',
    heloName,
    evidence,
    account: null,
    reversePath: sender,
  } as const;
  const mail = { session, recipient, from: { kind: 'none' } } as const;
  const clock = { nowMs: noon, firstRefusedAtMs: () => null };
  const verdict = judgeRehearsal(current, current.organizations[0]!, mail, clock);
  const message = writeRehearsalAnswer({
    id: '0SCATR3YC010',
    organization: 'org',
    sender,
    isForced: verdict.isForced,
    nowMs: noon,
    about: { id: '0SCATR3YC000', address: recipient, receivedAtMs: noon, messageId },
    organizationName: 'Org',
    hostName: 'mx.example.test',
    postmaster: address('postmaster@example.test'),
    session: { clientAddress: '203.0.113.9', heloName, evidence },
    verdict,
  });
  assert.ok(message.content.kind === 'memory');
  return { message, text: Buffer.from(message.content.bytes).toString('utf8') };
}

/** On one line: where it is wrapped says nothing. */
function unfolded(asked: Case) {
  const { message, text } = answer(asked);
  return { message, text: text.replaceAll(/\r\n */g, ' ') };
}

const byName = (name: string, part: Partial<InboundConnector> = {}): InboundConnector =>
  inboundConnector(name, {
    senderDomains: patterns('partner.test'),
    requireTls: true,
    restrictDomainsToCertificate: true,
    tlsSenderCertificateNames: patterns('mx.other.test'),
    ...part,
  });

test('with the largest of all that a stranger may show it stays small, in lines', () => {
  const long = `${'a'.repeat(60)}.`.repeat(4);
  const huge = certificate({
    subject: `CN=${'s'.repeat(10_000)}`,
    issuer: `CN=${'i'.repeat(10_000)}\r\nBcc: x@y.test`,
    dnsNames: Array.from({ length: 1000 }, (_, i) => `${long}${i}.test`),
  });
  const paths = Array.from({ length: 50 }, (_, i) =>
    reached({ anchors: `file:/${i}.pem`, purpose: 'clientAuth' }),
  );
  const evidence = serverEvidence({ ...tlsEvidence(), chain: Array(16).fill(huge), paths });
  const connectors = Array.from({ length: 60 }, (_, i) => byName(`${i} ${'n'.repeat(55)}`));
  const { text } = answer({ connectors, evidence, heloName: 'h'.repeat(500) });
  assert.ok(text.length < 24_000, `${text.length}`);
  for (const line of text.split('\r\n')) assert.match(line, /^[\x20-\x7e]{0,100}$/);
  assert.doesNotMatch(text, /^Bcc:/m);
  assert.match(text, /and 50 more connectors/);
});

test('it says why, and what to do, for each demand', () => {
  const { text } = unfolded({ connectors: [byName('bank')] });
  assert.match(text, /REFUSED/);
  assert.match(text, /NOT met: a certificate for mx\.other\.test: Expected Subject/);
  assert.match(text, /Let your server show a certificate with the name above/);
  const watching = unfolded({ connectors: [byName('bank', { mode: 'observe' })] });
  assert.match(watching.text, /TAKEN\. But a connector that only watches so far is not met/);
  const broken = unfolded({ connectors: [byName('bank', { tlsSenderCertificateNames: [] })] });
  assert.match(broken.text, /the fault is in the configuration here/);
  const none = unfolded({});
  assert.match(none.text, /No connector concerns your mail/);
  assert.deepEqual(none.message.clauses, []);
});

test('a sender beyond ASCII is answered as SMTPUTF8', () => {
  const { message, text } = answer({ sender: { localPart: 'jörg', domain: 'partner.test' } });
  assert.deepEqual([message.smtpUtf8, message.bodyType], [true, '8bitmime']);
  assert.match(text, /^To: <jörg@partner\.test>\r$/m);
});

test('a Message-ID is taken only where it is one', () => {
  assert.equal(messageIdOf('<a@b.test>'), '<a@b.test>');
  for (const text of [
    null,
    '',
    'a@b.test',
    '<a@b> <c@d>',
    '<a@b>\r\nBcc: x@y.test',
    '<a b@c>',
    `<${'a'.repeat(300)}@b>`,
    '<é@b>',
  ]) {
    assert.equal(messageIdOf(text), null, String(text));
  }
});
