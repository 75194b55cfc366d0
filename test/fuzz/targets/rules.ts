/** What mail-flow rules read: contents with their parts and names, header edits, patterns. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { sourceOfBytes } from '../../../src/content/byte-source.ts';
import { editHeader } from '../../../src/content/edit-header.ts';
import { headerEnd } from '../../../src/content/header-block.ts';
import { readFacts } from '../../../src/content/message-facts.ts';
import { readRuleHeader } from '../../../src/content/read-rule-header.ts';
import { compilePattern } from '../../../src/policy/rules/pattern.ts';
import { splitWords } from '../../../src/policy/rules/words.ts';
import { joined, latin1, utf8, word } from '../arbitraries.ts';
import type { FuzzTarget } from '../target.ts';

const type = fc.constantFrom(
  'text/plain',
  'text/html; charset=utf-16',
  'text/html; charset="iso-8859-1"',
  'multipart/mixed; boundary=b1',
  'multipart/alternative; boundary="b2"',
  'multipart/digest; boundary=b1',
  'message/rfc822',
  "application/pdf; name*0*=utf-8''a%C3; name*1*=%A4.pdf",
  'text',
);
const encoding = fc.constantFrom('7bit', 'base64', 'quoted-printable', 'x-uuencode');
const partHeader = joined(
  'Content-Type: ',
  type,
  fc.constantFrom('\r\n', '\r\n '),
  fc.constantFrom('', 'Content-Disposition: attachment; filename="=?utf-8?q?=C3=A4?="\r\n'),
  fc.oneof(fc.constant(''), joined('Content-Transfer-Encoding: ', encoding, '\r\n')),
  '\r\n',
);
const body = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.constantFrom('<p>a<b>b</b>&auml;&#x41;</p>', 'Gr=F6=\r\n=DFe', 'R3LDtsOfZQ==', '<!-- x'),
);
const delimiter = fc.constantFrom(
  '\r\n--b1\r\n',
  '\r\n--b1--\r\n',
  '\r\n--b2\r\n',
  '\r\n--b2--\r\n',
);
const content = fc
  .array(joined(partHeader, body, delimiter), { maxLength: 8 })
  .map((parts) => parts.join(''));

const bounds = { headerBytesMax: 4096, textBytesMax: 500, partsMax: 12, depthMax: 4 };

const messageFacts: FuzzTarget = {
  name: 'message-facts',
  files: [
    'src/content/message-facts.ts',
    'src/content/mime-fields.ts',
    'src/content/encoded-words.ts',
    'src/content/charset.ts',
    'src/content/html-text.ts',
    'src/content/edit-header.ts',
  ],
  structured: latin1(content),
  tokens: [
    '--b1\r\n',
    '--b1--\r\n',
    '--b2\r\n',
    '\r\n',
    '\r\n\r\n',
    'Content-Type: ',
    'multipart/mixed; boundary=b1',
    'message/rfc822',
    '; boundary=',
    '; filename*1*=%',
    '=?utf-8?q?',
    '?=',
    '=',
    '<',
    '<script>',
    '<!--',
    '&#',
    '"',
    '(',
    '\\',
    '\n--',
    '\0',
  ],
  sizeBytesMax: 20_000,
  parse(input) {
    const facts = readFacts(sourceOfBytes(input), {
      headerBytesMax: 1 << 20,
      textBytesMax: 1 << 20,
      partsMax: 250,
      depthMax: 30,
      isLate: () => false,
    });
    return [facts, facts.texts.map(splitWords)];
  },
  check(input) {
    const facts = readFacts(sourceOfBytes(input), { ...bounds, isLate: () => false });
    assert.ok(facts.attachments.length <= bounds.partsMax);
    const size = facts.texts.reduce((sum, text) => sum + text.length, 0);
    assert.ok(size <= 3 * bounds.textBytesMax, 'texts are bounded');
    for (const { names } of facts.attachments) {
      assert.ok(names.length <= 8 && names.every((name) => name.length <= 1000));
    }
    checkEdits(input);
    return [
      Math.min(2, facts.texts.length),
      Math.min(2, facts.attachments.length),
      facts.textDoubt,
      facts.attachmentDoubt,
    ].join();
  },
};

/** An edit keeps what it does not mean, and what it sets is read back. */
function checkEdits(input: Buffer): void {
  const header = input.subarray(0, headerEnd(input));
  const edited = editHeader(header, [
    { kind: 'set', name: 'X-Set', value: 'a ä' },
    { kind: 'count-pass', hostName: 'mx.test' },
  ]);
  const read = (bytes: Buffer) => readRuleHeader(bytes, { kind: 'none' }, 'mx.test');
  const [before, after] = [read(header), read(edited)];
  if (before.fields.length > 990) return;
  assert.equal(after.passes, before.passes + 1);
  assert.deepEqual(
    after.fields.filter(({ name }) => name === 'x-set').map(({ value }) => value),
    ['a ä'],
  );
  const rest = (fields: typeof before.fields) =>
    fields.filter(({ name }) => name !== 'x-set' && name !== 'x-postern-rules-loop');
  assert.deepEqual(rest(after.fields), rest(before.fields));
}

const patternPiece = fc.constantFrom(
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\b',
  '.',
  '*',
  '+',
  '?',
  '|',
  '(',
  ')',
  '(?:',
  '(?=',
  '[',
  ']',
  '[^',
  '-',
  '{2,3}',
  '{9,99}',
  '^',
  '$',
  '\\(',
  'a',
  'é',
  '\\1',
  '\\u00e9',
  '(?i)',
);

/** Its fixed words: what stands in the pattern differs each time. */
function kindOfRefusal(reason: string): string {
  const [first = ''] = reason.split(/[`…(\\]/, 1);
  const known = ['look-around', 'between brackets', 'back to a group', 'not ASCII', 'too much'];
  return known.find((words) => reason.includes(words)) ?? first.slice(0, 40);
}

const rulePatterns: FuzzTarget = {
  name: 'rule-patterns',
  files: ['src/policy/rules/pattern.ts'],
  structured: utf8(
    fc.oneof(
      fc.array(patternPiece, { maxLength: 12 }).map((parts) => parts.join('')),
      word('abc.\\d*()[]^$|', 20),
    ),
  ),
  tokens: ['\\', '(', ')', '[', ']', '(?', '{', '}', '\\p{', '\\x{', '*', '|', '^', '-['],
  sizeBytesMax: 2000,
  parse: (input) => compilePattern(input.toString()),
  check(input) {
    const text = input.toString();
    const result = compilePattern(text);
    if (result.kind === 'refused') return kindOfRefusal(result.reason);
    result.pattern.matches('ab 12 é\n');
    assert.ok(result.pattern.steps > 0 && result.pattern.steps <= 5000);
    return 'compiled';
  },
};

export const ruleTargets: readonly FuzzTarget[] = [messageFacts, rulePatterns];
