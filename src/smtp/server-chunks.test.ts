/** BDAT, DSN parameters and SMTPUTF8 in the server session. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { ServerEvent, ServerSessionOptions } from './server-event.ts';
import { ServerSession } from './server-session.ts';

const defaults: ServerSessionOptions = {
  hostName: 'mx.example.test',
  isUnderTls: false,
  offersStartTls: true,
  offersAuth: false,
  messageSizeBytesMax: 100,
  bareLineBreaks: 'refuse',
  lineBytesMax: 60,
  recipientsMax: 3,
  errorsMax: 10,
  commandsMax: 20,
};

class Talk {
  readonly session: ServerSession;
  readonly events: ServerEvent[] = [];
  readonly contents: string[] = [];
  onData: Reply = reply(354, null, 'go on');
  #content = '';

  constructor(options: Partial<ServerSessionOptions> = {}) {
    this.session = new ServerSession({ ...defaults, ...options });
    this.session.greet();
    this.session.takeOutput();
  }

  kinds(): string {
    return this.events.map(({ kind }) => kind).join(' ');
  }

  /** The codes that these bytes are answered with, in any cut. */
  codes(text: string | Buffer, size = 100_000): string {
    const bytes = Buffer.from(text as string, 'utf8');
    let said = '';
    for (let at = 0; at < bytes.length; at += size) {
      this.session.feed(Buffer.from(bytes.subarray(at, at + size)));
      for (let event = this.session.next(); event !== null; event = this.session.next()) {
        this.#act(event);
      }
      said += this.session.takeOutput().toString('utf8');
    }
    return [...said.matchAll(/^(\d{3}) /gm)].map((match) => match[1]!).join(' ');
  }

  #act(event: ServerEvent): void {
    if (event.kind === 'content') return void (this.#content += event.bytes.toString('latin1'));
    this.events.push(event);
    if (event.kind === 'reset') return;
    if (event.kind === 'content-end') {
      this.contents.push(this.#content);
      this.#content = '';
      return this.session.answer(event.problem ?? reply(250, '2.0.0', 'taken'));
    }
    if (event.kind === 'data') return this.session.answer(this.onData);
    const isRefused = event.kind === 'recipient' && event.recipient?.localPart === 'no';
    this.session.answer(isRefused ? reply(550, '5.1.1', 'no') : reply(250, null, 'ok'));
  }
}

const envelope = 'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';
const again = envelope.replace('EHLO c.example\r\n', '');

const chunks: readonly (readonly [fact: string, text: string, codes: string, content: string[]])[] =
  [
    [
      'a content of one chunk',
      `${envelope}BDAT 8 LAST\r\nA: b\r\n\r\nQUIT\r\n`,
      '250 250 250 250 221',
      ['A: b\r\n\r\n'],
    ],
    [
      'several in one flight, cut within a CRLF and a dot line',
      `${envelope}BDAT 5\r\nA: b\rBDAT 4\r\n\n\r\n.BDAT 2 LAST\r\n\r\n${again}BDAT 0 LAST\r\n`,
      '250 250 250 250 250 250 250 250 250',
      ['A: b\r\n\r\n.\r\n', ''],
    ],
    [
      'an empty last one',
      `${envelope}BDAT 6\r\nA: b\r\nBDAT 0 LAST\r\n`,
      '250 250 250 250 250',
      ['A: b\r\n'],
    ],
    [
      'an open last line, and closes it',
      `${envelope}BDAT 4 LAST\r\nA: b`,
      '250 250 250 250',
      ['A: b\r\n'],
    ],
    [
      'octets that look like commands as octets',
      `${envelope}BDAT 32 LAST\r\nMAIL FROM:<evil@b.example>\r\n.\r\n\r\nNOOP\r\n`.replace(
        '32',
        '33',
      ),
      '250 250 250 250 250',
      ['MAIL FROM:<evil@b.example>\r\n.\r\n\r\n'],
    ],
  ];

for (const [fact, text, codes, contents] of chunks) {
  void test(`takes ${fact}, however the bytes are cut`, () => {
    for (let size = 1; size <= text.length; size++) {
      const talk = new Talk();
      assert.equal(talk.codes(text, size), codes);
      assert.deepEqual(talk.contents, contents);
    }
  });
}

