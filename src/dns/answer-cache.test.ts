import assert from 'node:assert/strict';
import test from 'node:test';
import { AnswerCache } from './answer-cache.ts';

const answer = { kind: 'no-data', isAuthentic: false } as const;

void test('drops the least used where there are too many', () => {
  const cache = new AnswerCache({ entriesMax: 2, bytesMax: 1000 });
  const entry = { answer, expiresAtMs: 1000, bytes: 1 };
  cache.keep('a', entry);
  cache.keep('b', entry);
  cache.find('a', 0);
  cache.keep('c', entry);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.find(key, 0) !== null),
    [true, false, true],
  );
});

void test('keeps to its bytes, also when entries are replaced', () => {
  const cache = new AnswerCache({ entriesMax: 100, bytesMax: 100 });
  for (let i = 0; i < 50; i++) cache.keep('same', { answer, expiresAtMs: 1000, bytes: 30 });
  for (const key of ['a', 'b']) cache.keep(key, { answer, expiresAtMs: 1000, bytes: 30 });
  assert.equal(cache.size, 3);
  cache.keep('large', { answer, expiresAtMs: 1000, bytes: 99 });
  assert.equal(cache.size, 1);
  cache.keep('too large', { answer, expiresAtMs: 1000, bytes: 101 });
  assert.equal(cache.size, 0);
});

void test('forgets what has expired', () => {
  const cache = new AnswerCache({ entriesMax: 2, bytesMax: 1000 });
  cache.keep('a', { answer, expiresAtMs: 1000, bytes: 1 });
  assert.notEqual(cache.find('a', 999), null);
  assert.equal(cache.find('a', 1000), null);
  assert.equal(cache.size, 0);
});
