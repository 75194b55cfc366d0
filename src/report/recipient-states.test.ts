import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleTrace } from '../../test/support/api-services.ts';
import { areFinal } from '../cli/trace-outcome.ts';
import { readRecipientStates } from './recipient-states.ts';

test('nothing known is not final', () => {
  assert.equal(areFinal([]), false);
});

test('a message before its first attempt, and a deferred one, wait', () => {
  assert.equal(areFinal(sampleTrace('X').recipients), false);
  assert.equal(areFinal(sampleTrace('X', 'deferred').recipients), false);
});

test('delivered, bounced and held are final', () => {
  for (const kind of ['delivered', 'bounced', 'held'] as const) {
    const states = sampleTrace('X', kind).recipients;
    assert.equal(states[0]?.state, kind);
    assert.equal(areFinal(states), true);
  }
});

test('an administrator holds and releases the recipients of one delivery', () => {
  const head = { formatVersion: 1, id: 'X', at: '2026-11-22T10:00:00.000Z' } as const;
  const [received] = sampleTrace('X').events;
  assert.ok(received?.kind === 'received');
  const two = { ordinal: 1, recipients: ['nurse@fabrikam.com'], routeKey: 'mx', floor: [] };
  const both = { ...received, deliveries: [...received.deliveries, two] };
  const held = {
    ...head,
    kind: 'held',
    ordinal: 1,
    cause: 'administrator',
    reason: 'by eva',
  } as const;
  const states = readRecipientStates([both, held]).map(({ state }) => state);
  assert.deepEqual(states, ['queued', 'held']);
});

test('a release waits again, an expiry is a bounce', () => {
  const held = sampleTrace('X', 'held');
  const head = { formatVersion: 1, id: 'X', at: '2026-11-22T10:00:00.000Z', ordinal: 0 } as const;
  const released = { ...head, kind: 'released', by: 'admin' } as const;
  const after = [...held.events, released];
  assert.equal(readRecipientStates(after)[0]?.state, 'queued');
  const outcome = {
    recipient: 'doctor@contoso.com',
    kind: 'deferred',
    status: '4.4.7',
    reason: 'expired',
    reply: null,
    remoteMta: null,
    at: head.at,
  } as const;
  const expired = { ...head, kind: 'expired', outcomes: [outcome] } as const;
  const last = readRecipientStates([...after, expired]);
  assert.deepEqual(last, [
    {
      recipient: 'doctor@contoso.com',
      aliasedFrom: null,
      state: 'bounced',
      status: '4.4.7',
      reason: 'expired',
      at: head.at,
    },
  ]);
});
