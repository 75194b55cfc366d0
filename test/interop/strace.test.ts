/** What is on the disk before `250` leaves, as the kernel sees it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { readSystemCalls, straceWords, whyNoStrace } from '../support/strace.ts';
import type { SystemCall } from '../support/strace.ts';
import { queueIdIn } from '../support/submit.ts';

const noStrace = await whyNoStrace();
const skip = noStrace ?? false;

const sizes = { small: 500, spooled: 100_000 };
type Size = keyof typeof sizes;
const ids: Partial<Record<Size, string>> = {};
let folder = '';
let gateway: RunningGateway;
let calls: readonly SystemCall[] = [];

/** In clear, so that the reply can be read among the system calls. */
async function sendMessage(size: Size): Promise<void> {
  const client = await connectRaw({ port: gateway.port('mx'), timeoutMs: 20_000 });
  await client.expect(220);
  await client.command('EHLO client.sender.test', 250);
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
  const body = `marker-${size}-end ${'y'.repeat(50)}\r\n`.repeat(Math.ceil(sizes[size] / 70));
  await client.send(`Subject: marker-${size}\r\n\r\n${body}.\r\n`);
  ids[size] = queueIdIn((await client.expect(250)).text);
  client.close();
}

before(async () => {
  if (noStrace !== null) return;
  folder = await mkdtemp(join(tmpdir(), 'postern-strace-'));
  const outputFile = join(folder, 'calls');
  const setup = await gatewaySetup({ top: { limits: { memoryContent: '16KiB' } } });
  gateway = await startGateway({ ...setup, prefix: straceWords(outputFile) });
  await sendMessage('small');
  await sendMessage('spooled');
  await gateway.waitForMail('user', 2);
  await gateway.stop();
  calls = await readSystemCalls(outputFile);
});
after(async () => {
  if (noStrace !== null) return;
  await gateway?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Index of the first call from `from` on that is so; fails with the calls around it otherwise. */
function find(what: string, from: number, holds: (call: SystemCall) => boolean): number {
  const index = calls.findIndex((call, at) => at >= from && holds(call));
  const around = calls.slice(from, from + 40).map(({ text }) => text.slice(0, 160));
  assert.notEqual(index, -1, `no ${what} after call ${from}:\n${around.join('\n')}`);
  return index;
}

const isSync = ({ name, text }: SystemCall): boolean =>
  (name === 'fdatasync' || name === 'fsync') && text.trimEnd().endsWith('= 0');
const isWal = ({ descriptor }: SystemCall): boolean => descriptor.endsWith('/queue-0.db-wal');

function replyIndex(size: Size): number {
  return find(`250 for ${size}`, 0, ({ text }) => text.includes(`accepted as ${ids[size]!}`));
}

test(
  'a small message is in the log of the database, and that synced, before its 250',
  { skip },
  () => {
    const written = find(
      'write of the message to the WAL',
      0,
      (call) => isWal(call) && /^p?write/.test(call.name) && call.text.includes('marker-small-end'),
    );
    const synced = find('sync of the WAL', written, (call) => isWal(call) && isSync(call));
    assert.ok(synced < replyIndex('small'), `sync at ${synced}, 250 at ${replyIndex('small')}`);
  },
);

test('a large one: its file, then the folder, then the database, then its 250', { skip }, () => {
  const inSpool = ({ descriptor }: SystemCall): boolean => descriptor.includes('/spool/');
  const written = calls.findLastIndex(
    (call) => inSpool(call) && /write/.test(call.name) && call.text.includes('marker-spooled-end'),
  );
  assert.notEqual(written, -1, 'nothing was written to the spool');
  const file = calls[written]!.descriptor;
  const isFileSync = (call: SystemCall): boolean => call.descriptor === file && isSync(call);
  const fileSynced = find('sync of the spool file', written, isFileSync);
  const spoolFolder = file.slice(0, file.lastIndexOf('/'));
  const folderSynced = find(
    'sync of the spool folder',
    fileSynced,
    (call) => call.descriptor === spoolFolder && isSync(call),
  );
  const row = find(
    'write to the WAL',
    folderSynced,
    (call) => isWal(call) && /^p?write/.test(call.name),
  );
  const committed = find('sync of the WAL', row, (call) => isWal(call) && isSync(call));
  const reply = replyIndex('spooled');
  assert.ok(committed < reply, `WAL synced at ${committed}, 250 at ${reply}`);
});
