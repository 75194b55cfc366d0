/**
 * Loaded into a gateway under test by `node --import`: its store threads kill their process at the
 * chosen point of a commit, once. POSTERN_TEST_CRASH is `{"at", "commit", "markFile"}`.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

const crashing = new URL('./crash-at-commit-worker.ts', import.meta.url);

workerThreads.Worker = class CrashingWorker extends workerThreads.Worker {
  constructor(file, options) {
    super(String(file).endsWith('/sqlite-worker.ts') ? crashing : file, options);
  }
};
syncBuiltinESMExports();
