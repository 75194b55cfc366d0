/** The parts of the wire: command lines, replies, DSN parameters, content, AUTH, PROXY headers. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import type { Address } from '../../../src/mail/address.ts';
import { formatAddress } from '../../../src/mail/address.ts';
import { parseDomain } from '../../../src/mail/domain.ts';
import { parseCapabilities } from '../../../src/smtp/client-capabilities.ts';
import type { Command } from '../../../src/smtp/command.ts';
import { formatCommand, parseCommand } from '../../../src/smtp/command.ts';
import { ContentDecoder } from '../../../src/smtp/content-decoder.ts';
import type { BareLineBreaks } from '../../../src/smtp/content-lines.ts';
import { ContentReader } from '../../../src/smtp/content-reader.ts';
import { endingOf, stuffDots } from '../../../src/smtp/dot-stuffing.ts';
import {
  formatEnvelopeId,
  formatNotify,
  formatOriginalRecipient,
  parseEnvelopeId,
  parseNotify,
  parseOriginalRecipient,
} from '../../../src/smtp/dsn-parameters.ts';
import { crc32c, readProxyHeader } from '../../../src/smtp/proxy-header.ts';
import { formatReply, parseReply, ReplyReader, replyLinesMax } from '../../../src/smtp/reply.ts';
import { AuthExchange } from '../../../src/smtp/server-auth.ts';
import { hostName, joined, latin1, mailAddress, soup, utf8, word } from '../arbitraries.ts';
import { cutsOf } from '../cuts.ts';
import type { FuzzTarget } from '../target.ts';

const mailParameter = fc.oneof(
  joined('SIZE=', fc.nat().map(String)),
  fc.constantFrom('BODY=8BITMIME', 'body=7bit', 'BODY=x', 'SMTPUTF8', 'RET=HDRS', 'AUTH=<>'),
  joined('ENVID=', word('aZ9+2B=', 12)),
);
const rcptParameter = fc.oneof(
  fc.constantFrom('NOTIFY=NEVER', 'NOTIFY=SUCCESS,delay', 'NOTIFY=NEVER,DELAY', 'X=Y'),
  joined('ORCPT=rfc822;', word('aZ9@.+2B', 20)),
);
const commandLine = fc.oneof(
  joined('MAIL FROM:<', mailAddress, '> ', mailParameter, ' ', mailParameter),
  joined('MAIL FROM:', fc.constantFrom('', ' ', '  '), '<', mailAddress, '>'),
  joined('RCPT TO:<', mailAddress, '> ', rcptParameter, ' ', rcptParameter),
  joined(fc.constantFrom('EHLO ', 'helo ', 'EHLO  '), hostName),
  joined('AUTH ', word('PLAINLOGIN-', 6), ' ', word('abcXYZ09+/=', 20)),
  joined('BDAT ', fc.nat().map(String), fc.constantFrom('', ' LAST', ' last ', ' L')),
  joined(word('DATARSETQUITNOOP', 5), fc.constantFrom('', ' ', ' x')),
);

const commandTokens = [
  'MAIL FROM:<',
  'RCPT TO:<',
  '>',
  '<',
  '"',
  '\\',
  ' SIZE=',
  ' BODY=8BITMIME',
  ' SMTPUTF8',
  'BDAT 10 LAST',
  'EHLO ',
  'AUTH PLAIN ',
  '@a.test:',
  'Postmaster',
  '\r',
  '\n',
  '\0',
  '\t',
  '\xc2\xa0',
  ' ',
  '=',
];

interface SecondParser {
  _parseAddressCommand(name: string, line: string): false | { readonly address: string };
}

/** The address parser of another implementation. */
const second = createRequire(import.meta.url)('smtp-server/lib/smtp-connection.js') as {
  readonly SMTPConnection: { readonly prototype: SecondParser };
};
const strict = { _server: { options: { lenientAddressParsing: false } } };

