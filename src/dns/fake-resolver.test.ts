import assert from 'node:assert/strict';
import test from 'node:test';
import { testResolver } from './conformance.ts';
import { createFakeResolver } from './fake-resolver.ts';

testResolver('the fake', (zone) => {
  const resolver = createFakeResolver(new Map(zone));
  return Promise.resolve({ resolver, close: () => Promise.resolve() });
});

void test('the fake waits by the clock that it is given', async () => {
  const waits: number[] = [];
  const sleep = (ms: number): Promise<void> => Promise.resolve(void waits.push(ms));
  const entries = { 'contoso.com': { a: ['192.0.2.1'], delayMs: 60_000 } };
  const resolver = createFakeResolver(entries, { sleep });
  assert.equal((await resolver.resolveAddresses('contoso.com')).kind, 'found');
  assert.deepEqual(waits, [60_000, 60_000]);
});

void test('the fake sees changes at once and keeps the questions', async () => {
  const resolver = createFakeResolver();
  assert.equal((await resolver.resolveMx('contoso.com')).kind, 'no-such-domain');
  resolver.zone.set('contoso.com', { mx: [{ preference: 1, exchange: 'mx.contoso.com' }] });
  assert.equal((await resolver.resolveMx('contoso.com')).kind, 'found');
  const question = { type: 'MX', name: 'contoso.com' };
  assert.deepEqual(resolver.questions, [question, question]);
});
