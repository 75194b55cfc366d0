/** DSNs: never to nobody, nothing of forced mail's content, nothing a peer could inject. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { status } from '../mail/enhanced-status.ts';
import { reply } from '../mail/reply.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { parseDeliveryStatus } from '../standards/dsn/delivery-status.ts';
import type { DsnRecipient } from './dsn-recipient.ts';
import type { DsnInput } from './dsn.ts';
import { writeDsn } from './dsn.ts';
import type { Cause } from './dsn-words.ts';

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
const failed = (one: Outcome, over: Partial<DsnRecipient> = {}): DsnRecipient => ({
  recipient: { localPart: 'bob', domain: 'partner.example' },
  action: 'failed',
  outcome: one,
  clauses: [],
  candidates: [],
  nextAttemptAtMs: null,
  willRetryUntilMs: null,
  ...over,
});
const partner = { kind: 'connector', name: 'partner' } as const;
const clauses: readonly Clause[] = [
  { kind: 'encrypted', origin: partner },
  {
    kind: 'name',
    references: [{ kind: 'wildcard', domain: 'partner.example' }],
    origin: partner,
  },
];
const receivedAtMs = Date.UTC(2026, 10, 22, 3, 53, 43);
const plain: DsnInput = {
  id: '0ABCDEFGHJK1',
  about: {
    id: '0ABCDEFGHJK0',
    reversePath: { localPart: 'alice', domain: 'example.test' },
    receivedAtMs,
    organization: 'o',
    isForced: false,
    request: null,
    header,
    content: null,
  },
  recipients: [failed(outcome)],
  hostName: 'mx.example.test',
  postmaster: { localPart: 'postmaster', domain: 'example.test' },
  nowMs: receivedAtMs + 86_400_000,
};
const forced: DsnInput = { ...plain, recipients: [failed(tlsOutcome, { clauses })] };

function textOf(input: DsnInput): string {
  const dsn = writeDsn(input);
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
  assert.equal(writeDsn({ ...plain, about: { ...plain.about, reversePath: null } }), null);
});

test('is not written where there is nothing to tell', () => {
  assert.equal(writeDsn({ ...plain, recipients: [] }), null);
});

test('has the null reverse-path and goes to the sender', () => {
  const dsn = writeDsn(plain)!;
  assert.equal(dsn.reversePath, null);
  assert.deepEqual(dsn.recipients, [plain.about.reversePath]);
  assert.deepEqual(dsn.source, { kind: 'dsn', about: '0ABCDEFGHJK0' });
  assert.equal(dsn.bodyType, '7bit');
  assert.equal(dsn.id, '0ABCDEFGHJK1');
  assert.deepEqual(dsn.clauses, []);
});

test('about forced mail it must travel encrypted itself', () => {
  assert.deepEqual(writeDsn(forced)!.clauses, [
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

test('about other mail it returns the header, and no body that was not asked for', () => {
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
    'Accepted:   Sun, 22 Nov 2026 03:53:43 UTC',
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
  const many = Array.from({ length: 60 }, (_, i) =>
    failed(outcome, { recipient: { localPart: `u${i}`, domain: 'partner.example' } }),
  );
  const [, words, statusPart] = partsOf(textOf({ ...plain, recipients: many }));
  assert.equal(words!.match(/What happened/g)?.length, 1);
  assert.ok(words!.includes('and 10 more, listed in the delivery report'));
  assert.equal(statusPart!.match(/^Final-Recipient:/gm)?.length, 60);
});

const causes: readonly Cause[] = [
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
  'policy-weakened',
  'damaged',
];
for (const cause of causes) {
  for (const action of ['failed', 'delayed'] as const) {
    test(`has words for ${action} because of ${cause}`, () => {
      const one = { ...outcome, kind: 'deferred', cause } as Outcome;
      const text = textOf({ ...plain, recipients: [failed(one, { action })] });
      assert.match(text, /What happened\r\n {4}[A-Z]/);
      assert.match(text, /What you can do\r\n {4}[A-Z]/);
    });
  }
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

const delayed = (over: Partial<DsnRecipient> = {}): DsnInput => ({
  ...plain,
  recipients: [
    failed(tlsOutcome, {
      action: 'delayed',
      clauses,
      candidates: [
        {
          hostName: 'mx1.partner.example',
          address: '192.0.2.9',
          port: 25,
          addedClauses: [],
          evidence: null,
          verdict: { kind: 'refuse', status: '4.4.317', reason: 'STARTTLS was not offered' },
        },
      ],
      nextAttemptAtMs: receivedAtMs + 900_000,
      willRetryUntilMs: receivedAtMs + 86_400_000,
      ...over,
    }),
  ],
  nowMs: receivedAtMs + 300_000,
});
const wordsOf = (input: DsnInput): string => partsOf(textOf(input))[1]!.replaceAll(/\r\n +/g, ' ');
const fieldsOf = (input: DsnInput) => {
  const part = partsOf(textOf(input))[2]!;
  return parseDeliveryStatus(part.slice(part.indexOf('\r\n\r\n') + 4))!;
};

test('a delay notice says what was required, what was seen, what happens next, what to do', () => {
  const words = wordsOf(delayed());
  for (const line of [
    'Your mail has not been delivered yet',
    'You need not send it again.',
    'it has not left this gateway without that protection',
    'a certificate for *.partner.example (connector "partner")',
    'mx1.partner.example [192.0.2.9], port 25: STARTTLS was not offered',
    'It is tried again on Sun, 22 Nov 2026 04:08:43 UTC',
    'until Mon, 23 Nov 2026 03:53:43 UTC',
    'Forward this message to your administrator',
  ]) {
    assert.ok(words.includes(line), `${line}\nnot in\n${words}`);
  }
  assert.doesNotMatch(words, /could not be delivered to/);
  const [recipient] = fieldsOf(delayed()).recipients;
  assert.equal(recipient!.action, 'delayed');
  assert.equal(recipient!.willRetryUntilMs, receivedAtMs + 86_400_000);
  assert.match(textOf(delayed()), /^Subject: Delayed: your mail to bob@partner.example\r$/m);
});

test('a notice about held mail promises no time', () => {
  const held: Outcome = { ...tlsOutcome, kind: 'held', cause: 'policy-weakened' };
  const input: DsnInput = delayed({ outcome: held, nextAttemptAtMs: null, willRetryUntilMs: null });
  const words = wordsOf(input);
  assert.ok(words.includes('It stays here until an administrator of this gateway releases it.'));
  assert.ok(words.includes('it is held until an administrator has looked at it'));
  assert.equal(fieldsOf(input).recipients[0]!.willRetryUntilMs, null);
});

test('notices and confirmations about forced mail are as silent as failures, and travel encrypted', () => {
  for (const action of ['delayed', 'delivered', 'relayed', 'expanded'] as const) {
    const input: DsnInput = { ...forced, recipients: [failed(tlsOutcome, { action, clauses })] };
    assert.doesNotMatch(textOf(input), /secret|Secret|merger|X-Diagnosis/);
    assert.equal(writeDsn(input)!.clauses.length, 1);
  }
});

test('one DSN tells of several ends, the gravest first, in the subject too', () => {
  const accepted: Outcome = {
    ...outcome,
    kind: 'delivered',
    handedTo: 'relay',
    status: status('2.1.5'),
    reply: reply(250, '2.1.5', 'taken'),
  };
  const input: DsnInput = {
    ...plain,
    recipients: [
      failed(accepted, {
        action: 'relayed',
        recipient: { localPart: 'eve', domain: 'other.example' },
      }),
      failed(outcome),
    ],
  };
  assert.match(textOf(input), /^Subject: Not delivered: your mail to bob@partner.example\r$/m);
  assert.deepEqual(
    fieldsOf(input).recipients.map(({ action, status: { class: class_ } }) => [action, class_]),
    [
      ['relayed', 2],
      ['failed', 5],
    ],
  );
  const words = wordsOf(input);
  assert.ok(words.indexOf('could not be delivered') < words.indexOf('was passed on'));
});

test('gives ENVID and ORCPT back', () => {
  const input: DsnInput = {
    ...plain,
    about: { ...plain.about, request: { ret: null, envelopeId: 'QQ 314\r\nX: y' } },
    recipients: [
      failed(outcome, {
        recipient: {
          localPart: 'bob',
          domain: 'partner.example',
          originalRecipient: { type: 'rfc822', text: 'Bob@first.example' },
        },
      }),
    ],
  };
  const { message, recipients } = fieldsOf(input);
  assert.equal(message.originalEnvelopeId, 'QQ 314??X: y');
  assert.deepEqual(recipients[0]!.originalRecipient, { type: 'rfc822', text: 'Bob@first.example' });
});

test('of an alias of ours it names the alias alone, once', () => {
  const aliasedFrom = { localPart: 'sales', domain: 'example.test' };
  const behind = (localPart: string): DsnRecipient =>
    failed(tlsOutcome, {
      recipient: { localPart, domain: 'hidden.example', aliasedFrom },
      clauses,
    });
  const input = { ...plain, recipients: [behind('bob'), behind('eve')] };
  const text = textOf(input);
  assert.doesNotMatch(text, /hidden|bob|eve|mx\.partner|other\.example/);
  const { recipients } = fieldsOf(input);
  assert.deepEqual(
    recipients.map(({ finalRecipient, remoteMta }) => [finalRecipient.text, remoteMta]),
    [['sales@example.test', null]],
  );
  assert.equal(writeDsn(input)!.clauses.length, 1);
});

test('writes addresses beyond ASCII for people as they are, for programs in ASCII', () => {
  const recipient = { localPart: 'j\u00fcrgen', domain: 'partner.example' };
  const input = { ...plain, recipients: [failed(outcome, { recipient })] };
  const text = textOf(input);
  assert.match(text, /^[\t\r\n -~]*$/);
  assert.match(text, /=C3=BCrgen/);
  assert.match(fieldsOf(input).recipients[0]!.finalRecipient.text, /^"?j\\x\{FC\}rgen"?@/);
  assert.equal(fieldsOf(input).recipients[0]!.finalRecipient.type, 'utf-8');
  assert.equal(writeDsn(input)!.smtpUtf8, undefined);
});

test("asks for SMTPUTF8 where the sender's own address needs it, and nowhere else", () => {
  const reversePath = { localPart: 'j\u00fcrgen', domain: 'example.test' };
  const dsn = writeDsn({ ...plain, about: { ...plain.about, reversePath } })!;
  assert.equal(dsn.smtpUtf8, true);
  assert.equal(dsn.bodyType, '8bitmime');
  assert.ok(dsn.content.kind === 'memory');
  const lines = dsn.content.bytes.toString('utf8').split('\r\n');
  const odd = lines.filter((line) => /[^\t -~]/.test(line));
  assert.equal(odd.length, 1);
  assert.match(odd[0]!, /^To: <"?jürgen"?@example.test>$/);
});

const whole = Buffer.concat([header.subarray(0, 0), Buffer.from('From: a@b\r\n\r\nall of it\r\n')]);
const full = (over: object = {}): DsnInput => ({
  ...plain,
  about: {
    ...plain.about,
    request: { ret: 'full', envelopeId: null },
    content: whole,
    ...over,
  },
});

test('returns the whole mail where RET=FULL asks for it', () => {
  const text = textOf(full());
  assert.match(text, /^Content-Type: message\/rfc822\r$/m);
  assert.ok(text.includes('\r\n\r\nFrom: a@b\r\n\r\nall of it\r\n\r\n--'));
});

for (const [name, over, why] of [
  ['forced mail', { isForced: true }, /had to travel\s+protected/],
  ['large mail', { content: null }, /larger than a report/],
  ['8-bit mail', { content: Buffer.from('\r\n\u00fc\r\n') }, /characters that a report/],
  ['mail with endless lines', { content: Buffer.from(`${'x'.repeat(999)}\r\n`) }, /characters/],
] as const) {
  test(`does not return ${name} whole, and says why`, () => {
    const text = textOf(full(over));
    assert.doesNotMatch(text, /message\/rfc822\r|all of it/);
    assert.match(text, why);
  });
}

test('returns the header alone of mail that is merely late', () => {
  const about = full().about;
  assert.doesNotMatch(textOf({ ...delayed({ clauses: [] }), about }), /message\/rfc822|all of it/);
});
