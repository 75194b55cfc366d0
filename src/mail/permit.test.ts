import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Permit } from './permit.ts';

it('a permit is spent once, on the connection that was judged', () => {
  const permit = new Permit('c1', ['encryption']);
  assert.throws(() => permit.spend('c2'), /for connection c1/);
  permit.spend('c1');
  assert.throws(() => permit.spend('c1'), /spent already/);
  assert.deepEqual(permit.clausesMet, ['encryption']);
});
