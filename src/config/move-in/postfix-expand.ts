/**
 * The values of main.cf with their `$name`s put in. @see postconf(5)
 *
 * `$name`, `$(name)`, `${name}`, `${name?value}`, `${name:value}`, `${name?{a}:{b}}`,
 * `${{a} == {b} ? {c} : {d}}`, and `$$` for a dollar sign. Bounded: a value that leads to itself, or
 * grows without end, is cut, and said.
 */
import { postfixDefaults } from './postfix-defaults.ts';

export interface Expanded {
  readonly text: string;
  /** What could not be put in, in words; null where all could. */
  readonly problem: string | null;
}

const depthMax = 32;
const lengthMax = 256 * 1024;

export class PostfixParameters {
  readonly #raw: ReadonlyMap<string, string>;
  readonly #known = new Map<string, Expanded>();

  /** `raw`: what main.cf sets, the last of each name. */
  constructor(raw: ReadonlyMap<string, string>) {
    this.#raw = raw;
  }

  isSet(name: string): boolean {
    return this.#raw.has(name);
  }

  /** The value of a parameter, or its default; empty where neither is known. */
  get(name: string): string {
    return this.read(name).text;
  }

  read(name: string): Expanded {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const expansion = new Expansion((inner) => this.#rawOf(inner));
    const text = expansion.expand(this.#rawOf(name) ?? '', 0).trim();
    const expanded = { text, problem: expansion.problem };
    this.#known.set(name, expanded);
    return expanded;
  }

  /** `yes` or `no`. */
  isYes(name: string): boolean {
    return this.get(name).toLowerCase() === 'yes';
  }

  #rawOf(name: string): string | undefined {
    return this.#raw.get(name) ?? postfixDefaults[name];
  }
}

class Expansion {
  problem: string | null = null;
  #length = 0;
  readonly #lookUp: (name: string) => string | undefined;

  constructor(lookUp: (name: string) => string | undefined) {
    this.#lookUp = lookUp;
  }

  expand(text: string, depth: number): string {
    let result = '';
    for (let at = 0; at < text.length;) {
      const dollar = text.indexOf('$', at);
      if (dollar === -1 || this.#isTooMuch(depth)) {
        result += this.#count(text.slice(at));
        break;
      }
      result += this.#count(text.slice(at, dollar));
      const { value, end } = this.#readMacro(text, dollar + 1, depth);
      result += value;
      at = end;
    }
    return result;
  }

  #isTooMuch(depth: number): boolean {
    const isTooDeep = depth > depthMax;
    if (isTooDeep) this.problem ??= 'leads to itself';
    if (this.#length > lengthMax) this.problem ??= 'grows without end';
    return isTooDeep || this.#length > lengthMax;
  }

  #count(text: string): string {
    this.#length += text.length + 1;
    return text;
  }

  /** `at` is behind the dollar sign. */
  #readMacro(text: string, at: number, depth: number): { value: string; end: number } {
    const opening = text[at];
    if (opening === '$') return { value: '$', end: at + 1 };
    if (opening === '{' || opening === '(') {
      const end = findClosing(text, at);
      if (end === -1) {
        this.problem ??= `has no end of ${opening}`;
        return { value: '', end: text.length };
      }
      return { value: this.#inBraces(text.slice(at + 1, end), depth), end: end + 1 };
    }
    const name = /^\w+/.exec(text.slice(at, at + 256))?.[0] ?? '';
    if (name === '') return { value: '$', end: at };
    return { value: this.#valueOf(name, depth), end: at + name.length };
  }

  #inBraces(inner: string, depth: number): string {
    if (inner.trimStart().startsWith('{')) return this.#compare(inner.trim(), depth);
    const match = /^\s*(\w+)\s*(?:([?:])([^]*))?$/.exec(inner);
    if (match === null) {
      this.problem ??= `has \${${inner.slice(0, 40)}}, which is no parameter`;
      return '';
    }
    const [, name = '', sign, rest = ''] = match;
    const value = this.#valueOf(name, depth);
    if (sign === undefined) return value;
    return this.#choose(value !== '', sign === '?' ? rest : `{}:${rest}`, depth);
  }

  /** `{a} == {b} ? {c} : {d}` */
  #compare(inner: string, depth: number): string {
    const firstEnd = findClosing(inner, 0);
    const operator = /^\s*(==|!=|<=|>=|<|>)\s*(?=\{)/.exec(inner.slice(firstEnd + 1));
    const secondStart = firstEnd + 1 + (operator?.[0].length ?? 0);
    const secondEnd = operator === null ? -1 : findClosing(inner, secondStart);
    const rest = /^\s*\?([^]*)$/.exec(inner.slice(secondEnd + 1))?.[1];
    if (firstEnd === -1 || operator === null || secondEnd === -1 || rest === undefined) {
      this.problem ??= `has \${${inner.slice(0, 40)}}, which is no comparison`;
      return '';
    }
    const left = this.expand(inner.slice(1, firstEnd), depth + 1).trim();
    const right = this.expand(inner.slice(secondStart + 1, secondEnd), depth + 1).trim();
    return this.#choose(holds(left, operator[1]!, right), rest, depth);
  }

  /** `{a}:{b}`, `{a}`, or text without braces, which goes to the end. */
  #choose(isFirst: boolean, rest: string, depth: number): string {
    const bare = rest.trimStart();
    if (!bare.startsWith('{')) return isFirst ? this.expand(rest, depth + 1) : '';
    const end = findClosing(bare, 0);
    const second = /^\s*:\s*([^]*)$/.exec(end === -1 ? '' : bare.slice(end + 1))?.[1] ?? '';
    if (isFirst) return this.expand(bare.slice(1, end === -1 ? undefined : end).trim(), depth + 1);
    const inner = second.startsWith('{') ? second.slice(1, findClosing(second, 0)) : second;
    return this.expand(inner.trim(), depth + 1);
  }

  #valueOf(name: string, depth: number): string {
    return this.expand(this.#lookUp(name) ?? '', depth + 1).trim();
  }
}

/** Numbers are compared as numbers; levels such as 3.6 part by part. */
function holds(left: string, operator: string, right: string): boolean {
  const order = compareValues(left, right);
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

function compareValues(left: string, right: string): number {
  if (!/^\d+(?:\.\d+)*$/.test(left) || !/^\d+(?:\.\d+)*$/.test(right)) {
    return left === right ? 0 : left < right ? -1 : 1;
  }
  const [a, b] = [left.split('.').map(Number), right.split('.').map(Number)];
  for (let place = 0; place < Math.max(a.length, b.length); place++) {
    const difference = (a[place] ?? 0) - (b[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The place of the bracket that closes the one at `open`; -1 where none does. */
function findClosing(text: string, open: number): number {
  const [opening, closing] = text[open] === '(' ? ['(', ')'] : ['{', '}'];
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === opening) depth++;
    else if (text[at] === closing && --depth === 0) return at;
  }
  return -1;
}
