import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { hostVerdict, failedRun, validationRun } from '../../../test/support/validation-run.ts';
import type { Alarm } from '../../policy/validation/alarms-after.ts';
import type { ValidationRun } from '../../policy/validation/run.ts';
import { controlMigrations } from './migrations.ts';
import { OpenAlarms } from './open-alarms.ts';
import { PolicyRevisions } from './policy-revisions.ts';
import { runsPerConnectorMax, ValidationRuns } from './validation-runs.ts';
import type { KeptRun } from './validation-runs.ts';

function openDb(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  for (const migration of controlMigrations) db.exec(migration);
  return db;
}

const key = { organization: 'org', connector: 'partner' };
const newest = { before: null, limit: 10 };

function kept(id: string, part: Partial<ValidationRun> = {}, way = 'w'): KeptRun {
  return { run: validationRun({ id, ...part }), way, trigger: 'order', orderedBy: 'ann' };
}

test('a run is read back whole, by its connector alone', () => {
  const runs = new ValidationRuns(openDb());
  const { run } = kept('a');
  runs.add(kept('a'));
  assert.deepEqual(runs.read(key, 'a'), run);
  assert.equal(runs.read({ ...key, organization: 'other' }, 'a'), null);
  assert.equal(runs.read({ ...key, connector: 'other' }, 'a'), null);
  assert.equal(runs.read(key, 'b'), null);
});

test('lists go newest first, page by page', () => {
  const runs = new ValidationRuns(openDb());
  for (const id of ['a', 'b', 'c']) runs.add(kept(id));
  runs.add(kept('x', { connector: 'other' }));
  const ids = (before: string | null, limit: number): string[] =>
    runs.list(key, { before, limit }).map(({ id }) => id);
  assert.deepEqual(ids(null, 2), ['c', 'b']);
  assert.deepEqual(ids('b', 2), ['a']);
  assert.deepEqual(ids('gone', 5), ['c', 'b', 'a']);
  const [first] = runs.list(key, newest);
  assert.deepEqual(first?.recipients, ['b@partner.test']);
  assert.equal(first.orderedBy, 'ann');
});

test('only the newest of each connector are kept', () => {
  const runs = new ValidationRuns(openDb());
  runs.add(kept('other', { connector: 'other' }));
  for (let i = 0; i < runsPerConnectorMax + 3; i++) runs.add(kept(`r${i}`));
  const all = runs.list(key, { before: null, limit: 1000 });
  assert.equal(all.length, runsPerConnectorMax);
  assert.equal(all.at(-1)!.id, 'r3');
  assert.ok(runs.read({ ...key, connector: 'other' }, 'other') !== null);
});

test('a connector is validated by the newest run of its very way that asked about an address', () => {
  const runs = new ValidationRuns(openDb());
  assert.equal(runs.newestOfWay(key, 'w'), null);
  runs.add(kept('draft', { isDraft: true }));
  assert.equal(runs.newestOfWay(key, 'w')?.id, 'draft');
  runs.add(kept('bare', { asked: { ...validationRun().asked, scope: 'connection' } }));
  assert.equal(runs.newestOfWay(key, 'w')?.id, 'draft');
  runs.add(kept('bad', failedRun));
  assert.equal(runs.newestOfWay(key, 'w')?.result, 'failed');
  assert.equal(runs.newestOfWay(key, 'changed'), null);
});

test('a run is compared with those before it, drafts aside', () => {
  const runs = new ValidationRuns(openDb());
  assert.deepEqual(runs.before(key), { last: null, lastWithTls: null });
  assert.equal(runs.lastStartedAt(key), null);
  runs.add(kept('tls', { hosts: [hostVerdict()] }));
  runs.add(kept('bad', { ...failedRun, startedAt: '2026-11-28T21:00:00.000Z' }));
  runs.add(kept('draft', { isDraft: true }));
  const { last, lastWithTls } = runs.before(key);
  assert.deepEqual([last?.id, lastWithTls?.id], ['bad', 'tls']);
  assert.equal(runs.lastStartedAt(key), '2026-11-28T21:00:00.000Z');
});

test('an alarm is one for each code and object, keeps its time, and ends', () => {
  const alarms = new OpenAlarms(openDb());
  const alarm: Alarm = {
    code: 'connector-validation-failed',
    organization: 'org',
    object: 'outbound-connector/partner',
    since: '2026-11-28T20:00:00.000Z',
    text: 'it fails',
    whatToDo: 'mend it',
  };
  const apply = (kind: 'open' | 'update', part: Partial<Alarm> = {}): boolean =>
    alarms.apply(part.organization ?? 'org', { kind, alarm: { ...alarm, ...part } });
  assert.equal(apply('update'), false);
  assert.deepEqual(alarms.list(null), []);
  assert.equal(apply('open'), true);
  assert.equal(apply('open', { since: '2027-01-01T00:00:00.000Z', text: 'still' }), false);
  assert.deepEqual(alarms.list('org'), [{ ...alarm, text: 'still' }]);
  assert.equal(apply('open', { organization: 'other' }), true);
  assert.equal(alarms.list(null).length, 2);
  assert.equal(alarms.list('other').length, 1);
  const { code, object } = alarm;
  assert.equal(alarms.apply('org', { kind: 'clear', code, object }), true);
  assert.equal(alarms.apply('org', { kind: 'clear', code, object }), false);
  assert.deepEqual(
    alarms.list(null).map(({ organization }) => organization),
    ['other'],
  );
});

test('runs and alarms end with their organization, and are not those of another one of its id', () => {
  const db = openDb();
  const [runs, alarms, policy] = [
    new ValidationRuns(db),
    new OpenAlarms(db),
    new PolicyRevisions(db),
  ];
  const write = (number: number, name: string, value: object | null): void => {
    const by = { author: 'ann', origin: 'change', reason: null, fileDigest: null };
    const object = { kind: 'organization', organization: null, name };
    const revision = { number, at: '2026-11-28T20:00:00.000Z', ...by };
    policy.write(revision, [{ ...object, position: 1, value, setBy: 'gateway' }]);
  };
  const text = { text: 'it fails', whatToDo: 'mend it', since: '2026-11-28T20:00:00.000Z' };
  for (const organization of ['org', 'other']) {
    runs.add(kept(`of ${organization}`, { organization }));
    const alarm = { code: 'c', object: 'outbound-connector/partner', organization, ...text };
    alarms.apply(organization, { kind: 'open', alarm: alarm as unknown as Alarm });
  }
  write(1, 'org', { name: 'Contoso' });
  assert.equal(runs.list(key, newest).length, 1);
  write(2, 'org', null);
  write(3, 'org', { name: 'Somebody else' });
  assert.equal(runs.list(key, newest).length, 0);
  assert.equal(runs.list({ ...key, organization: 'other' }, newest).length, 1);
  assert.deepEqual(
    alarms.list(null).map(({ organization }) => organization),
    ['other'],
  );
});
