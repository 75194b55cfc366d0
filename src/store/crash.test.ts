/** What `kill -9` leaves behind: everything that was acknowledged, and nothing half. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { exists } from './conformance.ts';
import type { CommitPoint } from './sqlite-shard.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

const child = path.join(import.meta.dirname, 'crash-child.ts');

/** Runs until it is killed; what it acknowledged. */
async function runUntilKilled(folder: Folder, at: CommitPoint, commit: number): Promise<string[]> {
  const args = [child, folder.path, folder.spoolFolder, at, String(commit)];
  const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  process_.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const signal = await new Promise((resolve) => process_.once('close', (_, name) => resolve(name)));
  assert.equal(signal, 'SIGKILL');
  return output.split('\n').filter((line) => line.length > 0);
}

/** What was there when the process started, and what it acknowledged since. */
interface Before {
  readonly present: ReadonlySet<number>;
  readonly acknowledged: readonly string[];
}

interface Folder {
  readonly path: string;
  readonly spoolFolder: string;
}

/** Keys that must be there, and those that may be: the one under way when it was killed. */
async function checkAfterCrash(folder: Folder, before: Before): Promise<ReadonlySet<number>> {
  const store = await openSqliteStore(folder);
  try {
    return await checkStore(store, folder, before);
  } finally {
    await store.close();
  }
}

async function checkStore(
  store: Store,
  folder: Folder,
  { present: earlier, acknowledged }: Before,
): Promise<ReadonlySet<number>> {
  const mustBe = new Set(earlier);
  for (const line of acknowledged) {
    const key = Number(line.slice(1));
    if (line.startsWith('+')) mustBe.add(key);
    else mustBe.delete(key);
  }
  const rows = await store.listQueue({ limit: 1000 });
  const present = new Set(rows.map((row) => row.message.key));
  const last = acknowledged.at(-1)!;
  const lastKey = Number(last.slice(1));
  const mayChange = last.startsWith('+') && lastKey % 2 === 0 ? lastKey : lastKey + 1;
  for (const key of mustBe) assert.ok(present.has(key) || key === mayChange, `lost ${key}`);
  for (const key of present) assert.ok(mustBe.has(key) || key === mayChange, `ghost ${key}`);
  const files = new Set<string>();
  for (const key of present) {
    const message = (await store.readMessage(key))!;
    if (message.content.kind === 'memory') {
      assert.match(message.content.bytes.toString(), new RegExp(`^Subject: message ${key}\r\n`));
      continue;
    }
    assert.ok(await exists(message.content.path), `no file for ${key}`);
    files.add(path.basename(message.content.path));
  }
  const left = await readdir(path.join(folder.spoolFolder, 'contoso')).catch(() => []);
  assert.deepEqual(new Set(left), files, 'spool files without a message');
  assert.ok((await store.lastKey()) >= Math.max(0, ...present));
  return present;
}

const points: CommitPoint[] = [
  'begun',
  'directories-synced',
  'rows-written',
  'committed',
  'files-removed',
];

describe('after kill -9', { concurrency: 2 }, () => {
  for (const at of points) {
    it(`${at}: no acknowledged message is lost, none is half there`, async () => {
      const root = await mkdtemp(path.join(tmpdir(), 'postern-crash-'));
      const spoolFolder = path.join(root, 'spool-0');
      const folder = { path: path.join(root, 'queue-0.db'), spoolFolder };
      try {
        let present: ReadonlySet<number> = new Set();
        // The sixth commit of the first run completes a message with a spool file.
        for (const commit of [6, 5]) {
          const acknowledged = await runUntilKilled(folder, at, commit);
          present = await checkAfterCrash(folder, { present, acknowledged });
        }
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    });
  }
});
