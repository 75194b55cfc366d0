/** The failed DSN: never to nobody, nothing of forced mail's content, nothing a peer could inject. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { status } from '../mail/enhanced-status.ts';
import { reply } from '../mail/reply.ts';
import type { DeferralCause, Outcome, RecipientOutcome } from '../policy/outcome.ts';
import { parseDeliveryStatus } from '../standards/dsn/delivery-status.ts';
import type { FailedDsnInput } from './dsn.ts';
import { writeFailedDsn } from './dsn.ts';

const header = Buffer.from(
  'Received: from a by b; Sun, 22 Nov 2026 03:53:43 +0000\r\n' +
    'From: "Alice Secret" <alice@example.test>\r\n' +
    'To: bob@partner.example\r\n' +
    'Subject: the merger\r\n with J\u00fcrgen\r\n' +
    'Message-ID: <1@example.test>\r\n' +
    'Date: Sun, 22 Nov 2026 03:53:42 +0000\r\n' +
    'X-Diagnosis: secret\r\n\r\nbody secret\r\n',
);
const outcome: Outcome = {
  kind: 'bounced',
  cause: 'peer-reply',
  status: status('5.1.1'),
  reason: 'the server refused the recipient',
  reply: reply(550, '5.1.1', 'no such user', 'really'),
  remoteMta: { hostName: 'mx.partner.example', address: '192.0.2.9', port: 25 },
  at: '2026-11-22T04:00:00.000Z',
};
const tlsOutcome: Outcome = {
  ...outcome,
  kind: 'deferred',
  cause: 'tls-requirement',
  status: status('4.7.320'),
  reason: 'the certificate is for other.example',
  reply: null,
};
const failed = (one: Outcome, localPart = 'bob'): RecipientOutcome => ({
  recipient: { localPart, domain: 'partner.example' },
  outcome: one,
});
const receivedAtMs = Date.UTC(2026, 10, 22, 3, 53, 43);
const plain: FailedDsnInput = {
  id: '0ABCDEFGHJK1',
  about: {
    id: '0ABCDEFGHJK0',
    reversePath: { localPart: 'alice', domain: 'example.test' },
    receivedAtMs,
    organization: 'o',
    isForced: false,
    header,
  },
  recipients: [failed(outcome)],
  hostName: 'mx.example.test',
  postmaster: { localPart: 'postmaster', domain: 'example.test' },
  nowMs: receivedAtMs + 86_400_000,
};
const forced: FailedDsnInput = {
  ...plain,
  about: {
    ...plain.about,
    isForced: true,
    clauses: [
      { kind: 'encrypted', origin: { kind: 'connector', name: 'partner' } },
      {
        kind: 'name',
        references: [{ kind: 'wildcard', domain: 'partner.example' }],
        origin: { kind: 'connector', name: 'partner' },
      },
    ],
  },
  recipients: [failed(tlsOutcome)],
};

function textOf(input: FailedDsnInput): string {
  const dsn = writeFailedDsn(input);
  assert.ok(dsn?.content.kind === 'memory');
  return dsn.content.bytes.toString('latin1');
}

/** Splits a multipart message by its own boundary: header, parts, epilogue. */
function partsOf(text: string): string[] {
  const boundary = /boundary="([^"]+)"/.exec(text)![1]!;
  const [head, ...parts] = text.split(`--${boundary}\r\n`);
  const last = parts.pop()!.split(`--${boundary}--\r\n`);
  return [head!, ...parts, ...last];
}

test('is never written about mail with the null reverse-path', () => {
  assert.equal(writeFailedDsn({ ...plain, about: { ...plain.about, reversePath: null } }), null);
});

test('is not written where every recipient was delivered', () => {
  const { kind: _, cause: __, ...detail } = outcome as Outcome & { kind: 'bounced' };
  assert.equal(
    writeFailedDsn({
      ...plain,
      recipients: [failed({ kind: 'delivered', handedTo: 'relay', ...detail })],
    }),
    null,
  );
});

test('has the null reverse-path and goes to the sender', () => {
  const dsn = writeFailedDsn(plain)!;
  assert.equal(dsn.reversePath, null);
  assert.deepEqual(dsn.recipients, [plain.about.reversePath]);
  assert.deepEqual(dsn.source, { kind: 'dsn', about: '0ABCDEFGHJK0' });
  assert.equal(dsn.bodyType, '7bit');
  assert.equal(dsn.id, '0ABCDEFGHJK1');
  assert.deepEqual(dsn.clauses, []);
});

test('about forced mail it must travel encrypted itself', () => {
  assert.deepEqual(writeFailedDsn(forced)!.clauses, [
    { kind: 'encrypted', origin: { kind: 'dsn', name: '0ABCDEFGHJK0' } },
  ]);
});

test('about forced mail it tells nothing of the content: no body, no Subject, no other field', () => {
  const text = textOf(forced);
  for (const word of ['secret', 'Secret', 'merger', 'body', 'X-Diagnosis', 'Received: from']) {
    assert.ok(!text.includes(word), word);
  }
  const returned = partsOf(text)[3]!.split('\r\n\r\n')[1];
  assert.equal(returned, 'Message-ID: <1@example.test>\r\nDate: Sun, 22 Nov 2026 03:53:42 +0000');
});

test('about other mail it returns the header, and never the body', () => {
  const text = textOf(plain);
  assert.ok(text.includes('Subject: the merger\r\n with J??rgen\r\n'));
  assert.ok(text.includes('X-Diagnosis: secret\r\n'));
  assert.ok(!text.includes('body secret'));
});

