/** Runs a target in a thread and ends it where one input takes longer than any input may. */
import { Worker } from 'node:worker_threads';
import type { FuzzReport } from './run-target.ts';

export interface WorkerOrder {
  readonly name: string;
  readonly count: number;
  readonly seed: number;
  /** Number of the input, its length, then its bytes. */
  readonly current: SharedArrayBuffer;
}

export type FromWorker =
  | { readonly kind: 'new'; readonly input: Uint8Array; readonly outcome: string }
  | { readonly kind: 'done'; readonly report: FuzzReport }
  | { readonly kind: 'failed'; readonly input: Uint8Array; readonly text: string };

export type WatchedResult =
  | { readonly kind: 'done'; readonly report: FuzzReport }
  | { readonly kind: 'failed' | 'hung'; readonly input: Buffer; readonly text: string };

/** Bytes of the input under way that the main thread can see. */
export const currentInputBytesMax = 65_536;
/** Far beyond what any input may take on a busy machine. */
const hungAfterMs = 30_000;

/** `onNew` is called with each input whose outcome was not seen before. */
export function runWatched(
  order: Omit<WorkerOrder, 'current'>,
  onNew: (input: Buffer, outcome: string) => void,
): Promise<WatchedResult> {
  const current = new SharedArrayBuffer(8 + currentInputBytesMax);
  const progress = new Int32Array(current, 0, 2);
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: { ...order, current } satisfies WorkerOrder,
  });
  return new Promise((resolve) => {
    const settle = (result: WatchedResult): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve(result);
    };
    let last = -1;
    let lastAt = performance.now();
    const watch = setInterval(() => {
      if (progress[0] !== last) [last, lastAt] = [progress[0]!, performance.now()];
      if (performance.now() - lastAt < hungAfterMs) return;
      const input = Buffer.from(new Uint8Array(current, 8, progress[1]));
      settle({ kind: 'hung', input, text: `input ${last} takes longer than ${hungAfterMs} ms` });
    }, 500);
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'new') onNew(Buffer.from(message.input), message.outcome);
      else if (message.kind === 'done') settle(message);
      else settle({ ...message, input: Buffer.from(message.input) });
    });
    // Thrown outside of the check, as in a callback of a stream: still the doing of this input.
    worker.on('error', (error: Error) => {
      const input = Buffer.from(Buffer.from(current, 8, progress[1]));
      settle({ kind: 'failed', input, text: error.stack ?? error.message });
    });
  });
}
