import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { Address } from '../mail/address.ts';
import type { Command } from './command.ts';
import { formatCommand, formatRecipientRequest, parseCommand } from './command.ts';

const malformed: readonly (readonly [string, number])[] = [
  ['MAIL', 501],
  ['MAIL FROM', 501],
  ['MAIL FROM:a@b.example', 501],
  ['MAIL FROM:<a@b.example', 501],
  ['MAIL FROM:<a>', 501],
  ['MAIL FROM:<a@b.example>SIZE=1', 501],
  ['MAIL FROM:<a@b.example> SIZE', 501],
  ['MAIL FROM:<a@b.example> SIZE=-1', 501],
  ['MAIL FROM:<a@b.example> SIZE=1 SIZE=2', 501],
  ['MAIL FROM:<a@b.example> BODY=BINARYMIME', 501],
  ['MAIL FROM:<a@b.example> SMTPUTF8=yes', 501],
  ['MAIL FROM:<a@b.example> SMTPUTF8 SMTPUTF8', 501],
  ['MAIL FROM:<a@b.example> RET=FULL RET=FULL', 501],
  ['MAIL FROM:<a@b.example> RET=ALL', 501],
  ['MAIL FROM:<a@b.example> RET', 501],
  ['MAIL FROM:<a@b.example> ENVID=a+', 501],
  ['MAIL FROM:<a@b.example> ENVID=', 501],
  [`MAIL FROM:<a@b.example> ENVID=${'x'.repeat(101)}`, 501],
  ['MAIL FROM:<a@b.example> SMTPUTF8 ENVID=ü', 501],
  ['MAIL FROM:<a@b.example> NOTIFY=NEVER', 555],
  ['MAIL FROM:<a@b.example> \u017fIZE=1', 555],
  ['MAIL FROM:<a\u202e@b.example> SMTPUTF8', 501],
  [`MAIL FROM:<${'ü'.repeat(33)}@b.example> SMTPUTF8`, 501],
  ['MAIL FROM:<a@b.example>\u00a0', 501],
  ['NOOP ü', 500],
  ['\u017fTARTTLS', 500],
  ['EHLO ü.example', 500],
  ['MAIL FROM:<a@b.example> REQUIRETLS', 555],
  ['MAIL FROM:<\xfc@b.example>', 553],
  ['MAIL FROM:<a@b\xfc.example>', 553],
  ['MAIL FROM:<a@b.example>\r', 500],
  ['RCPT TO:<>', 501],
  ['RCPT TO:<a@b.example> RET=FULL', 555],
  ['RCPT TO:<a@b.example> NOTIFY', 501],
  ['RCPT TO:<a@b.example> NOTIFY=NEVER,DELAY', 501],
  ['RCPT TO:<a@b.example> NOTIFY=DELAY NOTIFY=DELAY', 501],
  ['RCPT TO:<a@b.example> NOTIFY=\u017fUCCESS', 501],
  ['RCPT TO:<a@b.example> ORCPT=a@b.example', 501],
  ['RCPT TO:<a@b.example> ORCPT=rfc822;a ORCPT=rfc822;a', 501],
  [`RCPT TO:<a@b.example> ORCPT=rfc822;${'x'.repeat(494)}`, 501],
  ['RCPT TO:<a@b.example>, <c@d.example>', 501],
  ['RCPT FROM:<a@b.example>', 501],
  ['EHLO', 501],
  ['EHLO a b', 501],
  ['EHLO a(comment)', 501],
  [`EHLO ${'a'.repeat(256)}`, 501],
  ['DATA now', 501],
  ['STARTTLS now', 501],
  ['AUTH', 501],
  ['AUTH PLAIN not*base64', 501],
  ['NOOP\tx', 500],
  ['NOOP \0', 500],
];

for (const [line, code] of malformed) {
  void test(`refuses ${JSON.stringify(line)} with ${code}`, () => {
    const parsed = parseCommand(line);
    assert.equal(parsed.kind, 'malformed');
    assert.equal('reply' in parsed && parsed.reply.code, code);
  });
}

for (const line of [
  'BDAT',
  'BDAT x',
  'BDAT -1',
  'BDAT 1 LAST x',
  'BDAT 1\t',
  'BDAT 1 ü',
  'bdat 1 FIRST',
]) {
  void test(`ends the dialogue at ${JSON.stringify(line)}: nobody knows where its octets end`, () => {
    const parsed = parseCommand(line);
    assert.equal(parsed.kind, 'unframed');
    assert.equal('reply' in parsed && parsed.reply.code, 501);
  });
}

for (const line of ['', ' MAIL', 'MAILFROM:<a@b>', 'XFORWARD', 'LHLO a', 'GET / HTTP/1.1']) {
  void test(`does not know ${JSON.stringify(line)}`, () => {
    assert.equal(parseCommand(line).kind, 'unknown');
  });
}

const a: Address = { localPart: 'a', domain: 'b.example' };
const mail = {
  kind: 'mail',
  reversePath: a,
  sizeBytes: null,
  bodyType: null,
  smtpUtf8: false,
  dsn: null,
} as const;
const rcpt = { kind: 'rcpt', recipient: a, request: {}, hasUtf8: false } as const;
const utf8 = { localPart: 'ü', domain: 'xn--bcher-kva.example' };

