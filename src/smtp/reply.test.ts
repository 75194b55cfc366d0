import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { ReplyReader, formatReply, parseReply, replyLineBytesMax, replyLinesMax } from './reply.ts';

const line = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map(String.fromCharCode) });
const text = line.filter((value) => !/^[245]\.\d{1,3}\.\d{1,3}(?: |$)/.test(value));
const detail = fc.integer({ min: 0, max: 999 });

const anyReply: fc.Arbitrary<Reply> = fc
  .record({
    code: fc.integer({ min: 200, max: 599 }),
    hasStatus: fc.boolean(),
    subject: detail,
    detail,
    lines: fc.array(text, { minLength: 1, maxLength: 8 }),
  })
  .map(({ code, hasStatus, subject, detail, lines }) => {
    const digit = Math.floor(code / 100);
    const isStatusClass = digit === 2 || digit === 4 || digit === 5;
    return {
      code,
      status: hasStatus && isStatusClass ? { class: digit, subject, detail } : null,
      lines,
    };
  });

void test('never lets text of a reply begin another line', () => {
  const hostile = reply(550, '5.1.1', 'no\r\n250 yes', 'a\nb\0c\u202e');
  assert.equal(formatReply(hostile), '550-5.1.1 no??250 yes\r\n550 5.1.1 a?b?c?\r\n');
});

void test('reads back what it formats', () => {
  fc.assert(fc.property(anyReply, (r) => assert.deepEqual(parseReply(formatReply(r)), r)));
});

void test('reads the same however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(anyReply, { maxLength: 4 }), fc.infiniteStream(detail), (all, cuts) => {
      const bytes = Buffer.from(all.map((r) => formatReply(r)).join(''));
      const reader = new ReplyReader();
      const read: Reply[] = [];
      for (let at = 0; at < bytes.length;) {
        const size = 1 + (cuts.next().value! % 7);
        read.push(...reader.feed(bytes.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(read, all);
      assert.equal(reader.hasPartial, false);
    }),
    { numRuns: 50 },
  );
});

void test('continues a line of more than 480 characters on the next', () => {
  const long = reply(550, '5.7.1', `${'word '.repeat(150)}end`);
  const lines = formatReply(long).trimEnd().split('\r\n');
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.length < 510));
  assert.ok(lines[0]!.startsWith('550-5.7.1 ') && lines[1]!.startsWith('550 5.7.1 '));
});

void test('takes replies without text, and only CRLF as line end', () => {
  const reader = new ReplyReader();
  assert.deepEqual(reader.feed(Buffer.from('250\r\n250 ok\n250 x\r\n')), [
    { code: 250, status: null, lines: [''] },
    { code: 250, status: null, lines: ['ok?250 x'] },
  ]);
});

void test('takes no enhanced status whose class contradicts the code', () => {
  assert.deepEqual(parseReply('550 2.1.1 odd\r\n'), {
    code: 550,
    status: null,
    lines: ['2.1.1 odd'],
  });
});

void test('holds a partial reply, and says so', () => {
  const reader = new ReplyReader();
  reader.feed(Buffer.from('220 ready\r\n2'));
  assert.equal(reader.hasPartial, true);
  assert.equal(parseReply('250-a\r\n'), null);
  assert.equal(parseReply('250 a\r\n250 b\r\n'), null);
  assert.equal(parseReply('250 a'), null);
});

for (const [name, bytes] of [
  ['text that is no reply', 'SSH-2.0-OpenSSH\r\n'],
  ['a reply whose codes differ', '250-a\r\n251 b\r\n'],
  ['a code out of range', '199 x\r\n'],
  ['an endless line', `250 ${'x'.repeat(replyLineBytesMax)}`],
  ['an endless reply', '250-x\r\n'.repeat(replyLinesMax + 1)],
] as const) {
  void test(`stops at ${name}`, () => {
    const reader = new ReplyReader();
    assert.deepEqual(reader.feed(Buffer.from(bytes)), []);
    assert.notEqual(reader.problem, null);
    assert.deepEqual(reader.feed(Buffer.from('250 ok\r\n')), []);
  });
}

void test('never throws on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      new ReplyReader().feed(Buffer.from(bytes));
    }),
  );
});

void test('shows text beyond ASCII only to who declared SMTPUTF8, within a reply line either way', () => {
  const said = reply(550, '5.4.1', 'no mailbox ü\u202e@example.test');
  assert.equal(formatReply(said), '550 5.4.1 no mailbox ??@example.test\r\n');
  assert.equal(formatReply(said, 'utf8'), '550 5.4.1 no mailbox ü?@example.test\r\n');
  const long = reply(550, '5.4.1', '\u{1f4e7}'.repeat(200));
  const lines = formatReply(long, 'utf8').split('\r\n').slice(0, -1);
  for (const line of lines) assert.ok(Buffer.byteLength(line) <= 510, line);
  assert.equal(lines.map((line) => line.slice(10)).join(''), '\u{1f4e7}'.repeat(200));
});

void test('a line of the greatest length is read however it is cut, one octet more never', () => {
  const line = `250 ${'x'.repeat(replyLineBytesMax - 6)}\r\n`;
  for (const at of [1, line.length - 2, line.length - 1]) {
    const reader = new ReplyReader();
    const replies = [line.slice(0, at), line.slice(at)].flatMap((part) =>
      reader.feed(Buffer.from(part)),
    );
    assert.deepEqual([replies.length, reader.problem], [1, null], `cut at ${at}`);
    const longer = new ReplyReader();
    const more = line.replace('x', 'xx');
    assert.equal(longer.feed(Buffer.from(more.slice(0, at))).length, 0);
    assert.equal(longer.feed(Buffer.from(more.slice(at))).length, 0);
    assert.match(longer.problem ?? '', /longer than/);
  }
});
