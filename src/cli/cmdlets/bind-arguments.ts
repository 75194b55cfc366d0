/**
 * Which words of a command line belong to which parameter, as PowerShell does it where its lists and
 * quotes went through another shell first.
 *
 * A shell leaves `"a","b"` as `a,b`, `"a", "b"` as two words of which the first ends in a comma, and
 * PowerShell itself hands `a,b` to a program as two words.
 */
import type { Parameter, ParameterSet } from './parameter.ts';
import { usage } from './parameter.ts';
import { findParameter } from './find-parameter.ts';

/** `segments`: the words of its value; empty where a switch stands alone. */
export interface Bound {
  readonly parameter: Parameter;
  readonly segments: readonly string[];
}

/** By the name of the parameter. */
export type BoundArguments = ReadonlyMap<string, Bound>;

interface Reading {
  readonly words: readonly string[];
  at: number;
  readonly set: ParameterSet;
  readonly bound: Map<string, { readonly parameter: Parameter; readonly segments: string[] }>;
  /** Words without a name. */
  readonly bare: string[];
  /** Words behind the value of a list: more of it, or the positional one. */
  readonly extras: { readonly parameter: Parameter; readonly word: string }[];
}

/** Throws nothing but usage Failures. */
export function bindArguments(words: readonly string[], set: ParameterSet): BoundArguments {
  const reading: Reading = { words, at: 0, set, bound: new Map(), bare: [], extras: [] };
  let lastList: Parameter | null = null;
  while (reading.at < words.length) {
    const word = words[reading.at]!;
    const named = readName(word);
    if (named !== null) lastList = bindNamed(reading, named);
    else {
      reading.at++;
      if (lastList === null) reading.bare.push(word);
      else reading.extras.push({ parameter: lastList, word });
    }
  }
  bindBare(reading);
  return reading.bound;
}

interface Named {
  readonly name: string;
  /** Behind a colon; null where there is none. */
  readonly inline: string | null;
}

/** `-Name`, `-Name:value`; also with the dashes of word processors, and `--name`. */
function readName(word: string): Named | null {
  const equals = /^-([A-Za-z]+)=/.exec(word);
  if (equals !== null)
    throw usage(`${word}: a blank or a colon stands behind -${equals[1]!}, no =`);
  const match = /^[-\u2013\u2014\u2015]{1,2}([A-Za-z?][^:=\s]*)(?::([^]*))?$/.exec(word);
  if (match === null) return null;
  return { name: match[1]!, inline: match[2] ?? null };
}

/** Answers the parameter if words without a name may follow it. */
function bindNamed(reading: Reading, { name, inline }: Named): Parameter | null {
  const parameter = findParameter(name, reading.set);
  if (reading.bound.has(parameter.name)) throw usage(`-${parameter.name} is given twice`);
  reading.at++;
  const segments: string[] = [];
  reading.bound.set(parameter.name, { parameter, segments });
  if (inline !== null && inline !== '') segments.push(inline);
  else if (mayTakeNext(reading, parameter, inline)) segments.push(reading.words[reading.at++]!);
  if (segments.length === 0) {
    if (parameter.takes === 'switch' && inline === null) return null;
    throw usage(missingValue(parameter));
  }
  takeBracketed(reading, segments);
  const isList = parameter.takes === 'list' || parameter.takes === 'word-or-list';
  if (isList) takeContinuation(reading, segments);
  return isList ? parameter : null;
}

const truth = /^\$?(?:true|false)$/i;

function mayTakeNext({ words, at }: Reading, { takes }: Parameter, inline: string | null): boolean {
  const next = words[at];
  if (next === undefined || readName(next) !== null) return false;
  return takes !== 'switch' || inline === '' || truth.test(next);
}

/** `@{…}` and `@(…)` that the shell took apart at blanks, or at braces. */
function takeBracketed(reading: Reading, segments: string[]): void {
  const { words } = reading;
  const last = (): string => segments.at(-1)!;
  const close = last().startsWith('@{') ? '}' : last().startsWith('@(') ? ')' : null;
  const isOpen = (): boolean => close !== null && !last().trimEnd().endsWith(close);
  while (isOpen() && reading.at < words.length) {
    segments[segments.length - 1] += ` ${words[reading.at++]!}`;
  }
  if (!/^@(?:add|remove)=/i.test(last())) return;
  while (words[reading.at]?.startsWith('@') === true) segments.push(words[reading.at++]!);
}

/** Lists with blanks beside their commas. */
function takeContinuation(reading: Reading, segments: string[]): void {
  const { words } = reading;
  const last = (): string => segments.at(-1)!;
  if (last().startsWith('@')) return;
  while (reading.at < words.length) {
    const next = words[reading.at]!;
    if (!last().endsWith(',') && !next.startsWith(',')) return;
    if (readName(next) !== null) return;
    segments[segments.length - 1] += next;
    reading.at++;
  }
}

function missingValue({ name, takes, words }: Parameter): string {
  if (takes === 'flag' || takes === 'switch') {
    return `-${name} needs a value: write true or false, or '$true' in single quotes, since many shells put nothing in the place of $true`;
  }
  const form = words === undefined ? '' : `: ${words.join(', ')}`;
  return `-${name} needs a value${form}; an empty one is written '' and none is '$null', in single quotes`;
}

/** Gives the words without names to whom they belong. */
function bindBare({ set, bound, bare, extras }: Reading): void {
  const positional = set.parameters.find(({ isPositional }) => isPositional === true);
  const isOpen = positional !== undefined && !bound.has(positional.name);
  if (isOpen && bare.length > 0) {
    bound.set(positional.name, { parameter: positional, segments: [bare.shift()!] });
  } else if (isOpen && extras.length === 1) {
    bound.set(positional.name, { parameter: positional, segments: [extras.shift()!.word] });
  } else if (isOpen && extras.length > 1) {
    const { parameter, word } = extras.at(-1)!;
    const text = `it is unclear whether ${JSON.stringify(word)} belongs to -${parameter.name}: write -${positional.name} before what it names`;
    throw usage(text);
  }
  const [surplus] = bare;
  if (surplus !== undefined) {
    const text = `${JSON.stringify(surplus)} belongs to no parameter; a value with blanks is put in quotes`;
    throw usage(text);
  }
  for (const { parameter, word } of extras) bound.get(parameter.name)!.segments.push(word);
}
