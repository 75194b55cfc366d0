/** One target in a thread of its own, whose input the main thread can see if it never ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { FuzzFailure, runTarget } from './run-target.ts';
import { findTarget } from './targets/all-targets.ts';
import { currentInputBytesMax } from './watched-run.ts';
import type { FromWorker, WorkerOrder } from './watched-run.ts';

const { name, count, seed, current } = workerData as WorkerOrder;
const progress = new Int32Array(current, 0, 2);
const bytes = new Uint8Array(current, 8);
const port = parentPort!;
const post = (message: FromWorker): void => port.postMessage(message);

try {
  const report = await runTarget(findTarget(name)!, {
    count,
    seed,
    onInput(input, index) {
      bytes.set(input.subarray(0, currentInputBytesMax));
      progress[0] = index;
      progress[1] = Math.min(input.length, currentInputBytesMax);
    },
    onNew: (input, outcome) => post({ kind: 'new', input: new Uint8Array(input), outcome }),
  });
  post({ kind: 'done', report });
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  post({ kind: 'failed', input: new Uint8Array(error.input), text: textOf(error) });
}

function textOf(error: FuzzFailure): string {
  const { cause } = error;
  return `${error.message}\n${cause instanceof Error ? (cause.stack ?? '') : ''}`;
}