const understood: readonly (readonly [string, Command])[] = [
  ['mail from: <a@B.example>  ', mail],
  ['MAIL FROM:<@relay.example,@x.example:a@b.example>', mail],
  ['MAIL FROM:<a@b.example> AUTH=<>', mail],
  ['MAIL FROM:<> SIZE=0 BODY=7bit', { ...mail, reversePath: null, sizeBytes: 0, bodyType: '7bit' }],
  [
    'MAIL FROM:<"a>b"@b.example>',
    { ...mail, reversePath: { localPart: 'a>b', domain: 'b.example' } },
  ],
  ['RCPT TO:<postmaster>', { ...rcpt, recipient: null }],
  ['MAIL FROM:<ü@bücher.example> smtputf8', { ...mail, reversePath: utf8, smtpUtf8: true }],
  ['RCPT TO:<ü@bücher.example>', { ...rcpt, recipient: utf8, hasUtf8: true }],
  ['VRFY ü', { kind: 'vrfy', argument: 'ü' }],
  [
    'MAIL FROM:<a@b.example> ret=hdrs ENVID=QQ+2B1',
    { ...mail, dsn: { ret: 'headers', envelopeId: 'QQ+1' } },
  ],
  [
    'RCPT TO:<a@b.example> NOTIFY=success,Delay ORCPT=rfc822;x+3Dy@b.example',
    {
      ...rcpt,
      request: {
        notify: ['success', 'delay'],
        originalRecipient: { type: 'rfc822', text: 'x=y@b.example' },
      },
    },
  ],
  ['RCPT TO:<a@b.example>  NOTIFY=NEVER ', { ...rcpt, request: { notify: [] } }],
  ['BDAT 0', { kind: 'bdat', sizeBytes: 0, isLast: false }],
  ['bdat 1000 last', { kind: 'bdat', sizeBytes: 1000, isLast: true }],
  ['RCPT TO:<a@[192.0.2.1]>', { ...rcpt, recipient: { localPart: 'a', domain: '[192.0.2.1]' } }],
  ['ehlo [IPv6:2001:db8::1]', { kind: 'ehlo', name: '[IPv6:2001:db8::1]' }],
  ['AUTH plain =', { kind: 'auth', mechanism: 'PLAIN', initialResponse: '=' }],
  ['auth LOGIN', { kind: 'auth', mechanism: 'LOGIN', initialResponse: null }],
  ['data', { kind: 'data' }],
  ['NOOP anything goes', { kind: 'noop', argument: 'anything goes' }],
];

for (const [line, command] of understood) {
  void test(`understands ${line}`, () => assert.deepEqual(parseCommand(line), command));
}

const printable = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
const address: fc.Arbitrary<Address> = fc.record({
  localPart: fc.string({ unit: printable, minLength: 1, maxLength: 20 }),
  domain: fc.constantFrom('b.example', 'xn--bcher-kva.example', '[192.0.2.1]'),
});
const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constantFrom('ehlo' as const, 'helo' as const), name: word }),
  fc.record({
    kind: fc.constant('mail' as const),
    reversePath: fc.option(address),
    sizeBytes: fc.option(fc.nat()),
    bodyType: fc.constantFrom('7bit' as const, '8bitmime' as const, null),
    smtpUtf8: fc.boolean(),
    dsn: fc.constantFrom(null, { ret: 'full', envelopeId: null } as const, {
      ret: null,
      envelopeId: 'a=b c',
    }),
  }),
  fc.record({
    kind: fc.constant('rcpt' as const),
    recipient: fc.option(address),
    request: fc.constantFrom(
      {},
      { notify: [] },
      { notify: ['success'] as const, originalRecipient: { type: 'rfc822', text: 'a+b@c' } },
    ),
    hasUtf8: fc.constant(false),
  }),
  fc.record({
    kind: fc.constant('bdat' as const),
    sizeBytes: fc.nat(),
    isLast: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('data', 'rset', 'quit', 'starttls') }),
  fc.record({ kind: fc.constantFrom('noop', 'help', 'vrfy', 'expn'), argument: word }),
  fc.record({
    kind: fc.constant('auth' as const),
    mechanism: fc.constantFrom('PLAIN', 'LOGIN'),
    initialResponse: fc.option(fc.base64String({ minLength: 4 })),
  }),
);

void test('reads back what it formats', () => {
  fc.assert(
    fc.property(command, (c) =>
      assert.deepEqual(parseCommand(formatCommand(c)), structuredClone(c)),
    ),
  );
});

void test('takes any line without throwing, in bounded time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (s) => void parseCommand(s)),
  );
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', '\\', '<', '>', '@', 'a', ' '), maxLength: 2000 }),
      (s) => {
        parseCommand(`MAIL FROM:<${s}`);
        parseCommand(`RCPT TO:<${s}>`);
      },
    ),
  );
});

void test('a declared size beyond every number is the largest there is', () => {
  const command = parseCommand('MAIL FROM:<a@b.test> SIZE=99999999999999999999');
  assert.equal(command.kind === 'mail' ? command.sizeBytes : null, Number.MAX_SAFE_INTEGER);
  assert.deepEqual(parseCommand(formatCommand(command as Command)), command);
});

test('an ORCPT that its ASCII form makes too long for a server is left out', () => {
  const originalRecipient = { type: 'utf-8', text: `${'ü'.repeat(100)}@b.example` };
  assert.equal(formatRecipientRequest({ notify: [], originalRecipient }), ' NOTIFY=NEVER');
});
