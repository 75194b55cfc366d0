/** Durations as people write them: `15m`, `1h30m`, `500ms`, `0`. For the schema and for messages. */

const unitsMs = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const shape = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Milliseconds, or null where the text is no duration: whole numbers, largest unit first. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0;
  if (text.length === 0 || text.length > 64) return null;
  const match = shape.exec(text);
  if (match === null) return null;
  const totalMs = unitsMs.reduce(
    (sum, [, unitMs], place) => sum + Number(match[place + 1] ?? 0) * unitMs,
    0,
  );
  return Number.isSafeInteger(totalMs) ? totalMs : null;
}

/** The canonical text: `1h30m`, `0` for nothing. `ms` is a whole number, not negative. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  let rest = ms;
  let text = '';
  for (const [unit, unitMs] of unitsMs) {
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}
