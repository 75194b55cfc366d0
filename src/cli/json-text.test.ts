import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatJson } from './json-text.ts';

test('parsing gives the value back, and a terminal gets no control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = formatJson({ text });
      assert.deepEqual(JSON.parse(json), { text });
      assert.doesNotMatch(json, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
  );
  assert.equal(formatJson('\u202e\u0085'), '"\\u202e\\u0085"\n');
  assert.equal(formatJson('ü日'), '"ü日"\n');
});