const evil = 'MAIL FROM:<evil@b.example>\r\n';
const refused: readonly (readonly [fact: string, text: string, codes: string])[] = [
  ['before MAIL', `EHLO x\r\nBDAT 28 LAST\r\n${evil}NOOP\r\n`, '250 503 250'],
  [
    'after refused recipients',
    `EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<no@d.example>\r\nBDAT 28\r\n${evil}BDAT 28 LAST\r\n${evil}NOOP\r\n`,
    '250 250 550 554 554 250',
  ],
  [
    'above the size limit, and the one in flight behind it',
    `${envelope}BDAT 101\r\n${'x'.repeat(101)}BDAT 28 LAST\r\n${evil}${again}BDAT 0 LAST\r\n`,
    '250 250 250 552 503 250 250 250',
  ],
  [
    'above the size limit together',
    `${envelope}BDAT 60\r\n${'x'.repeat(58)}\r\nBDAT 41 LAST\r\n${'x'.repeat(41)}NOOP\r\n`,
    '250 250 250 250 552 250',
  ],
  ['with a NUL', `${envelope}BDAT 3 LAST\r\n\0\r\n`, '250 250 250 550'],
  ['with a bare LF', `${envelope}BDAT 2 LAST\r\na\n`, '250 250 250 550'],
  [
    'with a bare CR at the seam',
    `${envelope}BDAT 2\r\na\rBDAT 3 LAST\r\nb\r\n`,
    '250 250 250 250 550',
  ],
  ['with a bare CR at the end', `${envelope}BDAT 2 LAST\r\na\r`, '250 250 250 550'],
  ['with a line too long', `${envelope}BDAT 61 LAST\r\n${'x'.repeat(61)}`, '250 250 250 550'],
  ['and then DATA', `${envelope}BDAT 3\r\na\r\nDATA\r\n`, '250 250 250 250 503'],
  ['and then RCPT', `${envelope}BDAT 3\r\na\r\nRCPT TO:<x@d.example>\r\n`, '250 250 250 250 503'],
  ['and then MAIL', `${envelope}BDAT 3\r\na\r\nMAIL FROM:<x@d.example>\r\n`, '250 250 250 250 503'],
  [
    'after the last one',
    `${envelope}BDAT 3 LAST\r\na\r\nBDAT 3 LAST\r\nb\r\n`,
    '250 250 250 250 503',
  ],
];

for (const [fact, text, codes] of refused) {
  void test(`refuses a chunk ${fact}, never reading its octets as commands`, () => {
    for (let size = 1; size <= text.length; size++) {
      const talk = new Talk();
      assert.equal(talk.codes(text, size), codes);
      const from = talk.events.flatMap((e) =>
        e.kind === 'mail' ? [e.reversePath?.localPart] : [],
      );
      assert.ok(!from.includes('evil'));
    }
  });
}

void test('answers a refusal of the content once the octets are consumed, and forgets the transaction', () => {
  const talk = new Talk();
  talk.onData = reply(452, '4.3.1', 'no memory');
  assert.equal(talk.codes(`${envelope}BDAT 28 LAST\r\n${evil.slice(0, 9)}`), '250 250 250');
  assert.equal(talk.codes(`${evil.slice(9)}NOOP\r\n`), '452 250');
  assert.equal(talk.kinds(), 'mail recipient data reset');
  assert.equal(talk.session.isInTransaction, false);
});

void test('closes at once where the driver says 421 to a chunk', () => {
  const talk = new Talk();
  talk.onData = reply(421, '4.3.2', 'going down');
  assert.equal(talk.codes(`${envelope}BDAT 28 LAST\r\n${evil}`), '250 250 250 421');
  assert.equal(talk.session.isClosed, true);
});

for (const line of ['BDAT x', 'BDAT 5 FIRST', 'BDAT 999999999 LAST', 'BDAT 9\n']) {
  void test(`closes at ${JSON.stringify(line)}: what follows could be anything`, () => {
    const talk = new Talk();
    assert.match(talk.codes(`${envelope}${line}\r\n${evil}`), /^250 250 250 5(?:00|01|52)$/);
    assert.equal(talk.session.isClosed, true);
    assert.equal(talk.kinds(), 'mail recipient');
  });
}

void test('tells the driver at RSET, EHLO and STARTTLS that a content begun by BDAT is over', () => {
  for (const [line, code] of [
    ['RSET', '250'],
    ['EHLO y', '250'],
    ['STARTTLS', '250'],
  ] as const) {
    const talk = new Talk();
    assert.equal(talk.codes(`${envelope}BDAT 3\r\na\r\n${line}\r\n`), `250 250 250 250 ${code}`);
    if (line === 'STARTTLS') talk.session.secured();
    talk.codes('NOOP\r\n');
    assert.match(talk.kinds(), /^mail recipient data (?:starttls )?reset$/);
  }
});

void test('counts empty chunks as commands', () => {
  assert.match(new Talk().codes(`${envelope}${'BDAT 0\r\n'.repeat(30)}`), / 421$/);
});

