/** What stands in messages: header blocks and their edits, address lists, dates, delivery reports. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { HopLimits } from '../../../src/content/arriving-header.ts';
import { findHeaderFault, readArrivingHeader } from '../../../src/content/arriving-header.ts';
import { headerEnd, parseHeaderBlock } from '../../../src/content/header-block.ts';
import { readHeaderFacts } from '../../../src/content/header-facts.ts';
import { strangersFamilies, submittersFamilies } from '../../../src/content/header-firewall.ts';
import { formatAddress } from '../../../src/mail/address.ts';
import {
  formatDeliveryStatus,
  parseDeliveryStatus,
} from '../../../src/standards/dsn/delivery-status.ts';
import { formatUtf8Address, parseUtf8Address } from '../../../src/standards/dsn/utf8-address.ts';
import { formatXtext, parseXtext } from '../../../src/standards/dsn/xtext.ts';
import {
  addressesMax,
  parseAddressList,
} from '../../../src/standards/message-format/address-list.ts';
import { parseAuthservId } from '../../../src/standards/message-format/authserv-id.ts';
import { formatDateTime, parseDateTime } from '../../../src/standards/message-format/date-time.ts';
import {
  headerFieldsMax,
  scanHeaderFields,
} from '../../../src/standards/message-format/header-fields.ts';
import { formatQuotedPrintable } from '../../../src/standards/message-format/quoted-printable.ts';
import { atom, joined, latin1, mailAddress, utf8, word } from '../arbitraries.ts';
import type { FuzzTarget } from '../target.ts';

const host = 'mx.example.test';
const limits: HopLimits = { hopsMax: 50, ownHopsMax: 5 };

const fieldName = fc.constantFrom(
  'From',
  'FROM ',
  'To',
  'Subject',
  'Date',
  'Message-ID',
  'Received',
  'Bcc',
  'Return-Path',
  'X-MS-Exchange-Organization-SCL',
  'x-originatororg',
  'X-Postern-Evidence',
  'Authentication-Results',
  '\xef\xbb\xbfX-OriginatorOrg',
  'X-Originator\r\n Org',
);
const fieldValue = fc.oneof(
  mailAddress,
  fc.constantFrom(
    `${host}; spf=pass`,
    ` (x) "${host}" 1; dkim=pass`,
    `from a by ${host} (Postern) with ESMTPS id X; now`,
    '<a@b.test>',
    'Sun, 22 Nov 2026 03:53:43 +0000',
    '=?utf-8?q?x?=',
  ),
  fc.string({ maxLength: 40 }),
);
const fold = fc.constantFrom('', '', '\r\n ', '\r\n\t', '\n', '\r\n \r\n ');
const header = fc
  .tuple(
    fc.array(
      joined(fieldName, fc.constantFrom(':', ': ', ' :', ':\t', ''), fold, fieldValue, fold),
      {
        maxLength: 10,
      },
    ),
    fc.constantFrom('\r\n', '\r\n', '\n', '\r\n\r\n'),
    fc.constantFrom('\r\n\r\n', '\r\n', ''),
  )
  .map(([fields, end, last]) => fields.join(end) + last);

const headerTokens = [
  '\r\n',
  '\r\n ',
  '\n',
  '\r',
  '\0',
  ':',
  'From: a@b.test',
  'X-OriginatorOrg: x',
  'Authentication-Results: mx.example.test; spf=pass',
  'Received: by mx.example.test (Postern) with SMTP',
  'Return-Path:',
  '\xef\xbb\xbf',
  '(',
  '"',
  '<',
  '\t',
];

const headerBlock: FuzzTarget = {
  name: 'header-block',
  files: [
    'src/content/header-block.ts',
    'src/content/header-facts.ts',
    'src/content/header-firewall.ts',
    'src/content/arriving-header.ts',
    'src/content/received.ts',
    'src/standards/message-format/header-fields.ts',
  ],
  structured: latin1(header),
  tokens: headerTokens,
  sizeBytesMax: 20_000,
  parse: (input) =>
    readArrivingHeader(input, { hostName: host, forbids: submittersFamilies }, null),
  check(input) {
    checkScan(input);
    const rules = { hostName: host, forbids: strangersFamilies };
    const arrived = readArrivingHeader(input, rules, null);
    const kept = Buffer.concat(arrived.pieces);
    assert.ok(kept.length <= input.length, 'nothing is added for strangers');
    // What was taken out must not uncover anything: a second pass finds nothing more.
    const again = readArrivingHeader(kept, rules, null);
    if (!arrived.problems.includes('too-many-fields')) {
      assert.equal(again.changes, null, 'one pass removes all');
    }
    assert.ok(arrived.ownReceivedCount <= arrived.facts.receivedCount);
    checkSubmission(input);
    const fault = findHeaderFault(arrived, limits);
    return [
      fault?.code ?? 'passes',
      arrived.facts.from.kind,
      arrived.facts.fromProblem ?? '',
      Object.keys(arrived.changes?.removed ?? {}).join(),
      arrived.problems.toSorted().join(),
    ].join(' ');
  },
};

/** Spans are in order and within the block, and every field's bytes are those of the input. */
function checkScan(input: Buffer): void {
  const text = input.toString('latin1');
  const scan = scanHeaderFields(text);
  const spans = [...scan.fields, ...scan.malformed].sort((a, b) => a.start - b.start);
  assert.ok(spans.length <= headerFieldsMax);
  let end = 0;
  for (const span of spans) {
    assert.ok(span.start === end && span.end > span.start && span.end <= text.length, 'no gaps');
    end = span.end;
  }
  const block = parseHeaderBlock(input);
  assert.equal(block.fields.length, scan.fields.length);
  for (const { raw, name } of block.fields) {
    assert.ok(raw.toString('latin1').startsWith(name));
    assert.doesNotMatch(name, /[^!-9;-~]/);
  }
  const { messageId, subject } = readHeaderFacts(input);
  for (const shown of [messageId, subject]) assert.ok((shown ?? '').length <= 512);
  const ending = headerEnd(input);
  assert.ok(ending <= input.length);
  if (ending < input.length) assert.equal(input.toString('latin1', ending - 2, ending), '\r\n');
}

