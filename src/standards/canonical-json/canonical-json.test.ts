/** Canonical JSON: equal values, equal texts; what JSON cannot hold is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';

test('sorts keys by UTF-16 code units and writes no white space', () => {
  const value = {
    b: [1, { z: null, a: true }],
    '\u20ac': 1,
    '\ud83d\ude00': 2,
    '\ufb33': 3,
    A: 'x',
  };
  assert.equal(
    canonicalJson(value),
    '{"A":"x","b":[1,{"a":true,"z":null}],"\u20ac":1,"\ud83d\ude00":2,"\ufb33":3}',
  );
});

test('writes numbers and strings as RFC 8785 shows them', () => {
  const value = [
    Number('333333333.33333329'),
    1e30,
    4.5,
    2e-3,
    1e-27,
    -0,
    '\u20ac$\u000f\nA\'B"\\"/',
  ];
  assert.equal(
    canonicalJson(value),
    '[333333333.3333333,1e+30,4.5,0.002,1e-27,0,"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/"]',
  );
});

test('is the same text for the same value in any order of keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 }), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).toReversed());
      assert.equal(canonicalJson(reversed), canonicalJson(value));
    }),
  );
});

test('reads back as the same value, and is then canonical already', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      assert.equal(canonicalJson(JSON.parse(text)), text);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('leaves undefined properties out', () => {
  assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

const cycle: unknown[] = [];
cycle.push(cycle);
for (const value of [Number.NaN, Infinity, 1n, [undefined], () => 1, Symbol('x'), cycle]) {
  test(`refuses ${typeof value} ${Array.isArray(value) ? 'array' : String(value)}`, () => {
    assert.throws(() => canonicalJson(value), TypeError);
  });
}
