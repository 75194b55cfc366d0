/**
 * The date-time of message headers, `Sun, 22 Nov 2026 03:53:43 +0000`; always written in UTC.
 *
 * For Received, Date and the dates of delivery reports.
 * @see RFC 5322 §3.3
 */

let lastSecond = Number.NaN;
let lastText = '';

/** `ms` since 1970, years 1900 to 9999; what is below a second is dropped. */
export function formatDateTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second === lastSecond) return lastText;
  // The many messages of one second share one text.
  lastText = new Date(second * 1000).toUTCString().replace('GMT', '+0000');
  lastSecond = second;
  return lastText;
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const shape =
  /^(?:[A-Za-z]{3}, ?)?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))? ([+-])(\d{2})(\d{2})$/;

/** The times that have a text; a zone may put the others just beyond. */
const earliestMs = Date.UTC(1900, 0);
const endMs = Date.UTC(10_000, 0);

/** Milliseconds since 1970; null where the text is no date-time with a numeric zone. */
export function parseDateTime(text: string): number | null {
  if (text.length > 64) return null;
  const match = shape.exec(text.trim());
  if (match === null) return null;
  const month = months.indexOf(match[2]!);
  const [day, year, hour, minute] = [1, 3, 4, 5].map((group) => Number(match[group]));
  const second = Number(match[6] ?? 0);
  const zoneMinutes = (Number(match[8]) * 60 + Number(match[9])) * (match[7] === '-' ? -1 : 1);
  const local = Date.UTC(year!, month, day, hour, minute, second);
  const isReal =
    month >= 0 &&
    year! >= 1900 &&
    new Date(local).getUTCDate() === day &&
    hour! < 24 &&
    minute! < 60 &&
    second <= 60 &&
    Number(match[9]) < 60;
  const at = local - zoneMinutes * 60_000;
  return isReal && at >= earliestMs && at < endMs ? at : null;
}
