import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleTrace } from '../../test/support/api-services.ts';
import { areFinal, readRecipientStates } from './trace-outcome.ts';

test('nothing known is not final', () => {
  assert.equal(areFinal([]), false);
});

test('a message before its first attempt, and a deferred one, wait', () => {
  assert.equal(areFinal(readRecipientStates(sampleTrace('X'))), false);
  assert.equal(areFinal(readRecipientStates(sampleTrace('X', 'deferred'))), false);
});

test('delivered, bounced and held are final', () => {
  for (const kind of ['delivered', 'bounced', 'held'] as const) {
    const states = readRecipientStates(sampleTrace('X', kind));
    assert.equal(states[0]?.state, kind);
    assert.equal(areFinal(states), true);
  }
});

test('a release waits again, an expiry is a bounce', () => {
  const held = sampleTrace('X', 'held');
  const head = { formatVersion: 1, id: 'X', at: '2026-11-22T10:00:00.000Z', ordinal: 0 } as const;
  const released = { ...head, kind: 'released', by: 'admin' } as const;
  const trace = { ...held, events: [...held.events, released] };
  assert.equal(readRecipientStates(trace)[0]?.state, 'waiting');
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
  const last = readRecipientStates({ ...trace, events: [...trace.events, expired] });
  assert.deepEqual(last, [
    { recipient: 'doctor@contoso.com', state: 'bounced', status: '4.4.7', reason: 'expired' },
  ]);
});
