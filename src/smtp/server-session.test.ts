import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { formatPath } from '../mail/address.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { ServerEvent, ServerSessionOptions } from './server-event.ts';
import { ServerSession } from './server-session.ts';

const defaults: ServerSessionOptions = {
  hostName: 'mx.example.test',
  isUnderTls: false,
  offersStartTls: true,
  offersAuth: false,
  messageSizeBytesMax: 1000,
  bareLineBreaks: 'refuse',
  lineBytesMax: 500,
  recipientsMax: 3,
  errorsMax: 10,
  commandsMax: 100,
};

/** Accepts everything; `no@` addresses, `no` passwords and contents with a problem are refused. */
function decide(event: ServerEvent): Reply | null {
  switch (event.kind) {
    case 'starttls':
      return reply(220, '2.0.0', 'go on');
    case 'auth':
      return event.password === 'no' ? reply(535, '5.7.8', 'no') : reply(235, '2.7.0', 'welcome');
    case 'mail':
      return event.reversePath?.localPart === 'no'
        ? reply(550, '5.7.1', 'no')
        : reply(250, '2.1.0', 'ok');
    case 'recipient':
      return event.recipient?.localPart === 'no'
        ? reply(550, '5.1.1', 'no')
        : reply(250, '2.1.5', 'ok');
    case 'data':
      return reply(354, null, 'go on');
    case 'content-end':
      return event.problem ?? reply(250, '2.0.0', 'taken');
    case 'content':
    case 'reset':
      return null;
  }
}

class Talk {
  readonly session: ServerSession;
  readonly events: string[] = [];
  output = '';
  content = '';
  readonly contents: string[] = [];

  constructor(options: Partial<ServerSessionOptions> = {}) {
    this.session = new ServerSession({ ...defaults, ...options });
    this.session.greet();
    this.session.takeOutput();
  }

  /** What the server says to these bytes. */
  say(text: string, size = text.length): string {
    const before = this.output.length;
    for (let at = 0; at < text.length; at += size) {
      this.session.feed(Buffer.from(text.slice(at, at + size), 'latin1'));
      this.pump();
    }
    return this.output.slice(before);
  }

  codes(text: string, size?: number): string {
    const said = this.say(text, size);
    return [...said.matchAll(/^(\d{3}) (\d\.\d+\.\d+)?/gm)].map((m) => m[2] ?? m[1]!).join(' ');
  }

  pump(): void {
    for (let event = this.session.next(); event !== null; event = this.session.next()) {
      if (event.kind === 'content') this.content += event.bytes.toString('latin1');
      else this.events.push(describe(event));
      if (event.kind === 'content-end') {
        this.contents.push(this.content);
        this.content = '';
      }
      const answer = decide(event);
      if (answer !== null) this.session.answer(answer);
    }
    this.output += this.session.takeOutput().toString('latin1');
  }
}

function describe(event: ServerEvent): string {
  if (event.kind === 'mail') {
    return `mail ${formatPath(event.reversePath)} ${event.parameters.bodyType}`;
  }
  if (event.kind === 'recipient') return `recipient ${formatPath(event.recipient)}`;
  if (event.kind === 'auth') return `auth ${event.mechanism} ${event.username} ${event.password}`;
  if (event.kind === 'content-end') return `content-end ${event.sizeBytes}`;
  return event.kind;
}

const toRcpt = 'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';

void test('greets first, and closes on text that came before', () => {
  const session = new ServerSession(defaults);
  session.feed(Buffer.from('EHLO x\r\n'));
  assert.equal(session.next(), null);
  session.greet();
  assert.match(session.takeOutput().toString(), /^554 5\.5\.1 /);
  assert.equal(session.isClosed, true);
});

void test('offers in clear STARTTLS without AUTH, and under TLS the reverse', () => {
  const clear = new Talk({ offersAuth: true }).say('EHLO c.example\r\n');
  assert.equal(
    clear,
    '250-mx.example.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-DSN\r\n250-STARTTLS\r\n250 ENHANCEDSTATUSCODES\r\n',
  );
  const under = new Talk({ offersAuth: true, isUnderTls: true }).say('EHLO c.example\r\n');
  assert.match(under, /250-AUTH PLAIN LOGIN\r\n/);
  assert.doesNotMatch(under, /STARTTLS/);
  assert.equal(new Talk().say('HELO c.example\r\n'), '250 mx.example.test\r\n');
});

