import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { AuditEvent } from '../../report/audit-chain.ts';
import { ChainVerifier } from '../../report/audit-chain.ts';
import { migrate } from '../migrate.ts';
import { AuditLog } from './audit.ts';
import { inTransaction } from './control-rows.ts';
import { controlMigrations } from './migrations.ts';
import type { StoredPerson } from './people.ts';
import { People } from './people.ts';
import { PolicyRevisions } from './policy-revisions.ts';
import { Sessions } from './sessions.ts';
import { Links, Tokens } from './tokens.ts';

function open(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec('PRAGMA foreign_keys = ON;');
  migrate(db, controlMigrations);
  return db;
}

const ada: StoredPerson = {
  id: 'p1',
  name: 'ada',
  displayName: 'Ada Lovelace',
  isEnabled: true,
  passwordHash: '$argon2id$x',
  totpBox: null,
  totpPendingBox: null,
  totpLastStep: null,
  oidc: null,
  createdAt: '2026-11-28T20:00:00.000Z',
  lastSignedInAt: null,
  grants: [
    { role: 'auditor', organization: null },
    { role: 'help-desk', organization: 'contoso' },
  ],
};

const event: AuditEvent = {
  at: '2026-11-28T20:00:00.000Z',
  actor: { kind: 'session', person: 'ada', credential: 's1', address: null },
  action: 'person.added',
  organization: null,
  object: { kind: 'person', name: 'bob' },
  reason: null,
};

test('two people do not have one name or one identity at a provider', () => {
  const people = new People(open());
  const oidc = { issuer: 'https://id.test', subject: '42' };
  people.add({ ...ada, oidc });
  const conflict = { code: 'store-conflict' };
  assert.throws(() => people.add({ ...ada, id: 'p2', oidc: null }), conflict);
  assert.throws(() => people.add({ ...ada, id: 'p2', name: 'bob', oidc }), conflict);
  people.add({ ...ada, id: 'p2', name: 'bob', oidc: { ...oidc, issuer: 'https://other.test' } });
  assert.equal(people.bySubject(oidc)?.id, 'p1');
  assert.equal(people.bySubject({ ...oidc, subject: '43' }), null);
});

test('a person is read back whole, and changed field by field', () => {
  const people = new People(open());
  people.add(ada);
  assert.deepEqual(people.byName('ada'), ada);
  assert.equal(people.byName('Ada'), null);
  people.change('p1', { isEnabled: false, totpBox: Buffer.from('box'), totpLastStep: 7 });
  const changed = people.byId('p1')!;
  assert.equal(changed.isEnabled, false);
  assert.deepEqual(Buffer.from(changed.totpBox!), Buffer.from('box'));
  assert.equal(changed.passwordHash, ada.passwordHash);
  people.change('p1', { passwordHash: null, oidc: { issuer: 'i', subject: 's' } });
  assert.equal(people.byId('p1')!.passwordHash, null);
  people.change('p1', { oidc: null });
  assert.equal(people.byId('p1')!.oidc, null);
  people.setGrants('p1', [{ role: 'auditor', organization: 'contoso' }]);
  assert.deepEqual(people.list()[0]!.grants, [{ role: 'auditor', organization: 'contoso' }]);
});

test('a recovery code counts once, and only for its person', () => {
  const people = new People(open());
  people.add(ada);
  people.add({ ...ada, id: 'p2', name: 'bob' });
  people.setRecoveryCodes('p1', ['a', 'b']);
  assert.equal(people.useRecoveryCode('p2', 'a'), false);
  assert.equal(people.useRecoveryCode('p1', 'a'), true);
  assert.equal(people.useRecoveryCode('p1', 'a'), false);
  people.setRecoveryCodes('p1', ['c']);
  assert.equal(people.useRecoveryCode('p1', 'b'), false);
  assert.equal(people.countRecoveryCodes('p1'), 1);
});

test('whoever is removed leaves no session, token, link or code behind', () => {
  const db = open();
  const [people, tokens, sessions, links] = [
    new People(db),
    new Tokens(db),
    new Sessions(db),
    new Links(db),
  ];
  people.add(ada);
  const token = { id: 't1', person: 'p1', name: 'ci', permissions: ['queue.read'] };
  const rest = { organization: null, createdAt: ada.createdAt, expiresAtMs: 9, lastUsedAtMs: null };
  tokens.add({ ...token, ...rest }, 'digest t');
  const times = { signedInAtMs: 1, lastSeenAtMs: 2, address: '192.0.2.1' };
  sessions.add({ id: 's1', person: 'p1', ...times }, 'digest s');
  links.put({ person: 'p1', expiresAtMs: 5 }, 'digest l');
  assert.deepEqual(tokens.byDigest('digest t'), { ...token, ...rest });
  assert.equal(sessions.byDigest('digest s')?.address, '192.0.2.1');
  people.remove('p1');
  assert.equal(people.count(), 0);
  assert.equal(tokens.byDigest('digest t'), null);
  assert.equal(sessions.byDigest('digest s'), null);
  assert.equal(links.take('digest l'), null);
});

