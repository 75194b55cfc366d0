/** Whole sessions of the server, fed with any octets in any pieces, and content in BDAT chunks. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Reply } from '../../../src/mail/reply.ts';
import { reply } from '../../../src/mail/reply.ts';
import type { ServerEvent, ServerSessionOptions } from '../../../src/smtp/server-event.ts';
import { ServerSession } from '../../../src/smtp/server-session.ts';
import { joined, latin1, mailAddress, word } from '../arbitraries.ts';
import { cutsOf, pieces } from '../cuts.ts';
import type { FuzzTarget } from '../target.ts';

const defaults: ServerSessionOptions = {
  hostName: 'mx.example.test',
  isUnderTls: false,
  offersStartTls: true,
  offersAuth: true,
  messageSizeBytesMax: 2000,
  lineBytesMax: 200,
  bareLineBreaks: 'refuse',
  recipientsMax: 3,
  errorsMax: 10,
  commandsMax: 60,
};

/** Accepts everything but local-parts, passwords and contents that say no. */
function decide(event: ServerEvent): Reply | null {
  switch (event.kind) {
    case 'starttls':
      return reply(220, '2.0.0', 'go on');
    case 'auth':
      return event.password === 'no' ? reply(535, '5.7.8', 'no') : reply(235, '2.7.0', 'welcome');
    case 'mail':
      return event.reversePath?.localPart === 'no' ? reply(550, '5.7.1', 'no') : ok;
    case 'recipient':
      return event.recipient?.localPart === 'no' ? reply(550, '5.1.1', 'no') : ok;
    case 'data':
      return reply(354, null, 'go on');
    case 'content-end':
      return event.problem ?? ok;
    case 'content':
    case 'reset':
      return null;
  }
}

const ok = reply(250, '2.0.0', 'ok');

/** What a session did with a stream of bytes. */
class Talk {
  readonly session: ServerSession;
  readonly events: string[] = [];
  readonly contents: Buffer[] = [];
  output = '';
  #content: Buffer[] = [];
  #contentBytes = 0;

  constructor(options: Partial<ServerSessionOptions>) {
    this.session = new ServerSession({ ...defaults, ...options });
    this.session.greet();
    this.output = this.session.takeOutput().toString('utf8');
  }

  feed(bytes: Buffer): void {
    this.session.feed(bytes);
    for (let event = this.session.next(); event !== null; event = this.session.next()) {
      this.#note(event);
      const answer = decide(event);
      if (answer !== null) this.session.answer(answer);
      if (event.kind === 'starttls') this.#secure();
    }
    this.output += this.session.takeOutput().toString('utf8');
    assert.ok(this.session.bufferedBytes <= 12_288 + bytes.length, 'what waits is bounded');
  }

  /** Whatever somebody puts between the 220 and the handshake is forgotten. */
  #secure(): void {
    assert.equal(this.session.bufferedBytes, 0, 'nothing lies behind STARTTLS');
    this.session.feed(Buffer.from('EHLO injected\r\nMAIL FROM:<injected@a.test>\r\n'));
    assert.equal(this.session.next(), null, 'nothing is read before the handshake');
    this.session.secured();
    assert.equal(this.session.heloName, null);
    assert.equal(this.session.bufferedBytes, 0, 'nothing leaks into TLS');
    assert.equal(this.session.isInTransaction, false);
  }

  #note(event: ServerEvent): void {
    if (event.kind === 'content') {
      this.#content.push(Buffer.from(event.bytes));
      this.#contentBytes += event.bytes.length;
      assert.ok(this.#contentBytes <= 2 * defaults.messageSizeBytesMax, 'content is bounded');
      return;
    }
    if (event.kind === 'content-end') {
      const whole = Buffer.concat(this.#content);
      if (event.problem === null) assert.equal(whole.length, event.sizeBytes);
      this.contents.push(whole);
      const outcome = event.problem === null ? whole.toString('latin1') : '';
      this.events.push(event.problem === null ? `content-end ${outcome}` : 'content-refused');
    } else {
      this.events.push(JSON.stringify(event));
    }
    if (event.kind === 'reset' || event.kind === 'content-end') {
      this.#content = [];
      this.#contentBytes = 0;
    }
    assert.ok(!JSON.stringify(event).includes('injected'), 'injected text is never acted on');
  }
}

function talk(chunks: readonly Buffer[], options: Partial<ServerSessionOptions>): Talk {
  const running = new Talk(options);
  for (const chunk of chunks) running.feed(chunk);
  return running;
}

