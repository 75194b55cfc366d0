/** Entry of the store thread; started by `sqlite-store.ts`. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadOptions } from './store-thread.ts';
import { runStoreThread } from './store-thread.ts';

assert(parentPort !== null, 'the store thread is started by its client');
runStoreThread(parentPort, workerData as ThreadOptions);
