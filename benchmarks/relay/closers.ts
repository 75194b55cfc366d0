/** What must be ended however a benchmark ends: finished, failed, interrupted or out of time. */

type Closer = () => Promise<void>;

export interface Closers {
  /** Last added, first closed. */
  add(closer: Closer): void;
  closeAll(): Promise<void>;
}

/** Also closes on SIGINT and SIGTERM and after `minutesMax`, and then ends the process. */
export function createClosers(minutesMax: number): Closers {
  const closers: Closer[] = [];
  let closing: Promise<void> | null = null;
  let isAborted = false;
  const closeAll = (): Promise<void> => (closing ??= closeEach(closers));
  const abort = (why: string): void => {
    if (isAborted) return;
    isAborted = true;
    console.error(why);
    void closeAll().finally(() => process.exit(1));
  };
  process.once('SIGINT', () => abort('interrupted'));
  process.once('SIGTERM', () => abort('interrupted'));
  process.stdout.on('error', () => abort('nobody reads the output'));
  const timer = setTimeout(() => abort(`gave up after ${minutesMax} minutes`), minutesMax * 60_000);
  timer.unref();
  return { add: (closer) => void closers.push(closer), closeAll };
}

async function closeEach(closers: readonly Closer[]): Promise<void> {
  for (const closer of closers.toReversed()) {
    await closer().catch((error: unknown) => console.error('while ending:', error));
  }
}