/** Where smtp-server takes the same address command it reads the same mailbox. */
function compareAddress(name: string, line: string, ours: Address): void {
  const text = formatAddress(ours);
  // It shows A-labels as U-labels, also those that stand for nothing.
  const isPlain =
    !/["[]|xn--/.test(text + line) && /^[\x20-\x7e]*$/.test(line) && !line.includes('<@');
  if (!isPlain) return;
  const parser = Object.assign(
    Object.create(second.SMTPConnection.prototype) as SecondParser,
    strict,
  );
  const theirs = parser._parseAddressCommand(name, line);
  if (theirs === false) return;
  const at = theirs.address.lastIndexOf('@');
  const domain = parseDomain(theirs.address.slice(at + 1));
  assert.equal(`${theirs.address.slice(0, at)}@${domain}`, text, 'smtp-server reads the same');
}

function withoutLongOrcpt(parsed: ReturnType<typeof parseCommand>, written: string): object {
  if (parsed.kind !== 'rcpt' || / ORCPT=/.test(written)) return parsed;
  const { originalRecipient: _, ...request } = parsed.request;
  return { ...parsed, request };
}

const command: FuzzTarget = {
  name: 'command',
  files: ['src/smtp/command.ts'],
  structured: utf8(commandLine),
  tokens: commandTokens,
  sizeBytesMax: 14_000,
  parse: (input) => parseCommand(input.toString()),
  check(input) {
    const line = input.toString();
    const parsed = parseCommand(line);
    if ('reply' in parsed) {
      assert.ok(parsed.reply.code >= 500 && parsed.reply.code < 600);
      return parsed.reply.lines[0]!;
    }
    assert.doesNotMatch(line, /[\x00-\x1f\x7f]/, 'no control passes in a command');
    const written = formatCommand(parsed);
    assert.doesNotMatch(written, /[\x00-\x1f\x7f]/);
    // An ORCPT beyond ASCII is written in its ASCII form, or left out where that is too long.
    const again = {
      ...parseCommand(written),
      ...('hasUtf8' in parsed ? { hasUtf8: parsed.hasUtf8 } : {}),
    };
    assert.deepEqual(again, withoutLongOrcpt(parsed, written), 'is read back as it was written');
    if (parsed.kind === 'mail' && parsed.reversePath !== null) {
      compareAddress('MAIL FROM', line, parsed.reversePath);
    }
    if (parsed.kind === 'rcpt' && parsed.recipient !== null) {
      compareAddress('RCPT TO', line, parsed.recipient);
    }
    return `${parsed.kind} ${shapeOf(parsed)}`;
  },
};

function shapeOf(parsed: Command): string {
  if (parsed.kind === 'mail') {
    const { reversePath, sizeBytes, bodyType, smtpUtf8, dsn } = parsed;
    const kind = reversePath === null ? 'null' : pathKind(formatAddress(reversePath));
    return `${kind} ${sizeBytes === null} ${bodyType} ${smtpUtf8} ${dsn?.ret} ${dsn?.envelopeId === null}`;
  }
  if (parsed.kind !== 'rcpt') return '';
  const { recipient, request, hasUtf8 } = parsed;
  const kind = recipient === null ? 'postmaster' : pathKind(formatAddress(recipient));
  return `${kind} ${request.notify?.join()} ${request.originalRecipient !== undefined} ${hasUtf8}`;
}

function pathKind(text: string): string {
  const domain = text.slice(text.lastIndexOf('@') + 1);
  assert.ok(domain.startsWith('[') || parseDomain(domain) === domain);
  return `${text.startsWith('"') ? 'quoted' : 'atom'}${domain.startsWith('[') ? ' literal' : ''}`;
}

const replyLine = joined(
  fc.constantFrom('250', '220', '354', '421', '550', '4z0', '199', '600', '25'),
  fc.constantFrom(' ', '-', '', '_'),
  fc.constantFrom('', '2.0.0 ', '5.1.1 ', '4.7.0', '2.1.5'),
  fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom('SIZE 1000', 'STARTTLS', 'PIPELINING')),
  fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'),
);

