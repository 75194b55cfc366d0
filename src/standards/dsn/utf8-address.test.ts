/** The utf-8 address type in ASCII: an inverse pair over well-formed text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatUtf8Address, parseUtf8Address } from './utf8-address.ts';

test('writes what is beyond ASCII, and what would be ambiguous, by its number', () => {
  assert.equal(
    formatUtf8Address('j\u00fcrgen+a=\\ \u{1f4e7}@x.example'),
    'j\\x{FC}rgen\\x{2B}a\\x{3D}\\x{5C}\\x{20}\\x{1F4E7}@x.example',
  );
});

test('reads back what it writes, and writes printable ASCII only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const written = formatUtf8Address(text);
      assert.match(written, /^[!-~]*$/);
      assert.equal(parseUtf8Address(written), text);
    }),
  );
});

for (const text of [
  'a+b',
  'a=b',
  'a b',
  '\u00fc',
  '\\x{FC',
  '\\x{fc}',
  '\\x{D800}',
  '\\x{110000}',
]) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseUtf8Address(text), null));
}
