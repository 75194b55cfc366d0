/** xtext: an inverse pair over octets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatXtext, parseXtext } from './xtext.ts';

test('encodes plus, equals, blanks and what is not printable', () => {
  assert.equal(formatXtext('a+b=c d\xff!~'), 'a+2Bb+3Dc+20d+FF!~');
});

test('reads back what it writes, and writes xtext only', () => {
  const octets = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  });
  fc.assert(
    fc.property(octets, (text) => {
      assert.match(formatXtext(text), /^[!-~]*$/);
      assert.equal(parseXtext(formatXtext(text)), text);
    }),
  );
});

for (const text of ['a=b', 'a b', '+', '+2', '+2b', '+GG', 'a\u00e9', 'a\r\n']) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseXtext(text), null));
}

test('refuses to write what is no octet', () => {
  assert.throws(() => formatXtext('\u20ac'), RangeError);
});