const reply: FuzzTarget = {
  name: 'reply',
  files: ['src/smtp/reply.ts', 'src/smtp/client-capabilities.ts'],
  structured: utf8(fc.array(replyLine, { maxLength: 8 }).map((lines) => lines.join(''))),
  tokens: [
    '250 ',
    '250-',
    '421 4.7.0 ',
    '\r\n',
    '\n',
    '\r',
    '\0',
    '\x1b[',
    '5.1.1 ',
    'SIZE ',
    '\xe2\x80\xae',
  ],
  sizeBytesMax: 12_000,
  parse: (input) => new ReplyReader().feed(input),
  check(input) {
    const whole = new ReplyReader();
    const replies = whole.feed(input);
    for (const chunks of cutsOf(input)) {
      const reader = new ReplyReader();
      const found = chunks.flatMap((chunk) => reader.feed(chunk));
      assert.deepEqual(found, replies, 'the cut changes nothing');
      assert.equal(reader.problem, whole.problem);
      if (whole.problem === null) assert.equal(reader.hasPartial, whole.hasPartial);
    }
    for (const each of replies) {
      assert.ok(each.lines.length > 0 && each.lines.length <= replyLinesMax);
      assert.ok(each.code >= 200 && each.code < 600);
      for (const line of each.lines) {
        assert.ok(line.length <= 512);
        assert.doesNotMatch(line, /[\p{Cc}\u202a-\u202e]/u, 'text of a peer is sanitized');
      }
      const { sizeMax } = parseCapabilities(each);
      assert.ok(sizeMax === null || Number.isSafeInteger(sizeMax));
      checkRoundTrip(each);
    }
    const codes = replies
      .slice(0, 3)
      .map(({ code, status }) => `${Math.floor(code / 100)}${status === null ? '' : '+'}`);
    return `${codes.join()} ${whole.problem?.slice(0, 12) ?? (whole.hasPartial ? 'partial' : 'whole')}`;
  },
};

/** What is written is read back; lines of 480 are wrapped, and text beyond ASCII becomes `?`. */
function checkRoundTrip(given: NonNullable<ReturnType<typeof parseReply>>): void {
  const isPlain = given.lines.every((line) => line.length <= 480 && /^[\x20-\x7e]*$/.test(line));
  const written = formatReply(given);
  for (const line of written.split('\r\n').slice(0, -1)) assert.match(line, /^[\x20-\x7e]{3,510}$/);
  const again = parseReply(written);
  assert.ok(again !== null, 'what is written is one reply');
  assert.equal(again.code, given.code);
  // A text that itself looks like a status is one, once written in the first line.
  if (isPlain && given.status !== null) assert.deepEqual(again, given);
}

const dsnParameters: FuzzTarget = {
  name: 'dsn-parameters',
  files: ['src/smtp/dsn-parameters.ts'],
  structured: utf8(
    fc.oneof(
      joined('rfc822;', word('aZ9@.+2B=', 30)),
      joined('utf-8;', fc.string({ unit: 'binary', maxLength: 20 })),
      joined('utf-8;', word('a\\x{}0DF8@', 30)),
      fc
        .array(fc.constantFrom('SUCCESS', 'failure', 'Delay', 'NEVER', ''), { maxLength: 4 })
        .map((words) => words.join()),
      word('QQ+2B+0Aabc', 30),
    ),
  ),
  tokens: [
    ';',
    '+2B',
    '+0D+0A',
    '+',
    '=',
    ',',
    'NEVER',
    'utf-8;',
    '\\x{202E}',
    '\\x{D800}',
    '\xc3\xbc',
    '\xe2\x80\xae',
  ],
  sizeBytesMax: 1200,
  parse: (input) => [parseOriginalRecipient(input.toString()), parseEnvelopeId(input.toString())],
  check(input) {
    const text = input.toString();
    const original = parseOriginalRecipient(text);
    if (original !== null) {
      assert.doesNotMatch(original.text, /[\p{Cc}\u202a-\u202e]/u);
      const written = formatOriginalRecipient(original);
      assert.match(written, /^[!-~]+$/, 'goes through every server');
      if (written.length <= 500) assert.deepEqual(parseOriginalRecipient(written), original);
    }
    const id = parseEnvelopeId(text);
    if (id !== null && formatEnvelopeId(id).length <= 100) {
      assert.equal(parseEnvelopeId(formatEnvelopeId(id)), id);
    }
    const notify = parseNotify(text);
    if (notify !== null) assert.deepEqual(parseNotify(formatNotify(notify)), notify);
    const type = ['rfc822', 'utf-8', undefined].includes(original?.type) ? original?.type : 'other';
    return `${type} ${id === null} ${notify?.join()}`;
  },
};

const contentTokens = [
  '\r\n',
  '.',
  '\r',
  '\n',
  '\0',
  '\r\n.',
  '\r\n.\r\n',
  '\n.\n',
  '\r.\r',
  '\r\n..',
  'text',
  '\n.\r\n',
];

