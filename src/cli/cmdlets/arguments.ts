/** The values that a command line gave the parameters of one cmdlet. */
import type { BoundArguments } from './bind-arguments.ts';
import { bindArguments } from './bind-arguments.ts';
import type { ParameterSet } from './parameter.ts';
import { usage } from './parameter.ts';
import type { CmdletValue } from './read-value.ts';
import { readValue } from './read-value.ts';

/** By the names of parameters; what was not given is absent. */
export class Arguments {
  readonly #bound: BoundArguments;
  readonly #values = new Map<string, CmdletValue>();

  /** Throws nothing but usage Failures. */
  constructor(words: readonly string[], set: ParameterSet) {
    this.#bound = bindArguments(words, set);
    for (const [name, bound] of this.#bound) this.#values.set(name, readValue(bound));
    if (this.flag('Help') === true) return;
    const missing = set.parameters.find(
      ({ name, isRequired }) => isRequired === true && !this.#values.has(name),
    );
    if (missing !== undefined) throw usage(`-${missing.name} is needed: ${missing.description}`);
  }

  /** In the order of the command line. */
  get names(): readonly string[] {
    return [...this.#values.keys()];
  }

  value(name: string): CmdletValue | undefined {
    return this.#values.get(name);
  }

  /** Undefined where it was not given. */
  flag(name: string): boolean | undefined {
    const value = this.#values.get(name);
    return value?.kind === 'flag' ? value.value : undefined;
  }

  /** Null where it was not given, or as `$null`. */
  text(name: string): string | null {
    const value = this.#values.get(name);
    return value?.kind === 'text' ? value.value : null;
  }

  /** One of the parameter's words; null where it was not given. */
  word(name: string): string | null {
    const text = this.text(name);
    const words = this.#bound.get(name)?.parameter.words ?? [];
    if (text === null || words.includes(text)) return text;
    throw usage(`-${name} is one of ${words.join(', ')}, not ${JSON.stringify(text)}`);
  }

  /** A whole number from 0; null where it was not given. */
  count(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw usage(`-${name} is a whole number from 0, not ${JSON.stringify(text)}`);
  }

  /** Null where it was not given. */
  list(name: string): readonly string[] | null {
    const value = this.#values.get(name);
    if (value?.kind === 'edit') throw usage(`-${name} takes a list, without Add and Remove`);
    if (value?.kind === 'text') return [value.value];
    return value?.kind === 'list' ? value.values : null;
  }
}

/** `-ResultSize`: a number or Unlimited. */
export function resultSizeOf(given: Arguments, fallback: number): number {
  const text = given.text('ResultSize');
  if (text === null) return fallback;
  if (text.toLowerCase() === 'unlimited') return Number.POSITIVE_INFINITY;
  const size = given.count('ResultSize')!;
  if (size > 0) return size;
  throw usage('-ResultSize is a number from 1, or Unlimited');
}
