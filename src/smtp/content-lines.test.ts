import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { ContentDecoder } from './content-decoder.ts';
import type { BareLineBreaks } from './content-lines.ts';
import { ContentLines } from './content-lines.ts';
import { DotStuffer } from './dot-stuffing.ts';

function take(text: string, sizes: readonly number[], bareLineBreaks: BareLineBreaks) {
  const lines = new ContentLines({ bareLineBreaks, lineBytesMax: 10 });
  const bytes = Buffer.from(text, 'latin1');
  let kept = '';
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
    kept += lines.take(Buffer.from(bytes.subarray(at, at + size))).toString('latin1');
    at += size;
  }
  kept += lines.finish().toString('latin1');
  const { hasBareLineBreak, hasNul, hasLongLine } = lines;
  return { kept, hasBareLineBreak, hasNul, hasLongLine };
}

const piece = fc.constantFrom('\r\n', '\r', '\n', '.', '\0', 'a', 'abcdefgh', '\r\n.\r\n', '\n.\n');
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 });

void test('normalizes as a slow reading does, whatever the bytes and the cut', () => {
  fc.assert(
    fc.property(text, cuts, (given, sizes) => {
      const taken = take(given, sizes, 'normalize');
      let expected = given.replace(/\r\n|\r|\n/g, '\r\n');
      if (expected !== '' && !expected.endsWith('\r\n')) expected += '\r\n';
      assert.equal(taken.kept, expected);
      assert.equal(taken.hasBareLineBreak, false);
      assert.equal(taken.hasNul, given.includes('\0'));
      assert.equal(
        taken.hasLongLine,
        expected.split('\r\n').some((line) => line.length + 2 > 10),
      );
    }),
    { numRuns: 2000 },
  );
});

void test('refuses as a slow reading does, and changes nothing but the end', () => {
  fc.assert(
    fc.property(text, cuts, (given, sizes) => {
      const taken = take(given, sizes, 'refuse');
      const isBare = /\r(?!\n)|(?<!\r)\n/.test(given);
      assert.equal(taken.hasBareLineBreak, isBare);
      assert.equal(taken.hasNul, given.includes('\0'));
      if (isBare) return;
      const isOpen = given !== '' && !given.endsWith('\r\n');
      assert.equal(taken.kept, isOpen ? `${given}\r\n` : given);
      assert.equal(
        taken.hasLongLine,
        taken.kept.split('\r\n').some((l) => l.length + 2 > 10),
      );
    }),
    { numRuns: 2000 },
  );
});

void test('hands on the very bytes where nothing has to change', () => {
  for (const bareLineBreaks of ['refuse', 'normalize'] as const) {
    const lines = new ContentLines({ bareLineBreaks, lineBytesMax: 1000 });
    const bytes = Buffer.from('Subject: x\r\n\r\nbody\r\n');
    const kept = lines.take(bytes);
    assert.equal(kept.buffer, bytes.buffer);
    assert.deepEqual([kept.byteOffset, kept.length], [bytes.byteOffset, bytes.length]);
  }
});

/** The messages that a server sees which takes any of these as line ends: the laxest reader. */
function countLaxly(wire: string): number {
  const lines = wire.split(/\r\n|\r|\n/);
  return lines.filter((line) => line === '.').length;
}

void test('passes on nothing that the laxest server reads as two messages', () => {
  const hostile = fc.constantFrom('\r', '\n', '\r\n', '.', '..', 'x', '\r\n.', '\n.\n', '\n.\r\n');
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 40 }), (pieces) => {
      const decoder = new ContentDecoder();
      const lines = new ContentLines({ bareLineBreaks: 'normalize', lineBytesMax: 1000 });
      const { content, end } = decoder.decode(Buffer.from(`${pieces.join('')}\r\n.\r\n`));
      assert.ok(end !== -1);
      const kept = Buffer.concat([lines.take(content), lines.finish()]);
      const stuffer = new DotStuffer();
      const wire = stuffer.stuff(kept).toString('latin1') + stuffer.ending().toString('latin1');
      assert.equal(countLaxly(wire), 1, JSON.stringify(wire));
    }),
    { numRuns: 5000 },
  );
});

void test('takes time by the length, also where every byte is a bare line break', () => {
  const lines = new ContentLines({ bareLineBreaks: 'normalize', lineBytesMax: 1000 });
  const before = process.cpuUsage();
  for (const byte of ['\n', '\r']) {
    const bytes = Buffer.alloc(65_536, byte);
    for (let i = 0; i < 32; i++) assert.ok(lines.take(bytes).length >= 2 * 65_535);
  }
  // 4 MB; quadratic work would take minutes.
  assert.ok(process.cpuUsage(before).user < 5_000_000);
});
