/**
 * Splits what a person wrote for a list at its commas; both spellings do it alike. Pure.
 *
 * Quotes that the shell left keep an entry whole: `"a, b","c"`. A quote is doubled inside of itself;
 * in double quotes a backtick stands before what shall be itself, as in PowerShell.
 */

/**
 * `words`: a comma before a blank is part of a phrase. `patterns`: nor does one inside of brackets
 * part, as in `a{1,3}`.
 */
export type ListStyle = 'plain' | 'words' | 'patterns';

/** The style of a key's entries. */
export function listStyleOf(key: string): ListStyle {
  if (key.endsWith('Patterns')) return 'patterns';
  return key.endsWith('Words') ? 'words' : 'plain';
}

/** Null where an entry between commas is empty. Blanks around entries are dropped. */
export function splitList(text: string, style: ListStyle): readonly string[] | null {
  const entries: string[] = [];
  let at = 0;
  for (;;) {
    const { value, end } = readEntry(text, at, style);
    if (value === null) return null;
    entries.push(value);
    if (end >= text.length) return entries;
    at = end + 1;
  }
}

/** Quoted so that `splitList` gives the entries back. */
export function formatList(entries: readonly string[]): string {
  return entries.map((entry) => `'${entry.replaceAll("'", "''")}'`).join(',');
}

/** What stands in quotes if the whole text does, else the text. */
export function unquote(text: string): string {
  const quoted = readQuoted(text, 0);
  return quoted !== null && quoted.end === text.length ? quoted.value : text;
}

interface Entry {
  readonly value: string | null;
  /** The place of the comma after it, or the length. */
  readonly end: number;
}

function readEntry(text: string, start: number, style: ListStyle): Entry {
  const begin = skipBlanks(text, start);
  const quoted = readQuoted(text, begin);
  if (quoted !== null) {
    const end = skipBlanks(text, quoted.end);
    if (end === text.length || text[end] === ',') return { value: quoted.value, end };
  }
  const end = findComma(text, begin, style);
  const value = text.slice(begin, end).trim();
  return { value: value === '' ? null : value, end };
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && /\s/.test(text[at]!)) at++;
  return at;
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

function findComma(text: string, start: number, style: ListStyle): number {
  const open: string[] = [];
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (style === 'patterns') {
      if (character === '\\') {
        at++;
        continue;
      }
      if (character === open.at(-1)) open.pop();
      // Inside of [ ] brackets are themselves.
      else if (closing[character] !== undefined && open.at(-1) !== ']')
        open.push(closing[character]);
      if (open.length > 0) continue;
    }
    if (character !== ',') continue;
    if (style === 'plain' || !/\s/.test(text[at + 1] ?? '')) return at;
  }
  return text.length;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0' };

/** `end` is behind the closing quote; null where there is none. */
export function readQuoted(
  text: string,
  start: number,
): { readonly value: string; readonly end: number } | null {
  const quote = text[start];
  if (quote !== '"' && quote !== "'") return null;
  let value = '';
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at]!;
    if (character === '`' && quote === '"' && at + 1 < text.length) {
      const next = text[++at]!;
      value += escapes[next] ?? next;
    } else if (character !== quote) value += character;
    else if (text[at + 1] === quote) value += text[++at]!;
    else return { value, end: at + 1 };
  }
  return null;
}