const content: FuzzTarget = {
  name: 'content',
  files: [
    'src/smtp/content-decoder.ts',
    'src/smtp/content-lines.ts',
    'src/smtp/content-reader.ts',
    'src/smtp/dot-stuffing.ts',
  ],
  structured: soup(contentTokens, 40),
  tokens: contentTokens,
  sizeBytesMax: 6000,
  parse: (input) => [readAll([input], 'refuse'), readAll([input], 'normalize')],
  check(input) {
    const refused = readAll([input], 'refuse');
    const normal = readAll([input], 'normalize');
    for (const chunks of cutsOf(input)) {
      assert.deepEqual(readAll(chunks, 'refuse'), refused, 'the cut changes nothing');
      assert.deepEqual(readAll(chunks, 'normalize'), normal, 'nor what is normalized');
    }
    // The end stands where RFC 5321 says, found here in another way.
    const text = `\r\n${input.toString('latin1')}`;
    const end = text.indexOf('\r\n.\r\n');
    assert.equal(refused.end, end === -1 ? -1 : end + 3, 'only CRLF.CRLF ends the content');
    assert.equal(normal.end, refused.end);
    if (end === -1) return `open ${input.includes('\r\n.')}`;
    assert.doesNotMatch(normal.text, /\r(?!\n)|(?<!\r)\n/, 'normalized lines end in CRLF');
    assert.ok(normal.text === '' || normal.text.endsWith('\r\n'));
    if (refused.problem === '') {
      const unstuffed = text
        .slice(0, end + 2)
        .replaceAll('\r\n.', '\r\n')
        .slice(2);
      assert.equal(refused.text, unstuffed, 'one dot of each line that begins with one is taken');
      assert.equal(normal.text, refused.text, 'sound content is left as it is');
      checkSentAgain(Buffer.from(refused.text, 'latin1'));
    }
    return `ended ${refused.problem}, ${normal.problem}`;
  },
};

interface ReadAll {
  readonly text: string;
  readonly end: number;
  readonly problem: string;
}

/** `text` where the content ended, else ''; `end` in octets of the input. */
function readAll(chunks: readonly Buffer[], bareLineBreaks: BareLineBreaks): ReadAll {
  const reader = new ContentReader({
    bareLineBreaks,
    lineBytesMax: 200,
    messageSizeBytesMax: 50_000,
  });
  const kept: Buffer[] = [];
  let at = 0;
  for (const chunk of chunks) {
    const { content: piece, taken, isEnd } = reader.readData(chunk);
    kept.push(Buffer.from(piece));
    at += taken;
    if (!isEnd) continue;
    const text = Buffer.concat(kept).toString('latin1');
    const problem = reader.problem?.lines[0] ?? '';
    // Of what is too large nothing is kept from then on.
    if (reader.problem?.code !== 552) assert.equal(text.length, reader.sizeBytes);
    return { text, end: at, problem };
  }
  return { text: '', end: -1, problem: '' };
}

/** What we send is taken for the same content by whoever reads by the RFC. */
function checkSentAgain(bytes: Buffer): void {
  const sent = Buffer.concat([stuffDots(bytes), endingOf(bytes)]);
  assert.equal(`\r\n${sent.toString('latin1')}`.indexOf('\r\n.\r\n') + 3, sent.length, 'one end');
  const { content: decoded, end } = new ContentDecoder().decode(sent);
  assert.equal(end, sent.length);
  const isWhole = bytes.length === 0 || bytes.subarray(-2).equals(Buffer.from('\r\n'));
  assert.ok(decoded.equals(isWhole ? bytes : Buffer.concat([bytes, Buffer.from('\r\n')])));
}

const base64Text = fc.oneof(
  fc
    .tuple(fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 }))
    .map((parts) => Buffer.from(parts.join('\0')).toString('base64')),
  fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array).toString('base64')),
);

const auth: FuzzTarget = {
  name: 'auth',
  files: ['src/smtp/server-auth.ts'],
  structured: latin1(fc.array(base64Text, { maxLength: 4 }).map((lines) => lines.join('\n'))),
  tokens: ['\n', '=', '*', 'AGEAYg==', 'AAAA', '====', '\0', '+/', ' ', '\r'],
  sizeBytesMax: 14_000,
  parse: (input) => exchange('PLAIN', input.toString('latin1').split('\n')),
  check(input) {
    const lines = input.toString('latin1').split('\n').slice(0, 6);
    return `${exchange('PLAIN', lines)} ${exchange('LOGIN', lines)} ${exchange('PLAIN', ['', ...lines])}`;
  },
};

