/** Postfix's lookup tables by `type:name`, as far as their text is at hand. @see DATABASE_README */
import type { SourceFile } from './decode-text.ts';
import { decodeText } from './decode-text.ts';
import { readLogicalLines, splitWords, withoutBraces } from './postfix-lines.ts';

export interface TableEntry {
  /** In lower case, but for patterns. */
  readonly key: string;
  readonly value: string;
  readonly file: string;
  readonly line: number;
}

export interface Table {
  /** As main.cf names it. */
  readonly name: string;
  /** `pattern`: each key is a regular expression, `cidr` an address range. */
  readonly kind: 'exact' | 'pattern' | 'cidr';
  readonly entries: readonly TableEntry[];
  /** Why its entries are not known; null where they are. */
  readonly problem: string | null;
}

/** Tables that postmap makes of a text, or that are one. */
const textTypes = new Set(['hash', 'btree', 'lmdb', 'cdb', 'dbm', 'sdbm', 'texthash']);

export class TableReader {
  readonly #files: readonly SourceFile[];
  readonly #used = new Set<string>();
  readonly #missing = new Set<string>();

  constructor(files: readonly SourceFile[]) {
    this.#files = files;
  }

  /** Each table that a value of main.cf names. `at`: where it stands, for tables written in it. */
  readAll(value: string, at: { readonly file: string; readonly line: number }): Table[] {
    return splitWords(value).map((word) => this.read(word, at));
  }

  read(word: string, at: { readonly file: string; readonly line: number }): Table {
    const bare = withoutBraces(word).replace(/^proxy:/, '');
    const colon = bare.indexOf(':');
    const [type, name] = [bare.slice(0, colon), bare.slice(colon + 1)];
    if (type === 'inline') return readInline(word, name, at);
    const isPattern = type === 'pcre' || type === 'regexp';
    if (!textTypes.has(type) && !isPattern && type !== 'cidr') {
      const problem = `${colon === -1 ? bare : `a table of type ${type}`} cannot be read here`;
      return { name: word, kind: 'exact', entries: [], problem };
    }
    return this.#readFile(word, name, isPattern ? 'pattern' : type === 'cidr' ? 'cidr' : 'exact');
  }

  /** A list of patterns, as mydestination may name one: `/etc/postfix/domains`. */
  readList(path: string): Table {
    return this.#readFile(path, path, 'exact');
  }

  /** Paths whose text was asked for and not given. */
  missing(): readonly string[] {
    return [...this.#missing];
  }

  /** Files that nothing of main.cf named. */
  unused(): readonly string[] {
    return this.#files.map(({ name }) => name).filter((name) => !this.#used.has(name));
  }

  #readFile(name: string, path: string, kind: Table['kind']): Table {
    const file = this.#find(path);
    if (file === undefined) {
      this.#missing.add(path);
      const problem = `its text was not given: name ${path} on the command line too`;
      return { name, kind, entries: [], problem };
    }
    this.#used.add(file.name);
    const entries = readLogicalLines(decodeText(file.content)).map(({ text, line }) => {
      const [key, value] = kind === 'pattern' ? splitPattern(text) : splitKey(text);
      return { key: kind === 'exact' ? key.toLowerCase() : key, value, file: file.name, line };
    });
    return { name, kind, entries, problem: null };
  }

  /** By the whole path, else by the last part of it where only one file has that. */
  #find(path: string): SourceFile | undefined {
    const whole = this.#files.find(({ name }) => name === path);
    if (whole !== undefined) return whole;
    const last = lastPart(path);
    const alike = this.#files.filter(({ name }) => lastPart(name) === last);
    return alike.length === 1 ? alike[0] : undefined;
  }
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function splitKey(text: string): readonly [string, string] {
  const match = /^(\S+)\s*([^]*)$/.exec(text);
  return [match?.[1] ?? text, match?.[2]?.trim() ?? ''];
}

/** `/pattern/flags result`; whatever is none of it stays whole in the key. */
function splitPattern(text: string): readonly [string, string] {
  const sign = text[0] ?? '';
  if (/[\w!]/.test(sign)) return [text, ''];
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === sign) {
      const rest = /^(\w*)\s*([^]*)$/.exec(text.slice(at + 1));
      return [text.slice(0, at + 1) + (rest?.[1] ?? ''), rest?.[2]?.trim() ?? ''];
    }
  }
  return [text, ''];
}

/** `inline:{ key=value, { key = text with blanks } }` */
function readInline(
  name: string,
  text: string,
  at: { readonly file: string; readonly line: number },
): Table {
  const entries = splitWords(withoutBraces(text)).map((word) => {
    const bare = withoutBraces(word);
    const sign = bare.indexOf('=');
    const key = (sign === -1 ? bare : bare.slice(0, sign)).trim().toLowerCase();
    return { key, value: sign === -1 ? '' : bare.slice(sign + 1).trim(), ...at };
  });
  return { name, kind: 'exact', entries, problem: null };
}