test('a link is taken once, and a newer one replaces it', () => {
  const links = new Links(open());
  links.put({ person: null, expiresAtMs: 5 }, 'first');
  links.put({ person: null, expiresAtMs: 6 }, 'second');
  assert.equal(links.take('first'), null);
  assert.deepEqual(links.read('second'), { person: null, expiresAtMs: 6 });
  assert.deepEqual(links.take('second'), { person: null, expiresAtMs: 6 });
  assert.equal(links.take('second'), null);
});

test('sessions and tokens that ended are forgotten, others not', () => {
  const db = open();
  new People(db).add(ada);
  const sessions = new Sessions(db);
  const base = { person: 'p1', address: null };
  sessions.add({ ...base, id: 'old', signedInAtMs: 10, lastSeenAtMs: 99 }, 'a');
  sessions.add({ ...base, id: 'idle', signedInAtMs: 50, lastSeenAtMs: 60 }, 'b');
  sessions.add({ ...base, id: 'live', signedInAtMs: 50, lastSeenAtMs: 99 }, 'c');
  sessions.removeOver({ signedInBeforeMs: 20, seenBeforeMs: 70 });
  assert.deepEqual(
    sessions.listOf('p1').map(({ id }) => id),
    ['live'],
  );
  sessions.noteSeen('live', 200);
  assert.equal(sessions.listOf('p1')[0]!.lastSeenAtMs, 200);
  assert.equal(sessions.removeOf('p1'), 1);
});

test('roles and tokens for an organization end with it, and do not come back with another of its id', () => {
  const db = open();
  const [people, tokens, policy] = [new People(db), new Tokens(db), new PolicyRevisions(db)];
  people.add(ada);
  for (const [id, organization] of [
    ['t1', 'contoso'],
    ['t2', null],
    ['t3', 'fabrikam'],
  ] as const) {
    const of = { id, person: 'p1', name: id, permissions: ['queue.read'], organization };
    const times = { createdAt: ada.createdAt, expiresAtMs: 9, lastUsedAtMs: null };
    tokens.add({ ...of, ...times }, `digest of ${id}`);
  }
  const write = (number: number, value: object | null): void => {
    const contoso = { kind: 'organization', organization: null, name: 'contoso' };
    const by = { author: 'ann', origin: 'change', reason: null, fileDigest: null };
    const revision = { number, at: '2026-11-28T20:00:00.000Z', ...by };
    policy.write(revision, [{ ...contoso, position: 1, value, setBy: 'gateway' }]);
  };
  write(1, { name: 'Contoso' });
  write(2, { name: 'Contoso Ltd' });
  assert.deepEqual(people.byId('p1')?.grants, ada.grants);
  write(3, null);
  write(4, { name: 'Somebody else' });
  assert.deepEqual(people.byId('p1')?.grants, [{ role: 'auditor', organization: null }]);
  assert.deepEqual(
    tokens.list(null).map(({ id }) => id),
    ['t2', 't3'],
  );
});

test('the audit log cannot be changed or cut by a statement', () => {
  const db = open();
  const audit = new AuditLog(db);
  audit.append(event);
  assert.throws(() => db.exec("UPDATE audit SET json = '{}'"), /not changed/);
  assert.throws(() => db.exec('DELETE FROM audit'), /not removed/);
});

test('a change that fails leaves neither itself nor its entry', () => {
  const db = open();
  const [people, audit] = [new People(db), new AuditLog(db)];
  people.add(ada);
  assert.throws(() =>
    inTransaction(db, () => {
      audit.append(event);
      people.add({ ...ada, id: 'p2' });
    }),
  );
  assert.deepEqual(audit.read(0, 10), []);
  assert.equal(people.count(), 1);
});

test('entries are found by what they are of, newest first, page by page', () => {
  const audit = new AuditLog(open());
  const at = (minute: number): string => `2026-11-28T20:0${minute}:00.000Z`;
  audit.append({ ...event, at: at(1) });
  audit.append({ ...event, at: at(2), action: 'sign-in.failed', object: null });
  audit.append({ ...event, at: at(3), action: 'sign-in.succeeded', organization: 'contoso' });
  audit.append({ ...event, at: at(4), organization: 'fabrikam' });
  const find = (match: Parameters<typeof audit.search>[0]): number[] =>
    audit.search(match, { before: null, limit: 10 }).map(({ number }) => number);
  assert.deepEqual(find({}), [4, 3, 2, 1]);
  assert.deepEqual(find({ action: 'sign-in' }), [3, 2]);
  assert.deepEqual(find({ action: '%' }), []);
  assert.deepEqual(find({ organizations: ['contoso'] }), [3]);
  assert.deepEqual(find({ organizations: [] }), []);
  assert.deepEqual(find({ since: at(2), until: at(4) }), [3, 2]);
  assert.deepEqual(find({ objectKind: 'person', objectName: 'bob' }), [4, 3, 1]);
  assert.deepEqual(find({ person: 'bob' }), []);
  const page = audit.search({}, { before: 3, limit: 1 });
  assert.deepEqual(
    page.map(({ number }) => number),
    [2],
  );
});

test('what was appended is an intact chain', () => {
  const audit = new AuditLog(open());
  for (let i = 0; i < 5; i++) audit.append(event);
  const verifier = new ChainVerifier();
  for (const link of audit.read(0, 100)) verifier.take(link);
  const verdict = verifier.verdict();
  assert.ok(verdict.kind === 'intact' && verdict.entries === 5);
});
