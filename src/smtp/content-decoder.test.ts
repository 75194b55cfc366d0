import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { ContentDecoder } from './content-decoder.ts';
import { ContentLines } from './content-lines.ts';

interface Decoded {
  content: string;
  /** Raw bytes up to and with the final CRLF; null where the content did not end. */
  rest: string | null;
  hasBareLineBreak: boolean;
  hasNul: boolean;
}

function decode(chunks: readonly Buffer[]): Decoded {
  const decoder = new ContentDecoder();
  const lines = new ContentLines({ bareLineBreaks: 'refuse', lineBytesMax: 1000 });
  let content = '';
  let rest: string | null = null;
  for (const [i, chunk] of chunks.entries()) {
    const step = decoder.decode(chunk);
    content += lines.take(step.content).toString('latin1');
    if (step.end === -1) continue;
    assert.equal(lines.finish().length, 0);
    rest = Buffer.concat([chunk.subarray(step.end), ...chunks.slice(i + 1)]).toString('latin1');
    break;
  }
  const { hasBareLineBreak, hasNul } = lines;
  return { content, rest, hasBareLineBreak, hasNul };
}

/** What RFC 5321 §4.5.2 says, byte by byte: slow and plain. */
function decodeSlowly(text: string): Decoded {
  const end = `\r\n${text}`.indexOf('\r\n.\r\n');
  const raw = end === -1 ? text : text.slice(0, end);
  const inspected = end === -1 ? text : text.slice(0, end + 3);
  let content = '';
  for (let i = 0; i < raw.length; i++) {
    const isLineStart = i === 0 || (i > 1 && raw[i - 2] === '\r' && raw[i - 1] === '\n');
    if (raw[i] !== '.' || !isLineStart) content += raw[i];
  }
  return {
    content,
    rest: end === -1 ? null : text.slice(end + 3),
    hasBareLineBreak: /\r(?!\n)|(?<!\r)\n/.test(inspected),
    hasNul: inspected.includes('\0'),
  };
}

function cut(text: string, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}

const smuggling = ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r\n.\r', '\r.\r\n', '\r\n\0.\r\n'];
smuggling.push('\n.\r', '\r\n..\r\n', '\r\r\n.\r\r\n', '\r\n.\0\r\n', '\r\n. \r\n', '\n..\n');

for (const trick of smuggling) {
  const attempt = `a${trick}MAIL FROM:<b@c>\r\nb\r\n.\r\nQUIT\r\n`;
  void test(`does not end the content at ${JSON.stringify(trick)}, in any cut`, () => {
    const expected = decodeSlowly(attempt);
    assert.equal(expected.rest, 'QUIT\r\n');
    for (let at = 1; at < attempt.length; at++) {
      assert.deepEqual(decode(cut(attempt, [at, attempt.length])), expected);
    }
    assert.deepEqual(decode(cut(attempt, [1])), expected);
  });
}

void test('marks every bare CR, bare LF and NUL, at seams too', () => {
  for (const bad of [
    '\na\r\n.\r\n',
    'a\nb\r\n.\r\n',
    'a\rb\r\n.\r\n',
    'a\r\r\n.\r\n',
    '\r.\r\n.\r\n',
  ]) {
    for (const sizes of [[], [1], [2], [3]]) {
      assert.equal(decode(cut(bad, sizes)).hasBareLineBreak, true, JSON.stringify(bad));
    }
  }
  assert.equal(decode(cut('a\0b\r\n.\r\n', [1])).hasNul, true);
  assert.equal(decode(cut('a\0b\r\n.\r\n', [])).hasNul, true);
  const good = decode(cut('a\r\n..b\r\n\r\n.\r\n', [1]));
  assert.equal(good.hasBareLineBreak || good.hasNul, false);
});

void test('judges nothing that comes behind the end', () => {
  const { hasBareLineBreak, hasNul, rest } = decode(cut('a\r\n.\r\nx\ny\0', []));
  assert.deepEqual([hasBareLineBreak, hasNul, rest], [false, false, 'x\ny\0']);
});

void test('takes an empty content', () => {
  for (const sizes of [[], [1], [2]]) {
    const { content, rest } = decode(cut('.\r\nQUIT', sizes));
    assert.deepEqual([content, rest], ['', 'QUIT']);
  }
});

void test('decodes as the RFC says, whatever the bytes and the cut', () => {
  const piece = fc.constantFrom('\r\n', '.', '\r', '\n', '\0', 'a', '\r\n.', '\r\n.\r\n', 'text');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }),
      (pieces, sizes) => {
        const text = pieces.join('');
        const decoded = decode(cut(text, sizes));
        const expected = decodeSlowly(text);
        if (expected.rest === null) {
          // A dot that waits for its line's end is held back, so an unfinished content may lack it.
          assert.equal(decoded.rest, null);
          assert.ok(expected.content.startsWith(decoded.content));
          assert.ok(decoded.hasBareLineBreak ? expected.hasBareLineBreak : true);
        } else {
          assert.deepEqual(decoded, expected);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

void test('hands on a view of the chunk where no dot is removed', () => {
  const chunk = Buffer.from('Subject: x\r\n\r\nbody\r\n');
  const { content } = new ContentDecoder().decode(chunk);
  assert.equal(content.buffer, chunk.buffer);
  assert.equal(content.byteOffset, chunk.byteOffset);
});
