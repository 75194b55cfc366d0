import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hashText } from './hash-text.ts';

test('hashes the UTF-8 bytes in base64url', () => {
  const expected = createHash('sha256').update(Buffer.from('\u20ac', 'utf8')).digest('base64url');
  assert.equal(hashText('\u20ac'), expected);
});