const sequences: readonly (readonly [fact: string, text: string, codes: string])[] = [
  ['wants EHLO before MAIL', 'MAIL FROM:<a@b.example>\r\n', '5.5.1'],
  ['wants MAIL before RCPT', 'EHLO x\r\nRCPT TO:<a@b.example>\r\n', '250 5.5.1'],
  ['wants MAIL before DATA', 'EHLO x\r\nDATA\r\n', '250 5.5.1'],
  ['takes one MAIL at a time', `${toRcpt}MAIL FROM:<x@y.example>\r\n`, '250 2.1.0 2.1.5 5.5.1'],
  [
    'refuses DATA without a valid recipient',
    'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<no@d.example>\r\nDATA\r\n',
    '250 2.1.0 5.1.1 5.5.1',
  ],
  [
    'refuses RCPT after a refused MAIL',
    'EHLO x\r\nMAIL FROM:<no@b.example>\r\nRCPT TO:<a@d.example>\r\n',
    '250 5.7.1 5.5.1',
  ],
  [
    'refuses a declared size above the limit',
    'EHLO x\r\nMAIL FROM:<a@b.example> SIZE=1001\r\n',
    '250 5.3.4',
  ],
  [
    'takes only so many recipients',
    `${toRcpt}${'RCPT TO:<x@d.example>\r\n'.repeat(3)}`,
    '250 2.1.0 2.1.5 2.1.5 2.1.5 4.5.3',
  ],
  [
    'answers the small commands',
    'NOOP\r\nHELP\r\nVRFY a\r\nEXPN a\r\nRSET\r\nWHAT\r\nDATA x\r\n',
    '2.0.0 2.0.0 2.0.0 5.5.1 2.0.0 5.5.1 5.5.4',
  ],
  ['refuses a command that ends in a bare LF', 'EHLO x\nNOOP\r\n', '5.5.2 2.0.0'],
  ['refuses a command with a bare CR', 'NOOP\rMAIL FROM:<a@b.example>\r\n', '5.5.2'],
  ['knows no AUTH where none is offered', 'EHLO x\r\nAUTH PLAIN\r\n', '250 5.5.1'],
  ['says goodbye and reads no further', 'QUIT\r\nNOOP\r\n', '2.0.0'],
  ['refuses STARTTLS before EHLO', 'STARTTLS\r\n', '5.5.1'],
  [
    'forgets the transaction at RSET',
    `${toRcpt}RSET\r\nRCPT TO:<c@d.example>\r\n`,
    '250 2.1.0 2.1.5 2.0.0 5.5.1',
  ],
  [
    'forgets the transaction at EHLO',
    `${toRcpt}EHLO y\r\nRCPT TO:<c@d.example>\r\n`,
    '250 2.1.0 2.1.5 250 5.5.1',
  ],
];

for (const [fact, text, codes] of sequences) {
  void test(`${fact}, however the bytes are cut`, () => {
    for (let size = 1; size <= text.length; size++)
      assert.equal(new Talk().codes(text, size), codes);
  });
}

void test('closes at a line without end', () => {
  const talk = new Talk();
  assert.equal(talk.codes(`NOOP ${'x'.repeat(3000)}`), '5.5.2');
  assert.equal(talk.session.isClosed, true);
  assert.equal(new Talk().codes(`NOOP ${'x'.repeat(2041)}\r\n`), '2.0.0');
  assert.equal(new Talk().codes(`NOOP ${'x'.repeat(2042)}\r\n`), '5.5.2');
});

void test('closes after ten errors, and after a hundred commands without a message', () => {
  const errors = new Talk();
  assert.equal(errors.codes('WHAT\r\n'.repeat(12)), `${'5.5.1 '.repeat(10)}4.7.0`);
  assert.equal(errors.session.isClosed, true);
  const idle = new Talk();
  assert.equal(idle.codes('NOOP\r\n'.repeat(200)), `${'2.0.0 '.repeat(101)}4.7.0`);
});

void test('closes at once for a browser', () => {
  const talk = new Talk();
  assert.equal(talk.codes('POST / HTTP/1.1\r\nMAIL FROM:<a@b.example>\r\n'), '5.5.1');
  assert.equal(talk.session.isClosed, true);
});

void test('gathers the replies of a flight in one buffer', () => {
  const session = new Talk().session;
  session.feed(Buffer.from(`${toRcpt}DATA\r\n`));
  for (let event = session.next(); event !== null; event = session.next()) {
    session.answer(decide(event)!);
  }
  assert.match(session.takeOutput().toString(), /^250-[^]*\r\n354 go on\r\n$/);
  assert.equal(session.takeOutput().length, 0);
});

const dialogue =
  `${toRcpt}RCPT TO:<no@d.example>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\n` +
  'MAIL FROM:<> BODY=8BITMIME SIZE=10\r\nRCPT TO:<Postmaster>\r\nDATA\r\n.\r\nRSET\r\nQUIT\r\n';