/** The first line is the initial response; an empty one is none. */
function exchange(mechanism: 'PLAIN' | 'LOGIN', [initial, ...lines]: readonly string[]): string {
  const running = new AuthExchange(mechanism);
  let step = running.start(initial === '' || initial === undefined ? null : initial);
  for (const line of lines) {
    if (step.kind !== 'challenge') break;
    assert.equal(step.reply.code, 334);
    step = running.proceed(line);
  }
  if (step.kind === 'credentials') {
    assert.ok(step.username.length > 0 || mechanism === 'LOGIN');
    assert.ok(!step.username.includes('\0') && !step.password.includes('\0'));
    assert.ok(step.username.isWellFormed() && step.password.isWellFormed());
  }
  if (step.kind === 'refused') assert.ok(step.reply.code >= 500);
  return step.kind;
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A right header, then now and then a wrong octet by mutation. */
const proxyV2 = fc
  .record({
    command: fc.constantFrom(0x21, 0x20, 0x22, 0x11),
    family: fc.constantFrom(0x11, 0x21, 0x12, 0x31, 0x00),
    addresses: fc.uint8Array({ minLength: 36, maxLength: 36 }),
    tlvs: fc.array(fc.tuple(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 20 })), {
      maxLength: 3,
    }),
    hasChecksum: fc.boolean(),
    rest: fc.constantFrom('', 'EHLO a\r\n'),
  })
  .map(({ command: word, family, addresses, tlvs, hasChecksum, rest }) => {
    const parts = [Buffer.from(addresses).subarray(0, family === 0x11 ? 12 : 36)];
    for (const [type, value] of tlvs)
      parts.push(Buffer.from([type, 0, value.length]), Buffer.from(value));
    if (hasChecksum) parts.push(Buffer.from([3, 0, 4, 0, 0, 0, 0]));
    const body = Buffer.concat(parts);
    const header = Buffer.concat([
      signature,
      Buffer.from([word, family, body.length >> 8, body.length & 255]),
      body,
    ]);
    if (hasChecksum) header.writeUInt32BE(crc32c(header), header.length - 4);
    return Buffer.concat([header, Buffer.from(rest)]);
  });

const proxy: FuzzTarget = {
  name: 'proxy-header',
  files: ['src/smtp/proxy-header.ts'],
  structured: proxyV2,
  tokens: [
    '\r\n\r\n\0\r\nQUIT\n',
    '\x21\x11\x00\x0c',
    '\x21\x21\x00\x24',
    '\x20\x00\x00\x00',
    'PROXY TCP4 ',
    '\x03\x00\x04',
    '\xff\xff',
  ],
  sizeBytesMax: 9000,
  parse: (input) => readProxyHeader(input),
  check(input) {
    const whole = readProxyHeader(input);
    // A header that comes in pieces is the same header; what was refused stays so.
    for (const size of [1, 6, 12, 13, 15, 16, 17, 28, 51, input.length - 1]) {
      if (size < 0 || size > input.length) continue;
      const part = readProxyHeader(input.subarray(0, size));
      if (part.kind === 'refused') assert.equal(whole.kind, 'refused');
      else if (part.kind !== 'incomplete') assert.deepEqual(part, whole);
    }
    if (whole.kind === 'refused') return whole.reason.replace(/\d+/g, '0');
    if (whole.kind === 'incomplete') return 'incomplete';
    assert.ok(whole.sizeBytes >= 16 && whole.sizeBytes <= input.length);
    assert.equal(whole.sizeBytes, 16 + input.readUInt16BE(14));
    // Not a byte of what follows belongs to it.
    assert.deepEqual(readProxyHeader(input.subarray(0, whole.sizeBytes)), whole);
    if (whole.kind === 'local') return 'local';
    assert.match(whole.address, /^[0-9a-f.:]+$/);
    assert.ok(
      whole.port >= 0 && whole.port <= 65_535 && !/^::ffff:[^:]*(?::[^:]*)?$/.test(whole.address),
    );
    return `proxied ${whole.address.includes(':') ? 'IPv6' : 'IPv4'}`;
  },
};

export const smtpTargets: readonly FuzzTarget[] = [
  command,
  reply,
  dsnParameters,
  content,
  auth,
  proxy,
];
