/** Counting what a replay found: by message, within bounds, the gravest first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recorded } from './recorded.ts';
import type { Change } from './replayed.ts';
import { changesMax, ReplaySummary } from './replay-summary.ts';

const record = (id: string): Recorded => ({ kind: 'unreadable', id, atMs: 0, reason: '' });
const refused = (part: Partial<Change> = {}): Change => ({
  kind: 'refused',
  direction: 'inbound',
  partner: 'partner.test',
  recipient: 'user@example.test',
  because: '454 4.7.0 by the connector "partner"',
  reason: 'it was not encrypted',
  ...part,
});

test('a message counts once however many of its recipients are concerned', () => {
  const summary = new ReplaySummary();
  const both = [refused(), refused({ recipient: 'other@example.test' })];
  summary.add(record('ONE'), { changes: both, undecided: [] });
  summary.add(record('TWO'), { changes: [refused()], undecided: [{ why: 'rules', detail: 'a' }] });
  const twice = [
    { why: 'rules', detail: 'a' },
    { why: 'rules', detail: 'b' },
  ] as const;
  summary.add(record('THREE'), { changes: [], undecided: twice });
  summary.add(record('FOUR'), { changes: [], undecided: [] });
  const view = summary.view();
  assert.deepEqual([view.changed, view.undecidedOnly], [2, 1]);
  assert.deepEqual(
    view.groups.map(({ messages, ids }) => [messages, ids]),
    [[2, ['ONE', 'TWO']]],
  );
  assert.deepEqual(view.kinds, [
    { kind: 'refused', direction: 'inbound', messages: 2, partners: 1 },
  ]);
  assert.deepEqual(view.undecided, [{ why: 'rules', messages: 2, ids: ['TWO', 'THREE'] }]);
  assert.equal(view.changes.length, 3);
});

test('kinds are in the order of their gravity, groups by their size', () => {
  const summary = new ReplaySummary();
  const stricter = refused({ kind: 'stricter' });
  const deferred = refused({ kind: 'deferred', direction: 'outbound' });
  const changes = [stricter, deferred, refused({ partner: 'small.test' }), refused()];
  summary.add(record('ONE'), { changes, undecided: [] });
  summary.add(record('TWO'), { changes: [refused()], undecided: [] });
  const { kinds, groups } = summary.view();
  assert.deepEqual(
    kinds.map(({ kind, partners }) => [kind, partners]),
    [
      ['refused', 2],
      ['deferred', 1],
      ['stricter', 1],
    ],
  );
  assert.deepEqual(
    groups.map(({ kind, partner }) => [kind, partner]),
    [
      ['refused', 'partner.test'],
      ['refused', 'small.test'],
      ['deferred', 'partner.test'],
      ['stricter', 'partner.test'],
    ],
  );
});

test('lists are bounded, and what is left out is counted', () => {
  const summary = new ReplaySummary();
  for (let i = 0; i < changesMax + 5; i++) {
    summary.add(record(`ID${i}`), {
      changes: [refused({ partner: `partner${i}.test` })],
      undecided: [],
    });
  }
  const { changed, changes, changesLeftOut, groups, groupsLeftOut, kinds } = summary.view();
  assert.equal(changed, changesMax + 5);
  assert.deepEqual([changes.length, changesLeftOut], [changesMax, 5]);
  assert.deepEqual([groups.length, groupsLeftOut], [10_000, 5]);
  assert.deepEqual([kinds[0]?.messages, kinds[0]?.partners], [changesMax + 5, changesMax + 5]);
});