void test('gives the same events and replies however the bytes are cut', () => {
  const whole = new Talk();
  // Two flights at least: nobody sends content before the 354.
  whole.say(dialogue);
  assert.deepEqual(whole.contents, ['Subject: x\r\n\r\n.dot\r\n', '']);
  assert.deepEqual(whole.events, [
    'mail <a@b.example> 7bit',
    'recipient <c@d.example>',
    'recipient <no@d.example>',
    'data',
    'content-end 20',
    'mail <> 8bitmime',
    'recipient <>',
    'data',
    'content-end 0',
  ]);
  for (let size = 1; size < dialogue.length; size++) {
    const talk = new Talk();
    assert.equal(talk.say(dialogue, size), whole.output);
    assert.deepEqual(talk.events, whole.events);
    assert.deepEqual(talk.contents, whole.contents);
  }
});

for (const trick of ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r\n.\r', '\r.\r\n', '\r\n\0.\r\n']) {
  void test(`refuses content with ${JSON.stringify(trick)} after its real end, acting on nothing in it`, () => {
    const attack = `${toRcpt}DATA\r\nx${trick}MAIL FROM:<evil@b.example>\r\nRCPT TO:<v@d.example>\r\n.\r\nNOOP\r\n`;
    for (let size = 1; size <= attack.length; size++) {
      const talk = new Talk();
      const codes = talk.codes(attack, size);
      assert.match(codes, /^250 2\.1\.0 2\.1\.5 354 5\.6\.(?:11|0) 2\.0\.0$/);
      assert.ok(!talk.events.includes('mail <evil@b.example> 7bit'));
    }
  });
}

void test('cannot be told to accept content that has a problem', () => {
  const { session } = new Talk();
  session.feed(Buffer.from(`${toRcpt}DATA\r\nbare\n.\r\n\r\n.\r\n`));
  assert.throws(() => {
    for (let event = session.next(); event !== null; event = session.next()) {
      if (event.kind === 'content') continue;
      session.answer(event.kind === 'content-end' ? reply(250, '2.0.0', 'ok') : decide(event)!);
    }
  }, /cannot be accepted/);
});

void test('refuses content above the limit at its end, and cuts it off far above', () => {
  const talk = new Talk();
  const line = `${'x'.repeat(98)}\r\n`;
  assert.equal(talk.codes(`${toRcpt}DATA\r\n${line.repeat(10)}.\r\n`), '250 2.1.0 2.1.5 354 2.0.0');
  const next = toRcpt.replace('EHLO c.example\r\n', '');
  assert.equal(talk.codes(`${next}DATA\r\n${line.repeat(11)}.\r\n`), '2.1.0 2.1.5 354 5.3.4');
  assert.equal(talk.session.isClosed, false);
  assert.equal(talk.codes(`${next}DATA\r\n${line.repeat(21)}`), '2.1.0 2.1.5 354 5.3.4');
  assert.equal(talk.session.isClosed, true);
});

void test('reads what lies behind a refused DATA as nothing at all', () => {
  const talk = new Talk();
  const text = `EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<no@d.example>\r\nDATA\r\nMAIL FROM:<evil@b.example>\r\n`;
  assert.equal(talk.codes(text), '250 2.1.0 5.1.1 5.5.1 4.5.0');
  assert.deepEqual(talk.events, ['mail <a@b.example> 7bit', 'recipient <no@d.example>']);
  assert.equal(talk.session.isClosed, true);
});

void test('never acts on text that was sent behind STARTTLS in clear', () => {
  const talk = new Talk({ offersAuth: true });
  const said = talk.say('EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@b.example>\r\n');
  assert.match(said, /554 5\.5\.1 text after STARTTLS, closing\r\n$/);
  assert.deepEqual(talk.events, []);
  assert.equal(talk.session.isClosed, true);
});

void test('drops what arrives between the 220 and the handshake', () => {
  const { session } = new Talk();
  session.feed(Buffer.from('EHLO x\r\nSTARTTLS\r\n'));
  assert.equal(session.next()!.kind, 'starttls');
  session.answer(reply(220, '2.0.0', 'go on'));
  session.takeOutput();
  session.feed(Buffer.from('EHLO evil\r\nMAIL FROM:<evil@b.example>\r\n'));
  assert.equal(session.next(), null);
  session.secured();
  assert.equal(session.next(), null);
  assert.equal(session.heloName, null);
  assert.equal(session.takeOutput().length, 0);
});

