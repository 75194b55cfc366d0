/**
 * JSON with the line of each value, for reports that name it.
 *
 * Strict, with a bounded depth. Keys that come twice are all kept, in their order.
 */

export type JsonNode =
  | { readonly kind: 'scalar'; readonly line: number; readonly value: JsonScalar }
  | { readonly kind: 'array'; readonly line: number; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly line: number; readonly entries: readonly JsonEntry[] };

export type JsonScalar = string | number | boolean | null;

export interface JsonEntry {
  readonly key: string;
  readonly line: number;
  readonly node: JsonNode;
}

export type JsonRead =
  | { readonly kind: 'read'; readonly node: JsonNode }
  | { readonly kind: 'wrong'; readonly line: number; readonly text: string };

const depthMax = 64;

/** Never throws. */
export function readJson(text: string): JsonRead {
  const reader = new Reader(text);
  try {
    const node = reader.value(0);
    reader.end();
    return { kind: 'read', node };
  } catch (error) {
    if (error instanceof Wrong) return { kind: 'wrong', line: error.line, text: error.message };
    throw error;
  }
}

class Wrong extends Error {
  readonly line: number;

  constructor(line: number, text: string) {
    super(text);
    this.line = line;
  }
}

const scalar =
  /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

class Reader {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonNode {
    this.#skipBlanks();
    const line = this.#line;
    if (depth > depthMax) throw new Wrong(line, `is nested deeper than ${depthMax} levels`);
    const character = this.#text[this.#at];
    if (character === '{') return { kind: 'object', line, entries: this.#entries(depth) };
    if (character === '[') return { kind: 'array', line, items: this.#items(depth) };
    return { kind: 'scalar', line, value: this.#scalar() };
  }

  end(): void {
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#wrong('the end');
  }

  #scalar(): JsonScalar {
    scalar.lastIndex = this.#at;
    const match = scalar.exec(this.#text);
    if (match === null) throw this.#wrong('a value');
    this.#at += match[0].length;
    return JSON.parse(match[0]) as JsonScalar;
  }

  #entries(depth: number): JsonEntry[] {
    const entries: JsonEntry[] = [];
    this.#at++;
    while (!this.#closes('}', entries.length)) {
      this.#skipBlanks();
      const line = this.#line;
      const key = this.#text[this.#at] === '"' ? this.#scalar() : null;
      if (typeof key !== 'string') throw this.#wrong('a name in quotes');
      this.#skipBlanks();
      if (this.#text[this.#at] !== ':') throw this.#wrong('":"');
      this.#at++;
      entries.push({ key, line, node: this.value(depth + 1) });
    }
    return entries;
  }

  #items(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    this.#at++;
    while (!this.#closes(']', items.length)) items.push(this.value(depth + 1));
    return items;
  }

  /** Takes the closing bracket, or the comma before the next; none stands before the first. */
  #closes(bracket: string, count: number): boolean {
    this.#skipBlanks();
    const character = this.#text[this.#at];
    if (character === bracket) {
      this.#at++;
      return true;
    }
    if (count === 0) return false;
    if (character !== ',') throw this.#wrong(`"," or "${bracket}"`);
    this.#at++;
    return false;
  }

  #skipBlanks(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at];
      if (character === '\n') this.#line++;
      else if (character !== ' ' && character !== '\t' && character !== '\r') return;
    }
  }

  #wrong(wanted: string): Wrong {
    const found = this.#text[this.#at];
    const what = found === undefined ? 'the file ends' : `there is ${JSON.stringify(found)}`;
    return new Wrong(this.#line, `is no JSON: ${what} where ${wanted} is expected`);
  }
}
