/**
 * Entry of the store thread in crash tests: kills its own process at a chosen point of the n-th
 * commit. Never started by the product.
 */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import type { CommitPoint } from './sqlite-shard.ts';
import type { ThreadOptions } from './store-thread.ts';
import { runStoreThread } from './store-thread.ts';

/** `throw` ends the thread alone, `kill` the whole process as `kill -9` does. */
export interface CrashOptions {
  readonly crash: {
    readonly at: CommitPoint;
    readonly commit: number;
    readonly how: 'kill' | 'exit';
  };
}

assert(parentPort !== null, 'the store thread is started by its client');
const { crash } = workerData as ThreadOptions & CrashOptions;
let commits = 0;
runStoreThread(parentPort, workerData as ThreadOptions, (point) => {
  if (point === 'begun') commits += 1;
  if (point !== crash.at || commits !== crash.commit) return;
  if (crash.how === 'kill') process.kill(process.pid, 'SIGKILL');
  else process.exit(9);
});
