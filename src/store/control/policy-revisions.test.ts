import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Failure } from '../../mail/failure.ts';
import { DatabaseSync } from 'node:sqlite';
import { openControl, openControlReader } from './control-file.ts';
import type { ObjectWrite, StoredRevision } from './policy-revisions.ts';
import type { PolicyRevisions } from './policy-revisions.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-control-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

function openNew(): { readonly file: string; readonly revisions: PolicyRevisions } {
  const file = join(folder, `control-${++files}.db`);
  return { file, revisions: openControl(file).policy };
}

function revision(number: number, more: Partial<StoredRevision> = {}): StoredRevision {
  return {
    number,
    at: `2026-11-28T20:00:0${number}.000Z`,
    author: 'ann',
    origin: 'change',
    reason: null,
    fileDigest: null,
    ...more,
  };
}

function rule(name: string, value: unknown, position = 1): ObjectWrite {
  return { kind: 'rule', organization: 'contoso', name, position, value, setBy: 'gateway' };
}

test('an object is as its newest version says that is not younger than the revision', () => {
  const { revisions } = openNew();
  assert.equal(revisions.newest(), null);
  revisions.write(revision(1), [rule('a', { stop: true }, 2), rule('b', { stop: false }, 1)]);
  revisions.write(revision(2), [rule('a', { stop: false }, 3)]);
  revisions.write(revision(3), [rule('a', null)]);
  const at = (number: number) =>
    revisions.objectsAt(number).map(({ name, value, revision: of }) => [name, value, of]);
  assert.deepEqual(at(0), []);
  assert.deepEqual(at(1), [
    ['b', { stop: false }, 1],
    ['a', { stop: true }, 1],
  ]);
  assert.deepEqual(at(2), [
    ['b', { stop: false }, 1],
    ['a', { stop: false }, 2],
  ]);
  assert.deepEqual(at(3), [['b', { stop: false }, 1]]);
  assert.equal(revisions.newest()?.number, 3);
});

test('a revision tells what it did to each object', () => {
  const { revisions } = openNew();
  revisions.write(revision(1), [rule('a', 1)]);
  revisions.write(revision(2), [rule('a', 2), rule('b', 1)]);
  revisions.write(revision(3), [rule('a', null)]);
  revisions.write(revision(4), [rule('a', 4)]);
  const changes = (number: number) =>
    revisions
      .changesOf(number)
      .map(({ name, before, after: then }) => [name, before?.value ?? null, then?.value ?? null]);
  assert.deepEqual(changes(1), [['a', null, 1]]);
  assert.deepEqual(changes(2), [
    ['a', 1, 2],
    ['b', null, 1],
  ]);
  assert.deepEqual(changes(3), [['a', 2, null]]);
  assert.deepEqual(changes(4), [['a', null, 4]]);
});

test('a revision is written whole or not at all, with what belongs to it', () => {
  const { revisions } = openNew();
  revisions.write(revision(1), [rule('a', 1)]);
  const fails = (writes: readonly ObjectWrite[], also?: () => void) =>
    assert.throws(() => revisions.write(revision(2), writes, also), Failure);
  fails([rule('b', 1), rule('b', 2)]);
  fails([rule('b', 1)], () => {
    throw new Failure('store-full', 'no room');
  });
  assert.equal(revisions.newest()?.number, 1);
  assert.equal(revisions.objectsAt(9).length, 1);
  assert.throws(() => revisions.write(revision(1), [rule('c', 1)]), Failure);
});

test('the last import and the revisions of one policy are found', () => {
  const { revisions } = openNew();
  revisions.write(revision(1, { fileDigest: 'f1' }), []);
  revisions.write(revision(2), []);
  revisions.write(revision(3), []);
  assert.equal(revisions.lastImport()?.number, 1);
  const numbers = (before: number | null) => revisions.list(before, 2).map(({ number }) => number);
  assert.deepEqual(numbers(null), [3, 2]);
  assert.deepEqual(numbers(2), [1]);
  const since = (minute: number) => `2026-11-28T20:0${minute}:00.000Z`;
  revisions.noteInForce({ since: since(1), policyRevision: 'p', revision: 1 });
  revisions.noteInForce({ since: since(2), policyRevision: 'q', revision: 2 });
  revisions.noteInForce({ since: since(3), policyRevision: 'p', revision: 3 });
  const when = revisions.whenInForce('p', 9).map((note) => [note.revision, note.since]);
  assert.deepEqual(when, [
    [3, since(3)],
    [1, since(1)],
  ]);
});

test('what was written is there for another process, which cannot write', () => {
  const { file, revisions } = openNew();
  revisions.write(revision(1), [rule('a', { text: 'ä "quoted"' })]);
  const reader = openControlReader(file)!;
  assert.deepEqual(reader.policy.objectsAt(1)[0]?.value, { text: 'ä "quoted"' });
  assert.throws(() => reader.policy.write(revision(2), []), Failure);
  reader.close();
  assert.equal(openControlReader(join(folder, 'nothing.db')), null);
});

test('a file of a newer program is refused, and left as it is', () => {
  const { file } = openNew();
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
  for (const open of [openControl, openControlReader]) {
    assert.throws(() => open(file), { code: 'store-newer' });
  }
});