/** A submission never keeps Bcc, and has Date and Message-ID afterwards. */
function checkSubmission(input: Buffer): void {
  const arrived = readArrivingHeader(
    input,
    { hostName: host, forbids: submittersFamilies },
    { id: 'X', hostName: host, author: { localPart: 'a', domain: 'b.test' }, atMs: 0 },
  );
  if (arrived.problems.length > 0) return;
  const names = parseHeaderBlock(Buffer.concat(arrived.pieces)).fields.map(({ name }) =>
    name.toLowerCase(),
  );
  assert.ok(!names.includes('bcc') && !names.includes('return-path'));
  for (const name of ['date', 'message-id', 'from']) assert.ok(names.includes(name), name);
}

const listText = fc
  .array(
    fc.oneof(
      mailAddress,
      joined(atom, ' <', mailAddress, '>'),
      joined('"', atom, '" (c(d)) <', mailAddress, '>'),
      joined('group: ', mailAddress, ', ', mailAddress, ';'),
      joined('<@a.test,@b.test:', mailAddress, '>'),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.join(', '));

const addressList: FuzzTarget = {
  name: 'address-list',
  files: ['src/standards/message-format/address-list.ts'],
  structured: latin1(listText),
  tokens: [
    '<',
    '>',
    ',',
    ':',
    ';',
    '@',
    '"',
    '\\',
    '(',
    ')',
    '[',
    ']',
    ' ',
    'a@b.test',
    '=?',
    '\0',
  ],
  sizeBytesMax: 18_000,
  parse: (input) => parseAddressList(input.toString('latin1')),
  check(input) {
    const text = input.toString('latin1');
    const list = parseAddressList(text);
    if (list.kind === 'unparsable') return list.reason;
    assert.ok(list.addresses.length > 0 && list.addresses.length <= addressesMax);
    const written = list.addresses.map(formatAddress).join(', ');
    assert.deepEqual(parseAddressList(written), list, 'is read back as it was written');
    // Nothing but a domain's case is invented: each local-part stands in the text.
    for (const { localPart } of list.addresses) {
      const quoted = localPart.replace(/["\\]/g, '\\$&');
      const isThere = text.includes(localPart) || text.includes(quoted) || /\\/.test(text);
      assert.ok(isThere, 'a local-part comes from the text');
    }
    return `${Math.min(3, list.addresses.length)} addresses`;
  },
};

const fieldValues: FuzzTarget = {
  name: 'field-values',
  files: [
    'src/standards/message-format/date-time.ts',
    'src/standards/message-format/authserv-id.ts',
    'src/standards/message-format/quoted-printable.ts',
  ],
  structured: utf8(
    fc.oneof(
      fc.integer({ min: -2_000_000_000, max: 4_000_000_000 }).map((s) => formatDateTime(s * 1000)),
      joined('(', atom, ') ', hostOrQuoted(), ' 1; spf=pass'),
      fc.string({ unit: 'binary', maxLength: 200 }),
    ),
  ),
  tokens: ['(', ')', '"', '\\', '; ', 'Mon, ', ' Jan ', '+0000', '-9999', ':60', '\r\n', '=', ' '],
  sizeBytesMax: 9000,
  parse(input) {
    const text = input.toString();
    return [parseDateTime(text), parseAuthservId(text), formatQuotedPrintable(text)];
  },
  check(input) {
    const text = input.toString();
    const at = parseDateTime(text);
    if (at !== null) {
      assert.ok(Number.isSafeInteger(at));
      assert.equal(parseDateTime(formatDateTime(at)), at, 'a date is read back');
    }
    const id = parseAuthservId(text);
    if (id !== null) assert.ok(id.length > 0 && id.length <= text.length);
    checkQuotedPrintable(text);
    return `${at === null ? 'no date' : 'date'}, ${id === null ? 'no id' : 'id'}`;
  },
};

function hostOrQuoted(): fc.Arbitrary<string> {
  return fc.oneof(fc.constant(host), fc.constant(`"${host}"`), word('abc.\\"', 12));
}

/** Lines that every server takes, and a plain decoder of RFC 2045 gives the text back. */
function checkQuotedPrintable(text: string): void {
  const written = formatQuotedPrintable(text);
  for (const line of written.split('\r\n')) assert.match(line, /^[\t -~]{0,76}$/);
  const octets = written
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  assert.equal(Buffer.from(octets, 'latin1').toString(), Buffer.from(text).toString());
}

const statusField = fc.oneof(
  joined('Reporting-MTA: dns; ', word('abc.', 10)),
  joined('Final-Recipient: rfc822; ', mailAddress),
  joined('Original-Recipient: rfc822;', mailAddress),
  joined('Action: ', fc.constantFrom('failed', 'DELAYED', 'delivered', 'relayed', 'expanded', 'x')),
  joined('Status: ', fc.constantFrom('5.1.1', '4.4.7', '2.0.0', '9.9.9', '5.1')),
  joined('Arrival-Date: ', fc.constantFrom('Sun, 22 Nov 2026 03:53:43 +0000', 'never')),
  joined('Diagnostic-Code: smtp; 550 ', fc.string({ maxLength: 20 })),
  fc.constant(
    'Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; b\r\nAction: failed\r\nStatus: 5.0.0',
  ),
);

const deliveryStatus: FuzzTarget = {
  name: 'delivery-status',
  files: ['src/standards/dsn/delivery-status.ts', 'src/standards/dsn/field-blocks.ts'],
  structured: latin1(
    fc
      .array(joined(statusField, fc.constantFrom('\r\n', '\r\n', '\r\n\r\n', '\r\n ')), {
        maxLength: 14,
      })
      .map((lines) => lines.join('')),
  ),
  tokens: [
    '\r\n',
    '\r\n\r\n',
    ':',
    ';',
    'Action: failed',
    'Status: 5.1.1',
    'X-A: b',
    ' ',
    '\t',
    '\n',
    '\0',
  ],
  sizeBytesMax: 20_000,
  parse: (input) => parseDeliveryStatus(input.toString('latin1')),
  check(input) {
    const status = parseDeliveryStatus(input.toString('latin1'));
    if (status === null) return 'none';
    assert.ok(status.recipients.length > 0);
    const written = formatDeliveryStatus(status);
    assert.match(written, /^(?:[\x20-\x7e]{0,998}\r\n)*$/, 'is printable lines');
    // Once in canonical form (ASCII, times in seconds) it stays what it is.
    const canonical = parseDeliveryStatus(written);
    // A word that no line can hold is cut, as is documented: then it is another text.
    if (canonical === null || /\S{850}/.test(written)) return 'not canonical';
    assert.equal(formatDeliveryStatus(canonical), written);
    return `${Math.min(4, status.recipients.length)} recipients`;
  },
};

const xtext: FuzzTarget = {
  name: 'xtext',
  files: ['src/standards/dsn/xtext.ts', 'src/standards/dsn/utf8-address.ts'],
  structured: latin1(
    fc.oneof(
      fc
        .uint8Array({ maxLength: 60 })
        .map((array) => formatXtext(Buffer.from(array).toString('latin1'))),
      fc.string({ unit: 'binary', maxLength: 40 }).map(formatUtf8Address),
      fc.string({ maxLength: 40 }),
    ),
  ),
  tokens: [
    '+',
    '+2B',
    '+2b',
    '=',
    '\\x{',
    '}',
    '\\x{D800}',
    '\\x{10FFFF}',
    '\\x{110000}',
    ' ',
    '\xfc',
  ],
  sizeBytesMax: 1000,
  parse: (input) => [parseXtext(input.toString('latin1')), parseUtf8Address(input.toString())],
  check(input) {
    const octets = input.toString('latin1');
    assert.equal(parseXtext(formatXtext(octets)), octets, 'all octets can be written');
    const decoded = parseXtext(octets);
    if (decoded !== null) {
      assert.match(octets, /^[!-~]*$/);
      assert.equal(parseXtext(formatXtext(decoded)), decoded);
    }
    const text = input.toString();
    assert.equal(parseUtf8Address(formatUtf8Address(text)), text, 'all text can be written');
    const utf8Address = parseUtf8Address(text);
    if (utf8Address !== null) assert.ok(utf8Address.isWellFormed());
    return `${decoded === null ? 'no' : 'some'} xtext, ${utf8Address === null ? 'no' : 'some'} utf-8`;
  },
};

export const messageTargets: readonly FuzzTarget[] = [
  headerBlock,
  addressList,
  fieldValues,
  deliveryStatus,
  xtext,
];
