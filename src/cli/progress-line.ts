/** One line on the terminal that says how far something is; nothing where nobody looks. */
import type { CommandContext } from './command-context.ts';

const clearLine = '\r\u001b[K';

/** Shows what `work` says while it runs, each text in the place of the last, and takes it away. */
export async function withProgress<T>(
  { err, width }: CommandContext,
  work: (say: (text: string) => void) => Promise<T>,
): Promise<T> {
  if (width === null) return work(() => undefined);
  const write = (text: string): Promise<void> =>
    err.print(`${clearLine}${text.slice(0, width - 1)}`).catch(() => undefined);
  try {
    return await work((text) => void write(text));
  } finally {
    await write('');
  }
}

/** Between two lines where there is no terminal. */
const linesApartMs = 2000;

/** The same for long reading: without a terminal a line of its own now and then, quiet if asked. */
export async function withReports<T>(
  context: CommandContext,
  isQuiet: boolean,
  work: (say: (text: string) => void) => Promise<T>,
): Promise<T> {
  if (isQuiet) return work(() => undefined);
  if (context.width !== null) return withProgress(context, work);
  let lastMs = context.nowMs();
  return work((text) => {
    if (context.nowMs() - lastMs < linesApartMs) return;
    lastMs = context.nowMs();
    void context.err.print(`${text}\n`).catch(() => undefined);
  });
}
