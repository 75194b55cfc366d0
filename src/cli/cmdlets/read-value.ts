/** What the words of a parameter's value mean: literals of PowerShell, lists, and `@{Add=…;Remove=…}`. */
import { findNearest } from '../../config/nearest.ts';
import { readQuoted, splitList, unquote } from '../policy-objects/split-list.ts';
import type { Bound } from './bind-arguments.ts';
import type { Parameter } from './parameter.ts';
import { usage } from './parameter.ts';

/** `null` is `$null`; `edit` is `@{Add=…;Remove=…}`. */
export type CmdletValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'list'; readonly values: readonly string[] }
  | { readonly kind: 'edit'; readonly add: readonly string[]; readonly remove: readonly string[] };

/** Throws nothing but usage Failures. */
export function readValue({ parameter, segments }: Bound): CmdletValue {
  const [first = ''] = segments;
  if (segments.length <= 1) {
    if (/^\$null$/i.test(first)) return readNull(parameter);
    refuseExpression(parameter, first);
  }
  if (parameter.takes === 'switch' || parameter.takes === 'flag') {
    return { kind: 'flag', value: segments.length === 0 || readFlag(parameter, first) };
  }
  if (parameter.takes === 'text') return { kind: 'text', value: readText(parameter, segments) };
  if (first.startsWith('@{')) return readTable(parameter, first);
  if (/^@(?:add|remove)=/i.test(first)) return readExpanded(parameter, segments);
  return readList(parameter, segments);
}

function readNull({ name, takes }: Parameter): CmdletValue {
  if (takes !== 'flag' && takes !== 'switch') return { kind: 'null' };
  throw usage(`-${name} is true or false, not $null`);
}

/** No shell of ours works these out, so they would be taken for what they are not. */
function refuseExpression({ name }: Parameter, text: string): void {
  if (/^System\.Collections\.(?:Hashtable|Object)|^System\.Object\[\]/.test(text)) {
    const why = 'PowerShell hands a program its lists of Add and Remove as these words alone';
    throw usage(`-${name}: ${why}; put @{…} in single quotes`);
  }
  const isExpression = /^\$(?:[A-Za-z_{(]|\w+:)/.test(text) && !/^\$(?:true|false)$/i.test(text);
  if (isExpression) {
    throw usage(`-${name}: there are no variables here: ${show(text)}; write the value`);
  }
}

function readFlag({ name }: Parameter, text: string): boolean {
  const word = unquote(text).toLowerCase().replace(/^\$/, '');
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  const guess = /^(?:y|yes|on|enabled?)$/.test(word)
    ? '$true'
    : /^(?:n|no|off|disabled?)$/.test(word)
      ? '$false'
      : findNearest(word, ['true', 'false']);
  const hint = guess === null ? '' : `; did you mean ${guess}?`;
  throw usage(`-${name} is true or false, not ${show(text)}${hint}`);
}

function readText(parameter: Parameter, segments: readonly string[]): string {
  const text = unquote(segments.join(''));
  if (text.startsWith('@{')) {
    throw usage(`-${parameter.name} takes one value: nothing can be added to it or removed`);
  }
  const { words } = parameter;
  if (words === undefined) return text;
  // Exchange takes its words in any case.
  return words.find((word) => word.toLowerCase() === text.toLowerCase()) ?? text;
}

function readList(parameter: Parameter, segments: readonly string[]): CmdletValue {
  const values = segments.flatMap((segment) => readEntries(parameter, withoutArray(segment)));
  const [first] = values;
  if (parameter.takes === 'word-or-list' && values.length === 1 && first !== undefined) {
    const word = parameter.words?.find((each) => each.toLowerCase() === first.toLowerCase());
    if (word !== undefined) return { kind: 'text', value: word };
  }
  return { kind: 'list', values };
}

/** `@("a","b")` is `"a","b"`. */
function withoutArray(segment: string): string {
  const inner = /^@\(([^]*)\)$/.exec(segment.trim());
  return inner === null ? segment : inner[1]!;
}

function readEntries({ name, style = 'plain' }: Parameter, text: string): readonly string[] {
  if (text.trim() === '') {
    throw usage(`-${name} is empty; '$null' in single quotes empties it`);
  }
  const values = splitList(text, style);
  if (values === null) throw usage(`-${name} has an empty value beside a comma: ${show(text)}`);
  const literal = values.find((value) => /^\$null$/i.test(value));
  if (literal !== undefined) throw usage(`-${name} has $null among its values; it stands alone`);
  return values;
}

/** `@{Add="x","y";Remove="z"}` */
function readTable(parameter: Parameter, text: string): CmdletValue {
  const { name } = parameter;
  const inner = /^@\{([^]*)\}$/.exec(text.trim());
  if (inner === null) {
    throw usage(`-${name}: ${show(text)} lacks its }; put the whole of it in single quotes`);
  }
  const parts: { add?: readonly string[]; remove?: readonly string[] } = {};
  for (const entry of splitTable(inner[1]!)) {
    const equals = entry.indexOf('=');
    const word = (equals === -1 ? entry : entry.slice(0, equals)).trim();
    const key = unquote(word).toLowerCase();
    if (key !== 'add' && key !== 'remove') {
      const nearest = findNearest(word, ['Add', 'Remove']);
      const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
      throw usage(`-${name}: @{…} takes Add=… and Remove=…, not ${show(word)}${hint}`);
    }
    if (equals === -1) throw usage(`-${name}: ${word} in @{…} has no value`);
    if (parts[key] !== undefined) throw usage(`-${name}: ${word} stands twice in @{…}`);
    parts[key] = readEntries(parameter, withoutArray(entry.slice(equals + 1).trim()));
  }
  if (parts.add === undefined && parts.remove === undefined) {
    throw usage(`-${name}: @{} says nothing; write @{Add=…} or @{Remove=…}`);
  }
  return { kind: 'edit', add: parts.add ?? [], remove: parts.remove ?? [] };
}

/** At semicolons and line ends outside of quotes; empty parts are dropped. */
function splitTable(text: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const isValueStart = /(?:^|[=,(])\s*$/.test(text.slice(start, at));
    const quoted = isValueStart ? readQuoted(text, at) : null;
    if (quoted !== null) at = quoted.end;
    else if (text[at] === ';' || text[at] === '\n') {
      parts.push(text.slice(start, at));
      start = ++at;
    } else at++;
  }
  return [...parts, text.slice(start)].filter((part) => part.trim() !== '');
}

/** Bash makes `@Add=x @Add=y` or `@Add=x @y` of an unquoted `@{Add="x","y"}`. */
function readExpanded(parameter: Parameter, segments: readonly string[]): CmdletValue {
  const match = /^@(add|remove)=([^]*)$/i.exec(segments[0]!)!;
  const rest = segments.slice(1).map((segment) => segment.slice(1));
  const values = [match[2]!, ...rest].flatMap((text) => readEntries(parameter, text));
  const isAdd = match[1]!.toLowerCase() === 'add';
  return { kind: 'edit', add: isAdd ? values : [], remove: isAdd ? [] : values };
}

function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