void test('starts anew after STARTTLS: EHLO again, AUTH offered, STARTTLS no more', () => {
  const talk = new Talk({ offersAuth: true });
  assert.equal(talk.codes('EHLO x\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\n'), '250 5.7.11 2.0.0');
  talk.session.secured();
  assert.equal(talk.session.heloName, null);
  assert.equal(talk.codes('MAIL FROM:<a@b.example>\r\nAUTH PLAIN AGEAYg==\r\n'), '5.5.1 5.5.1');
  assert.match(talk.say('EHLO x\r\n'), /250-AUTH PLAIN LOGIN\r\n/);
  assert.equal(talk.codes('STARTTLS\r\nAUTH PLAIN AGEAYg==\r\n'), '5.5.1 2.7.0');
});

const auth = (options: Partial<ServerSessionOptions> = {}): Talk => {
  const talk = new Talk({ offersAuth: true, isUnderTls: true, ...options });
  talk.say('EHLO x\r\n');
  return talk;
};
const b64 = (text: string): string => Buffer.from(text).toString('base64');

void test('takes PLAIN with and without initial response, and LOGIN', () => {
  for (const text of [
    `AUTH PLAIN ${b64('\0ü\0p w')}\r\n`,
    `AUTH PLAIN\r\n${b64('ü\0ü\0p w')}\r\n`,
    `AUTH LOGIN\r\n${b64('ü')}\r\n${b64('p w')}\r\n`,
    `AUTH LOGIN ${b64('ü')}\r\n${b64('p w')}\r\n`,
  ]) {
    for (let size = 1; size < text.length; size++) {
      const talk = auth();
      assert.match(talk.codes(text, size), /2\.7\.0$/);
      assert.match(talk.events[0]!, /^auth (?:PLAIN|LOGIN) ü p w$/);
    }
  }
});

const authRefusals: readonly (readonly [string, string, string])[] = [
  ['a mechanism that it does not have', 'AUTH CRAM-MD5\r\n', '5.5.4'],
  ['base64 with rubbish', 'AUTH PLAIN\r\n!!!!\r\n', '334 5.5.2'],
  ['a response that is no UTF-8', 'AUTH PLAIN /w==\r\n', '5.5.2'],
  ['PLAIN without its parts', `AUTH PLAIN ${b64('a')}\r\n`, '5.5.2'],
  ['PLAIN with a part too many', `AUTH PLAIN ${b64('\0a\0b\0c')}\r\n`, '5.5.2'],
  ['to act for another', `AUTH PLAIN ${b64('b\0a\0p')}\r\n`, '5.7.8'],
  ['a NUL in LOGIN', `AUTH LOGIN ${b64('a\0b')}\r\n`, '5.5.2'],
  ['a cancelled exchange', 'AUTH LOGIN\r\n*\r\nNOOP\r\n', '334 5.7.0 2.0.0'],
  ['a wrong password', `AUTH PLAIN ${b64('\0a\0no')}\r\nNOOP\r\n`, '5.7.8 2.0.0'],
  [
    'a second AUTH',
    `AUTH PLAIN ${b64('\0a\0p')}\r\nAUTH PLAIN ${b64('\0a\0p')}\r\n`,
    '2.7.0 5.5.1',
  ],
  ['AUTH within a transaction', `MAIL FROM:<a@b.example>\r\nAUTH PLAIN\r\n`, '2.1.0 5.5.1'],
  ['a response that ends in a bare LF', `AUTH LOGIN\r\n${b64('a')}\nNOOP\r\n`, '334 5.5.2 2.0.0'],
];

for (const [fact, text, codes] of authRefusals) {
  void test(`refuses ${fact}`, () => assert.equal(auth().codes(text), codes));
}

void test('allows AUTH lines of 12288 octets and no more', () => {
  assert.equal(auth().codes(`AUTH LOGIN\r\n${b64('a'.repeat(9000))}\r\n`), '334 334');
  assert.equal(auth().codes(`AUTH LOGIN\r\n${'A'.repeat(12_300)}`), '334 5.5.2');
});

void test('takes any bytes without throwing, within its bounds', () => {
  const piece = fc.constantFrom(
    'EHLO x\r\n',
    'MAIL FROM:<a@b.example>\r\n',
    'RCPT TO:<c@d.example>\r\n',
  );
  const more = fc.constantFrom(
    'DATA\r\n',
    '.\r\n',
    '\r\n',
    '\n',
    '\r',
    '\0',
    'AUTH LOGIN\r\n',
    'YQ==\r\n',
  );
  const text = fc.oneof(piece, more, fc.string({ unit: 'binary', maxLength: 20 }));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (all, size) => {
      const talk = new Talk({ offersAuth: true, isUnderTls: true, messageSizeBytesMax: 100 });
      talk.say(all.join(''), size);
      assert.ok(talk.session.bufferedBytes < 12_288);
    }),
    { numRuns: 500 },
  );
});