test('is a multipart/report whose delivery-status can be read by programs', () => {
  const [head, , statusPart] = partsOf(textOf(plain));
  assert.match(head!, /^Content-Type: multipart\/report; report-type=delivery-status;/m);
  assert.match(head!, /^Auto-Submitted: auto-replied\r$/m);
  assert.match(head!, /^From: "Mail gateway" <postmaster@example.test>\r$/m);
  assert.match(head!, /^In-Reply-To: <1@example.test>\r$/m);
  const body = statusPart!.slice(statusPart!.indexOf('\r\n\r\n') + 4);
  const { message, recipients } = parseDeliveryStatus(body)!;
  assert.deepEqual(message.reportingMta, { type: 'dns', text: 'mx.example.test' });
  assert.equal(message.arrivalAtMs, receivedAtMs);
  assert.equal(recipients.length, 1);
  assert.equal(recipients[0]!.action, 'failed');
  assert.deepEqual(recipients[0]!.finalRecipient, { type: 'rfc822', text: 'bob@partner.example' });
  assert.deepEqual(recipients[0]!.diagnosticCode, {
    type: 'smtp',
    text: '550 5.1.1 no such user really',
  });
  assert.deepEqual(recipients[0]!.remoteMta, { type: 'dns', text: 'mx.partner.example' });
});

test('says in words what was required, what was seen, at which server, and what to do', () => {
  const words = partsOf(textOf(forced))[1]!.replaceAll(/\r\n +/g, ' ');
  for (const line of [
    'To: bob@partner.example',
    'It was tried for 24 hours without success.',
    'What was required encryption (connector "partner")',
    'a certificate for *.partner.example (connector "partner")',
    'What was seen the certificate is for other.example',
    'At which server mx.partner.example [192.0.2.9], port 25',
    'it did not leave this gateway without that protection',
    'Please forward this message to your administrator',
    '"postern trace 0ABCDEFGHJK0"',
  ]) {
    assert.ok(words.includes(line), `${line}\nnot in\n${words}`);
  }
});

test('tells recipients of the same fate once, and bounds the list in the text', () => {
  const many = Array.from({ length: 60 }, (_, i) => failed(outcome, `u${i}`));
  const [, words, statusPart] = partsOf(textOf({ ...plain, recipients: many }));
  assert.equal(words!.match(/What happened/g)?.length, 1);
  assert.ok(words!.includes('and 10 more, listed in the delivery report'));
  assert.equal(statusPart!.match(/^Final-Recipient:/gm)?.length, 60);
});

const causes: readonly DeferralCause[] = [
  'dns',
  'connect',
  'timeout',
  'connection-lost',
  'peer-reply',
  'tls-not-offered',
  'tls-refused',
  'tls-handshake',
  'tls-requirement',
  'policy',
  'local',
];
for (const cause of causes) {
  test(`has words for ${cause}`, () => {
    const text = textOf({ ...plain, recipients: [failed({ ...outcome, kind: 'bounced', cause })] });
    assert.match(text, /What happened\r\n {4}[A-Z]/);
    assert.match(text, /What you can do\r\n {4}[A-Z]/);
  });
}

test('does without a header that could not be read', () => {
  const parts = partsOf(textOf({ ...plain, about: { ...plain.about, header: null } }));
  assert.equal(parts.length, 4);
});

test('uses another boundary each time', () => {
  const boundaries = [plain, plain].map((input) => /boundary="(.+)"/.exec(textOf(input))![1]);
  assert.notEqual(boundaries[0], boundaries[1]);
});

test('makes no header of a Message-ID that is none', () => {
  const evil = Buffer.from('Message-ID: <a> <b>\r\n\tBcc: eve@evil.example\r\n\r\n');
  const head = partsOf(textOf({ ...plain, about: { ...plain.about, header: evil } }))[0]!;
  assert.ok(!/In-Reply-To|Bcc/.test(head));
});

test('bounds what it returns of a huge header', () => {
  const huge = Buffer.from(`X: ${'y'.repeat(5000)}\r\n`.repeat(40));
  assert.ok(textOf({ ...plain, about: { ...plain.about, header: huge } }).length < 40_000);
});

test('stays 7-bit with bounded CRLF lines and its own structure, whatever peers say', () => {
  const any = fc.string({ unit: 'binary', maxLength: 1500 });
  const bytes = fc.uint8Array({ maxLength: 600 });
  fc.assert(
    fc.property(fc.tuple(any, any, any), bytes, fc.boolean(), (texts, octets, isForced) => {
      const [reason, line, hostName] = texts;
      const remoteMta = { hostName, address: null, port: 25 };
      const evil: Outcome = { ...outcome, reason, reply: reply(550, null, line), remoteMta };
      const about = {
        ...plain.about,
        isForced,
        header: Buffer.concat([Buffer.from('Message-ID: '), octets]),
      };
      const text = textOf({ ...plain, about, recipients: [failed(evil)] });
      const lines = text.split('\r\n');
      assert.ok(lines.every((one) => /^[ -~\t]{0,998}$/.test(one)));
      const parts = partsOf(text);
      assert.ok(parts.length === 4 || parts.length === 5);
      const body = parts[2]!.slice(parts[2]!.indexOf('\r\n\r\n') + 4);
      assert.equal(parseDeliveryStatus(body)?.recipients.length, 1);
    }),
    { numRuns: 300 },
  );
});
