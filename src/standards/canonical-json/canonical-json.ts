/**
 * Canonical JSON: one text per value, so that equal values have equal hashes.
 *
 * Keys are sorted by UTF-16 code units, numbers and strings as ECMAScript writes them, no white
 * space. Properties that are undefined are left out, as they are no part of JSON.
 * @see RFC 8785 §3.2
 */
const depthMax = 64;

/** A value that JSON cannot hold (NaN, function, bigint, a cycle) is a programmer's error. */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

/** What JSON escapes in strings: controls, quotes, backslashes, lone surrogates. */
// oxlint-disable-next-line eslint/no-control-regex -- controls are what it looks for
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

function write(value: unknown, depth: number): string {
  if (depth >= depthMax) throw new TypeError('canonical JSON: nested too deep, or a cycle');
  switch (typeof value) {
    case 'string':
      return needsEscape.test(value) ? JSON.stringify(value) : `"${value}"`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('canonical JSON: not a finite number');
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return writeArray(value, depth);
      return writeObject(value as Readonly<Record<string, unknown>>, depth);
    case 'undefined':
    case 'bigint':
    case 'function':
    case 'symbol':
      throw new TypeError(`canonical JSON cannot hold ${typeof value}`);
  }
}

function writeArray(values: readonly unknown[], depth: number): string {
  let text = '[';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    text += write(values[i], depth + 1);
  }
  return `${text}]`;
}

function writeObject(object: Readonly<Record<string, unknown>>, depth: number): string {
  const keys = Object.keys(object);
  for (let i = 1; i < keys.length; i++) {
    if (keys[i - 1]! > keys[i]!) {
      keys.sort();
      break;
    }
  }
  let text = '';
  for (const key of keys) {
    const value = object[key];
    if (value === undefined) continue;
    text += (text.length === 0 ? '' : ',') + writeKey(key) + write(value, depth + 1);
  }
  return `{${text}}`;
}

const keyTextsMax = 1000;
const keyTexts = new Map<string, string>();

/** The quoted key with its colon; the few keys that records have are quoted once. */
function writeKey(key: string): string {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(key)}:`;
  if (keyTexts.size < keyTextsMax) keyTexts.set(key, text);
  return text;
}