/** The codes of whole replies; throws where the output is none. */
function repliesOf(output: string): string[] {
  assert.ok(output.endsWith('\r\n'), 'output is whole lines');
  const codes: string[] = [];
  let open = '';
  for (const line of output.slice(0, -2).split('\r\n')) {
    const match = /^([2-5]\d\d)([ -])[\x20-\x7e\u0080-\u{10ffff}]*$/u.exec(line);
    assert.ok(match !== null && line.length <= 510, 'each line is one of a reply');
    assert.ok(open === '' || open === match[1], 'a reply has one code');
    open = match[2] === '-' ? match[1]! : '';
    if (open === '') codes.push(match[1]!);
  }
  assert.equal(open, '', 'the last reply is whole');
  return codes;
}

const aLine = (text: fc.Arbitrary<string> | string): fc.Arbitrary<string> => joined(text, '\r\n');
const body = joined(
  fc.constantFrom('', 'Subject: x\r\n\r\n', '.\r\n', '..\r\n', 'a\nb', 'a\rb', 'a\0'),
  word('abc .\r\n', 60),
);
const anyCommand = fc.oneof(
  aLine(joined(fc.constantFrom('EHLO ', 'HELO '), word('abc.', 5))),
  aLine(joined('MAIL FROM:<', mailAddress, fc.constantFrom('>', '> SMTPUTF8', '> SIZE=1', '>x'))),
  aLine(joined('RCPT TO:<', mailAddress, '>')),
  aLine(
    fc.constantFrom('RCPT TO:<no@a.test>', 'MAIL FROM:<>', 'MAIL FROM:<a@b.test> BODY=8BITMIME'),
  ),
  joined('DATA\r\n', body, fc.constantFrom('\r\n.\r\n', '\n.\n', '')),
  body.map((text) => `BDAT ${text.length} LAST\r\n${text}`),
  body.map((text) => `BDAT ${text.length}\r\n${text}`),
  aLine(fc.constantFrom('RSET', 'NOOP', 'QUIT', 'STARTTLS', 'VRFY a', 'EXPN a', 'HELP', 'BDAT x')),
  aLine(fc.constantFrom('AUTH PLAIN AGEAYg==', 'AUTH LOGIN', 'AUTH PLAIN', '*', 'AGEAYg==')),
  fc.string({ maxLength: 20 }),
);
const transaction = 'EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n';
const dialogue = joined(
  fc.constantFrom('', 'T', 'N'),
  fc.constantFrom('', 'EHLO a\r\n', transaction),
  fc.array(anyCommand, { maxLength: 8 }).map((commands) => commands.join('')),
);

const sessionTokens = [
  '\r\n',
  '\n',
  '\r',
  '.\r\n',
  '\r\n.\r\n',
  '\n.\n',
  '\r\n.\n',
  'EHLO a\r\n',
  'MAIL FROM:<a@b.test>\r\n',
  'RCPT TO:<c@d.test>\r\n',
  'DATA\r\n',
  'BDAT 4\r\nabcd',
  'BDAT 0 LAST\r\n',
  'BDAT 2147483648\r\n',
  'RSET\r\n',
  'STARTTLS\r\n',
  'AUTH LOGIN\r\n',
  'QUIT\r\n',
  '\0',
];

/** Places where what has already arrived decides: the cut may then change the end of a session. */
const dependsOnCut =
  /^(?:421 4\.5\.0|554 5\.5\.1 text after|552 5\.3\.4|500 5\.5\.2 command line too)/m;

const serverSession: FuzzTarget = {
  name: 'server-session',
  files: [
    'src/smtp/server-session.ts',
    'src/smtp/server-dialogue.ts',
    'src/smtp/server-input.ts',
    'src/smtp/server-content.ts',
    'src/smtp/content-reader.ts',
  ],
  structured: latin1(dialogue),
  tokens: sessionTokens,
  sizeBytesMax: 20_000,
  parse: (input) => talk(pieces(input, 1460), optionsOf(input)),
  check(input) {
    // The first octet chooses the listener.
    const options = optionsOf(input);
    const stream = /^[TN]/.test(input.toString('latin1', 0, 1)) ? input.subarray(1) : input;
    const whole = talk(pieces(stream, 65_536), options);
    const codes = repliesOf(whole.output);
    checkCount(codes, stream);
    for (const chunks of cutsOf(stream)) {
      const cut = talk(chunks, options);
      checkCount(repliesOf(cut.output), stream);
      if (dependsOnCut.test(whole.output) || dependsOnCut.test(cut.output)) continue;
      assert.equal(cut.output, whole.output, 'the cut changes no reply');
      assert.deepEqual(cut.events, whole.events, 'and no event');
    }
    if (options.bareLineBreaks === 'refuse') {
      for (const content of whole.contents) checkKept(content, whole);
    }
    return `${codes.slice(1, 5).join()} ${codes.at(-1)} ${whole.contents.length} ${whole.session.isClosed}`;
  },
};

