/** The store thread of a whole gateway that kills its process at a chosen point; see crash-at-commit.mjs. */
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { CommitPoint } from '../../src/store/sqlite-shard.ts';
import type { ThreadOptions } from '../../src/store/store-thread.ts';
import { runStoreThread } from '../../src/store/store-thread.ts';

const { at, commit, markFile } = JSON.parse(process.env['POSTERN_TEST_CRASH'] ?? '{}') as {
  readonly at: CommitPoint;
  readonly commit: number;
  readonly markFile: string;
};

let commits = 0;
runStoreThread(parentPort!, workerData as ThreadOptions, (point) => {
  if (point === 'begun') commits += 1;
  if (point !== at || commits !== commit || existsSync(markFile)) return;
  writeFileSync(markFile, '');
  process.kill(process.pid, 'SIGKILL');
});
