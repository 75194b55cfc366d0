import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatTable } from './table.ts';
import { cutToWidth, widthOf, wrapToWidth } from './text-width.ts';

const columns = [
  { title: 'ID' },
  { title: 'SIZE', align: 'right' as const },
  { title: 'TO', mayShrink: true },
];

test('columns are aligned and lines have no trailing spaces', () => {
  const rows = [{ cells: ['A', '1', 'x@y.test'] }, { cells: ['LONG', '1000', ''], note: 'why' }];
  assert.equal(
    formatTable(columns, rows, null),
    'ID    SIZE  TO\nA        1  x@y.test\nLONG  1000\n    why\n',
  );
});

test('escape sequences, line breaks and bidi controls of a cell are shown as ?', () => {
  const text = formatTable(
    [{ title: 'X' }],
    [{ cells: ['a\u001b[2Jb\n\u202ec'], note: '\r!' }],
    80,
  );
  assert.equal(text, 'X\na?[2Jb??c\n    ?!\n');
});

test('no line is wider than the terminal when columns may shrink', () => {
  const cell = fc.string({ unit: 'grapheme', maxLength: 60 });
  const shrinking = [
    { title: 'A', mayShrink: true },
    { title: 'B', mayShrink: true },
    { title: 'C', mayShrink: true },
  ];
  fc.assert(
    fc.property(
      fc.array(fc.record({ cells: fc.tuple(cell, cell, cell), note: cell }), { maxLength: 5 }),
      fc.integer({ min: 40, max: 120 }),
      (rows, width) => {
        for (const line of formatTable(shrinking, rows, width).split('\n')) {
          assert.ok(widthOf(line) <= width, `${widthOf(line)} > ${width}: ${line}`);
        }
      },
    ),
  );
});

test('wide characters count two columns, combining ones none', () => {
  assert.equal(widthOf('日本'), 4);
  assert.equal(widthOf('e\u0301'), 1);
  assert.equal(cutToWidth('日本語', 4), '日…');
  assert.equal(cutToWidth('abc', 3), 'abc');
});

test('wrapping keeps the words and breaks only what is too long', () => {
  assert.deepEqual(wrapToWidth('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapToWidth('abcdefgh', 3), ['abc', 'def', 'gh']);
  fc.assert(
    fc.property(fc.lorem({ maxCount: 30 }), fc.integer({ min: 15, max: 60 }), (text, width) => {
      const lines = wrapToWidth(text, width);
      assert.ok(lines.every((line) => widthOf(line) <= width));
      assert.equal(lines.join(' '), text);
    }),
  );
});