function optionsOf(input: Buffer): Partial<ServerSessionOptions> {
  const first = input.toString('latin1', 0, 1);
  if (first === 'T') return { isUnderTls: true };
  return first === 'N' ? { bareLineBreaks: 'normalize' } : {};
}

/**
 * One greeting, at most one final reply to a line or a chunk, and perhaps a last word: so never more
 * than lines and chunks, and a bounded number of octets for each.
 */
function checkCount(codes: readonly string[], stream: Buffer): void {
  const text = stream.toString('latin1');
  const lines = text.split('\n').length;
  const chunks = text.split(/BDAT/i).length - 1;
  const ends = text.split('\r\n.\r\n').length;
  assert.ok(codes.length <= 2 + lines + chunks + ends, `${codes.length} replies`);
  const closing = codes.filter((code) => code === '421' || code === '221').length;
  assert.ok(closing <= 1, 'a session is closed once');
}

/** Content that was taken has only CRLF and no NUL: no second server can see two messages in it. */
function checkKept(content: Buffer, { events }: Talk): void {
  if (!events.includes(`content-end ${content.toString('latin1')}`)) return;
  assert.doesNotMatch(content.toString('latin1'), /\r(?!\n)|(?<!\r)\n|\0/);
}

const chunkedContent: FuzzTarget = {
  name: 'bdat',
  files: ['src/smtp/server-session.ts', 'src/smtp/server-content.ts', 'src/smtp/content-reader.ts'],
  structured: latin1(fc.oneof(body, dialogue, joined(body, '\r\n', body, '\r\n'))),
  tokens: [...sessionTokens, 'QUIT', 'BDAT 1 LAST\r\n'],
  sizeBytesMax: 1900,
  parse: (input) => talk(pieces(input, 1460), {}),
  check(input) {
    // The input is the content; cut into chunks, each announced. Nothing in it is a command.
    for (const [place, chunks] of [[input], ...cutsOf(input)].entries()) {
      const stream = Buffer.concat([
        Buffer.from(transaction),
        ...chunks.map((chunk, i) => announce(chunk, i === chunks.length - 1)),
        Buffer.from('NOOP\r\nQUIT\r\n'),
      ]);
      if (chunks.length > 40) continue;
      const running = talk(pieces(stream, 7 + 11 * place), {
        commandsMax: 1000,
        lineBytesMax: 4000,
      });
      const codes = repliesOf(running.output);
      assert.equal(codes.length, 1 + 3 + chunks.length + 2, 'one reply for each chunk');
      assert.deepEqual(codes.slice(-2), ['250', '221'], 'what follows are commands again');
      assert.deepEqual(
        running.events.map((event) => event.split(/[ "]/)[3] ?? event.split(' ')[0]).slice(0, 3),
        ['mail', 'recipient', 'data'],
      );
      assert.equal(running.contents.length, 1, 'one content');
      const text = input.toString('latin1');
      const isBroken = /\r(?!\n)|(?<!\r)\n|\0/.test(text);
      assert.equal(running.events.at(-1) === 'content-refused', isBroken, 'is refused');
      if (isBroken) continue;
      const isEnded = text === '' || text.endsWith('\r\n');
      assert.equal(running.contents[0]!.toString('latin1'), isEnded ? text : `${text}\r\n`);
    }
    return `${input.includes('\r\n.\r\n')} ${/\r(?!\n)|(?<!\r)\n/.test(input.toString('latin1'))}`;
  },
};

function announce(chunk: Buffer, isLast: boolean): Buffer {
  return Buffer.concat([Buffer.from(`BDAT ${chunk.length}${isLast ? ' LAST' : ''}\r\n`), chunk]);
}

export const serverTargets: readonly FuzzTarget[] = [serverSession, chunkedContent];
