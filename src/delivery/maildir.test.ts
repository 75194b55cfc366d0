import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { delivery, outcomesOf, startRig } from '../../test/support/delivery-rig.ts';
import { address } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import { writeToMaildir } from './maildir.ts';
import type { MaildirMessage } from './maildir.ts';

const directory = await mkdtemp(join(tmpdir(), 'postern-maildir-'));
after(async () => {
  await rm(directory, { recursive: true });
  await removeDirectory();
});

let mailboxes = 0;

function message(part: Partial<MaildirMessage> = {}): MaildirMessage {
  return {
    path: join(directory, 'org', `box${++mailboxes}`),
    key: 'MESSAGE1',
    receivedAtMs: 1_700_000_000_123,
    hostName: 'mx.example.test',
    reversePath: address('a@partner.test'),
    content: { kind: 'memory', bytes: Buffer.from('Subject: x\r\n\r\nbody\r\n') },
    mayBeThere: false,
    ...part,
  };
}

const wanted = 'Return-Path: <a@partner.test>\r\nSubject: x\r\n\r\nbody\r\n';

test('makes the mailbox and leaves the message in new, with its Return-Path, nothing in tmp', async () => {
  const one = message();
  assert.equal(await writeToMaildir(one), 'written');
  const [name] = await readdir(join(one.path, 'new'));
  assert.match(name!, /^1700000000\.[\w-]{22}\.mx\.example\.test$/);
  assert.equal(await readFile(join(one.path, 'new', name!), 'latin1'), wanted);
  assert.deepEqual(await readdir(join(one.path, 'tmp')), []);
});

test('a retry makes no second copy, also where the reader has moved and flagged the first', async () => {
  const one = message();
  await writeToMaildir(one);
  const retry = { ...one, mayBeThere: true };
  assert.equal(await writeToMaildir(retry), 'was-there');
  const [name] = await readdir(join(one.path, 'new'));
  await rename(join(one.path, 'new', name!), join(one.path, 'cur', `${name!}:2,S`));
  assert.equal(await writeToMaildir(retry), 'was-there');
  assert.deepEqual(await readdir(join(one.path, 'new')), []);
});

test('other messages get other names, many at once', async () => {
  const { path } = message();
  const keys = Array.from({ length: 50 }, (_, i) => `M${i}`);
  await Promise.all(keys.map((key) => writeToMaildir(message({ path, key }))));
  assert.equal((await readdir(join(path, 'new'))).length, 50);
});

test('copies a spool file from its offset, and refuses one of another size', async () => {
  const spool = join(directory, 'spool');
  await writeFile(spool, 'HEADSubject: x\r\n\r\nbody\r\n');
  const one = message({ content: { kind: 'spool', path: spool, offset: 4, sizeBytes: 20 } });
  await writeToMaildir(one);
  const [name] = await readdir(join(one.path, 'new'));
  assert.equal(await readFile(join(one.path, 'new', name!), 'latin1'), wanted);
  const other = message({ content: { kind: 'spool', path: spool, offset: 4, sizeBytes: 21 } });
  await assert.rejects(writeToMaildir(other));
  assert.deepEqual(await readdir(join(other.path, 'new')), []);
  assert.deepEqual(await readdir(join(other.path, 'tmp')), []);
});

test('a mailbox gets one copy for all of its addresses; the unknown one bounces', async () => {
  const rig = await startRig();
  const recipients = ['user@example.test', 'USER@example.test', 'nobody@example.test'].map(address);
  const outcomes = outcomesOf(await rig.room.attempt(delivery({ recipients })));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['delivered', 'delivered', 'bounced'],
  );
  assert.equal((await readdir(join(rig.mailboxes, 'org', 'user', 'new'))).length, 1);
  await rig.close();
});

test('a mailbox that cannot be written to defers', async () => {
  const rig = await startRig({ services: { mailboxPath: () => '/dev/null/box' } });
  const recipients = [address('user@example.test')];
  const [outcome] = outcomesOf(await rig.room.attempt(delivery({ recipients })));
  assert(outcome?.kind === 'deferred');
  assert.equal(outcome.cause, 'local');
  await rig.close();
});
