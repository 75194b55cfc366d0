/** Header blocks as bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerEnd, parseHeaderBlock } from './header-block.ts';

test('ends the header after the first empty line', () => {
  assert.equal(headerEnd(Buffer.from('A: b\r\n\r\nbody\r\n\r\nmore')), 8);
  assert.equal(headerEnd(Buffer.from('\r\nbody\r\n\r\n')), 2);
});

test('takes a content without an empty line as header, so that nothing hides in it', () => {
  assert.equal(headerEnd(Buffer.from('hello\r\nFrom: a@b\r\n')), 18);
  assert.equal(headerEnd(Buffer.alloc(0)), 0);
  assert.equal(headerEnd(Buffer.from('A: b\n\nbody')), 10);
});

test('keeps the raw bytes of each field and decodes its value', () => {
  const header = Buffer.from('Subject: J\u00fcrgen\r\n =?x?=\r\nX-Raw: ', 'utf8');
  const block = parseHeaderBlock(
    Buffer.concat([header, Buffer.from([0xfc]), Buffer.from('\r\n\r\n')]),
  );
  assert.deepEqual(block.problems, []);
  assert.deepEqual(
    block.fields.map(({ name, value }) => [name, value]),
    [
      ['Subject', 'J\u00fcrgen =?x?='],
      ['X-Raw', '\u00fc'],
    ],
  );
  assert.equal(block.fields[0]!.raw.toString('utf8'), 'Subject: J\u00fcrgen\r\n =?x?=\r\n');
});

test('reports malformed lines and keeps the others', () => {
  const block = parseHeaderBlock(Buffer.from('nonsense\r\nA: b\r\n\r\n'));
  assert.deepEqual(block.problems, ['line-without-name']);
  assert.equal(block.fields.length, 1);
});
