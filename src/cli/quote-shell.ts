/** A word for a POSIX shell, as it is shown to be copied. */

/** Unchanged where no shell would touch it, else in single quotes. */
export function quoteShell(word: string): string {
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(word)) return word;
  return `'${word.replace(/'/g, `'\\''`)}'`;
}
