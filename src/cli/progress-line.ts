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
