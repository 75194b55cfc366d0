/** Sizes as people write them: `50MB` (powers of 1000), `256KiB` (powers of 1024), `0`. */

const unitsBytes = [
  ['TiB', 2 ** 40],
  ['TB', 1e12],
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 2 ** 10],
  ['KB', 1e3],
  ['kB', 1e3],
  ['B', 1],
] as const;

/** The units that `parseSize` knows, as written; case matters (`Mb` would be bits). */
export const sizeUnits: readonly string[] = unitsBytes.map(([unit]) => unit);

/** Bytes, or null where the text is no size: a whole number and a unit. */
export function parseSize(text: string): number | null {
  if (text === '0') return 0;
  const match = /^(\d{1,16}) ?([A-Za-z]{1,3})$/.exec(text);
  if (match === null) return null;
  const unit = unitsBytes.find(([name]) => name === match[2]);
  if (unit === undefined) return null;
  const bytes = Number(match[1]) * unit[1];
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The canonical text: the largest unit that leaves no remainder; `0` for nothing. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0';
  const [unit, unitBytes] = unitsBytes.find(([, size]) => bytes % size === 0)!;
  return `${bytes / unitBytes}${unit}`;
}