void test('counts recipients far beyond the limit as errors', () => {
  const talk = new Talk();
  const codes = talk.codes(`${envelope}${'RCPT TO:<c@d.example>\r\n'.repeat(1100)}`).split(' ');
  assert.equal(codes.filter((code) => code === '452').length, 1010);
  assert.equal(codes.at(-1), '421');
});

void test('hands on RET, ENVID, NOTIFY and ORCPT as they were asked', () => {
  const talk = new Talk();
  talk.codes('EHLO x\r\nMAIL FROM:<a@b.example> RET=HDRS ENVID=x+2Dy BODY=8BITMIME\r\n');
  talk.codes('RCPT TO:<c@d.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;e@f.example\r\n');
  talk.codes('RCPT TO:<c@d.example> NOTIFY=NEVER\r\nRCPT TO:<c@d.example>\r\n');
  const [mail, ...recipients] = talk.events;
  assert.deepEqual(mail?.kind === 'mail' && mail.parameters, {
    bodyType: '8bitmime',
    dsn: { ret: 'headers', envelopeId: 'x-y' },
  });
  assert.deepEqual(
    recipients.map((event) => event.kind === 'recipient' && event.request),
    [
      {
        notify: ['success', 'delay'],
        originalRecipient: { type: 'rfc822', text: 'e@f.example' },
      },
      { notify: [] },
      {},
    ],
  );
});

void test('takes UTF-8 addresses only where MAIL declared SMTPUTF8', () => {
  const talk = new Talk();
  assert.equal(talk.codes('EHLO x\r\nMAIL FROM:<ü@b.example>\r\n'), '250 553');
  assert.equal(talk.codes('MAIL FROM:<a@bücher.example>\r\n'), '553');
  assert.equal(talk.codes('MAIL FROM:<a@b.example>\r\nRCPT TO:<ü@d.example>\r\n'), '250 553');
  assert.equal(talk.codes('RCPT TO:<a@d.example> ORCPT=utf-8;ü@d.example\r\n'), '553');
  assert.equal(talk.codes('RSET\r\nMAIL FROM:<ü@bücher.example> SMTPUTF8\r\n', 1), '250 250');
  assert.equal(talk.codes('RCPT TO:<ö@d.example>\r\n', 1), '250');
  const mail = talk.events.at(-2)!;
  assert.deepEqual(mail.kind === 'mail' && [mail.reversePath, mail.parameters], [
    { localPart: 'ü', domain: 'xn--bcher-kva.example' },
    { bodyType: '7bit', smtpUtf8: true },
  ]);
  // The next transaction has to declare it anew.
  assert.equal(
    talk.codes('RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ö@d.example>\r\n'),
    '250 250 553',
  );
});

void test('refuses a command that is not UTF-8', () => {
  const talk = new Talk();
  talk.codes('EHLO x\r\n');
  const line = Buffer.concat([
    Buffer.from('MAIL FROM:<'),
    Buffer.from([0xfc]),
    Buffer.from('@b.example> SMTPUTF8\r\n'),
  ]);
  assert.equal(talk.codes(line), '500');
  assert.equal(talk.kinds(), '');
});

void test('normalizes bare line breaks of DATA and BDAT alike, ending only at CRLF.CRLF', () => {
  for (const trick of ['\n.\n', '\n.\r\n', '\r.\r', '\r.\r\n', '\r\n.\r']) {
    const text = `${envelope}DATA\r\nA: b\n\nx${trick}${evil}\r\n.\r\nNOOP\r\n`;
    for (let size = 1; size < text.length; size++) {
      const talk = new Talk({ bareLineBreaks: 'normalize' });
      assert.equal(talk.codes(text, size), '250 250 250 354 250 250');
      const [content = ''] = talk.contents;
      assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/);
      assert.ok(content.endsWith(`${evil}\r\n`));
      // A dot after a bare line break is the sender's own: it is not taken away.
      assert.equal(content.includes('\r\n.\r\n'), trick !== '\r\n.\r');
    }
  }
  const talk = new Talk({ bareLineBreaks: 'normalize' });
  assert.equal(talk.codes(`${envelope}BDAT 2\r\na\rBDAT 2 LAST\r\n.\n`), '250 250 250 250 250');
  assert.deepEqual(talk.contents, ['a\r\n.\r\n']);
});

void test('takes nothing from a NUL or a long line by normalizing', () => {
  const talk = new Talk({ bareLineBreaks: 'normalize' });
  assert.equal(talk.codes(`${envelope}DATA\r\na\0b\n\r\n.\r\n`), '250 250 250 354 550');
  assert.equal(talk.codes(`${again}DATA\r\n${'x'.repeat(70)}\n\r\n.\r\n`), '250 250 354 550');
});
