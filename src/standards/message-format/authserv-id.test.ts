/** Whose name an Authentication-Results field is in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseAuthservId } from './authserv-id.ts';

const readable: Readonly<Record<string, string>> = {
  'mx.example.test; spf=pass': 'mx.example.test',
  'mx.example.test;spf=pass': 'mx.example.test',
  'mx.example.test': 'mx.example.test',
  'mx.example.test 1; none': 'mx.example.test',
  'mx.example.test (our own) 1 (first); none': 'mx.example.test',
  '(a (nested) \\) comment) mx.example.test; none': 'mx.example.test',
  '(a)\t(b)MX.Example.Test(c);none': 'MX.Example.Test',
  '"mx.example.test"; none': 'mx.example.test',
  '"mx\\.example.test" 1; none': 'mx.example.test',
  'mx.example.test/1; none': 'mx.example.test',
  'spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=x.test': 'spf',
};
for (const [value, id] of Object.entries(readable)) {
  test(`reads the id of ${value}`, () => assert.equal(parseAuthservId(value), id));
}

for (const value of ['', '   ', '; none', '(no end mx.example.test; none', '"no end', '""; none']) {
  test(`tells no id from ${JSON.stringify(value)}`, () =>
    assert.equal(parseAuthservId(value), null));
}

test('never throws, and stops reading at a bound', () => {
  const part = fc.constantFrom('(', ')', '"', '\\', ' ', ';', 'a', '\xe9', '=', '\0');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      const id = parseAuthservId(parts.join(''));
      assert.ok(id === null || id.length > 0);
    }),
    { numRuns: 3000 },
  );
  assert.equal(parseAuthservId('('.repeat(200_000)), null);
  assert.equal(parseAuthservId(`${' '.repeat(5000)}mx.example.test`), null);
});
