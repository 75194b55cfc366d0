/** Values as Exchange writes them, in the words of our schema: dates, sizes, ranges, addresses. Pure. */
import { expandRange, parseSpan } from '../../policy/address-span.ts';
import { usage } from './parameter.ts';

/** One text of a value, by the key that it is for. What needs no other words stays. */
export function fromExchange(key: string, text: string): string {
  const condition = key.replace(/^exceptIf/, '').toLowerCase();
  if (condition === 'messagesizeover') return readSize(text);
  if (dates.has(key)) return readDate(key, text);
  if (key === 'smartHosts') return text.replace(/^\[(\d{1,3}(?:\.\d{1,3}){3})\]$/, '$1');
  if (key === 'senderDomains' || key === 'recipientDomains') {
    return text.replace(/^smtp:/i, '').replace(/;\d+$/, '');
  }
  return text;
}

/** The same of a list; a range of addresses becomes several. */
export function listFromExchange(key: string, texts: readonly string[]): readonly string[] {
  const isRanges = key.toLowerCase().endsWith('senderipranges');
  return texts.flatMap((text) => (isRanges ? expand(text) : [fromExchange(key, text)]));
}

function expand(text: string): readonly string[] {
  const span = text.includes('-') ? parseSpan(text.replaceAll(' ', '')) : null;
  return span === null ? [text] : expandRange(span);
}

/** Exchange's KB is 1024 bytes, ours 1000; a bare number is bytes. */
function readSize(text: string): string {
  const match = /^(\d{1,18})\s*(B|[KMGT]B)?$/i.exec(text.trim());
  if (match === null) return text;
  const unit = (match[2] ?? 'B').toUpperCase();
  return `${match[1]!}${unit === 'B' ? 'B' : `${unit[0]!}iB`}`;
}

const dates: ReadonlySet<string> = new Set([
  'activationDate',
  'expiryDate',
  'lastValidationTimestamp',
]);

/** In UTC where it names no zone; null where it is no date. */
export function parseExchangeDate(text: string): string | null {
  const american = readAmerican(text);
  if (american !== null) return american;
  const iso =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}:\d{2})(?::(\d{2})(?:\.\d{1,7})?)?\s*(Z|[+-]\d{2}:\d{2})?)?$/i.exec(
      text.trim(),
    );
  if (iso === null) return null;
  const [, day = '', clock = '0:00', seconds = '00', zone = 'Z'] = iso;
  return toIso(`${day}T${clock.padStart(5, '0')}:${seconds}${zone.toUpperCase()}`, day);
}

/** `09/01/2018`, `9/1/2018 5:00 PM`: the month first, as in Microsoft's examples. */
function readAmerican(text: string): string | null {
  const match =
    /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AP]M)?)?$/i.exec(
      text.trim(),
    );
  if (match === null) return null;
  const [, month = '', date = '', year = '', hour = '0', minute = '00', second = '00'] = match;
  const half = match[7]?.toUpperCase();
  const hours = Number(hour);
  if (half !== undefined && (hours < 1 || hours > 12)) return null;
  const real = half === undefined ? hours : (hours % 12) + (half === 'PM' ? 12 : 0);
  const two = (part: string | number): string => String(part).padStart(2, '0');
  const day = `${year}-${two(month)}-${two(date)}`;
  return toIso(`${day}T${two(real)}:${minute}:${second}Z`, day);
}

/** Null for a day that does not exist. */
function toIso(text: string, day: string): string | null {
  const noon = new Date(`${day}T12:00:00Z`);
  const isDay = !Number.isNaN(noon.getTime()) && noon.toISOString().slice(0, 10) === day;
  const at = new Date(text);
  return isDay && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}

function readDate(key: string, text: string): string {
  const isTime = /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  // As our schema takes it: its own words say what is wrong with it.
  if (isTime || (isDay && key !== 'lastValidationTimestamp')) return text;
  const date = parseExchangeDate(text);
  if (date !== null) return date;
  throw usage(
    `-${key.charAt(0).toUpperCase()}${key.slice(1)} takes a date such as 09/01/2026 (the month first) or '09/01/2026 5:00 PM', or 2026-09-01T17:00:00Z, all in UTC, not ${JSON.stringify(text)}`,
  );
}
