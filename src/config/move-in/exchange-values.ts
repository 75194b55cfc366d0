/**
 * Values as PowerShell writes them: switches, words of enumerations, lists, dates, names with a type.
 *
 * Null always means: not understood.
 */

const unsetText = /^\s*$|^\{\s*\}$|^\$null$|^0{8}-0{4}-0{4}-0{4}-0{12}$/i;

/** Not set: null, empty text, an empty list, the zero GUID. */
export function isUnset(value: unknown): boolean {
  const bare = unwrap(value);
  if (bare === null || bare === undefined) return true;
  if (Array.isArray(bare)) return bare.every(isUnset);
  if (typeof bare === 'object') return Object.keys(bare).length === 0;
  return typeof bare === 'string' && unsetText.test(bare);
}

/**
 * What PowerShell 5 puts around values: `{value, Count}` around lists, `{value: 2, Value: 'Partner'}`
 * around words, `{value: '/Date(…)/', DateTime}` around dates.
 */
export function unwrap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const word = fields['Value'];
  if (typeof word === 'string') return word;
  const hasMark = ['Count', 'DateTime', 'DisplayHint', 'Length'].some((key) =>
    Object.hasOwn(fields, key),
  );
  return hasMark && Object.hasOwn(fields, 'value') ? unwrap(fields['value']) : value;
}

export function readFlag(value: unknown): boolean | null {
  const bare = unwrap(value);
  if (typeof bare === 'boolean') return bare;
  if (typeof bare !== 'string') return null;
  const text = bare.trim().toLowerCase().replace(/^\$/, '');
  return text === 'true' ? true : text === 'false' ? false : null;
}

/** Numbers stand for words in an order that is documented nowhere, so they are not understood. */
export function readWord<const T extends string>(value: unknown, words: readonly T[]): T | null {
  const bare = unwrap(value);
  if (typeof bare !== 'string') return null;
  const lower = bare.trim().toLowerCase();
  return words.find((word) => word.toLowerCase() === lower) ?? null;
}

/** Whether it is the number of an enumeration's word, which could have been written out. */
export function isNumber(value: unknown): boolean {
  const bare = unwrap(value);
  return typeof bare === 'number' || (typeof bare === 'string' && /^\d+$/.test(bare.trim()));
}

/** Text, or the text inside of an object that stands for an address, a domain or a host. */
export function readText(value: unknown): string | null {
  const bare = unwrap(value);
  if (typeof bare === 'string') return bare;
  if (typeof bare === 'number' || typeof bare === 'boolean') return String(bare);
  if (typeof bare !== 'object' || bare === null || Array.isArray(bare)) return null;
  const fields = bare as Readonly<Record<string, unknown>>;
  const keys = ['OriginalString', 'Expression', 'AddressString', 'Address', 'Domain', 'Name'];
  const found = keys.map((key) => fields[key]).find((field) => typeof field === 'string');
  return typeof found === 'string' && found !== '' ? found : null;
}

/** Export-Csv writes the type of a list instead of what is in it. */
export function isTypeName(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^(?:System|Microsoft|Deserialized)\.[\w.]+(?:`\d)?(?:\[.*\])?$/.test(value.trim())
  );
}

/** A list of texts; a single text is joined by blanks, commas, semicolons or bars. */
export function readJoinedList(value: unknown): readonly string[] | null {
  const bare = unwrap(value);
  if (typeof bare !== 'string') return readList(bare);
  if (isTypeName(bare)) return null;
  const inner = bare.trim().replace(/^\{(.*)\}$/s, '$1');
  // A semicolon before digits alone is the cost of an address space: smtp:contoso.com;1
  return inner.split(/[\s,|]+|;(?!\d+(?:[\s,;|]|$))/).filter((part) => part !== '');
}

/** A list of texts; a single text is one entry. Null where an entry is no text. */
export function readList(value: unknown): readonly string[] | null {
  const bare = unwrap(value);
  if (bare === null || bare === undefined) return [];
  if (!Array.isArray(bare)) {
    const text = readText(bare);
    return text === null || isTypeName(text) ? null : text === '' ? [] : [text];
  }
  const texts = bare.map(readText);
  return texts.every((text) => text !== null) ? texts.filter((text) => text !== '') : null;
}

/** `smtp:*.contoso.com;1` is the domain and its cost; a domain alone costs 1. */
export function readAddressSpace(text: string): { readonly domain: string; readonly cost: number } {
  const match = /^(?:[a-z]+:)?(.*?)(?:;(\d+))?$/is.exec(text.trim());
  return { domain: (match?.[1] ?? text).trim(), cost: Number(match?.[2] ?? 1) };
}

export interface ReadMoment {
  /** As RFC 3339 in UTC. */
  readonly at: string;
  /** The source names no zone; UTC was taken. */
  readonly isZoneGuessed: boolean;
}

/** `/Date(1706500000000)/` or ISO 8601. What depends on a country's habits is not understood. */
export function readMoment(value: unknown): ReadMoment | null {
  const bare = unwrap(value);
  if (typeof bare !== 'string') return null;
  const text = bare.trim();
  const ticks = /^\/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\/$/.exec(text)?.[1];
  if (ticks !== undefined) return momentOf(Number(ticks), false);
  const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (iso === null) return null;
  const hasZone = iso[1] !== undefined;
  return momentOf(Date.parse(hasZone ? text : `${text}Z`), !hasZone);
}

function momentOf(ms: number, isZoneGuessed: boolean): ReadMoment | null {
  if (!Number.isFinite(ms) || Math.abs(ms) > 253_402_300_799_999) return null;
  return { at: new Date(ms).toISOString(), isZoneGuessed };
}

/** The name in a subject such as `<I>CN=CA<S>CN=mail.contoso.com, O=Contoso`; null where there is none. */
export function commonNameIn(text: string): string | null {
  const subject = text.includes('<S>') ? text.slice(text.indexOf('<S>') + 3) : text;
  const match = /(?:^|[,;]\s*)CN\s*=\s*"?([^,;"+]+)/i.exec(subject);
  return match?.[1]?.trim() ?? null;
}

/** `10 MB (10,485,760 bytes)`, or a number of bytes. */
export function readSizeBytes(value: unknown): number | null {
  const text = (readText(value) ?? '').trim();
  const digits = /\(([\d.,\s]+) bytes\)$/.exec(text)?.[1] ?? (/^\d+$/.test(text) ? text : null);
  if (digits === null) return null;
  const bytes = Number(digits.replace(/\D/g, ''));
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}
