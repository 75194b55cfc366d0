/** Options of commander made from the keys of a policy object, and what was written with them. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { findNearest } from '../../config/nearest.ts';
import { bySection } from '../../config/schema-walk.ts';
import { Failure } from '../../mail/failure.ts';
import type { ObjectField } from './object-field.ts';
import { fieldsOf, toKebab } from './object-field.ts';
import type { FieldChange, FieldChanges } from './object-order.ts';
import type { PolicyKind } from './policy-kind.ts';
import { listStyleOf, splitList, unquote } from './split-list.ts';

/** One for each key. `isNew`: what must be there is asked for. */
export function addFieldOptions(command: Command, kind: PolicyKind, isNew: boolean): Command {
  for (const field of fieldsOf(kind)) {
    if (isNew || field.key !== kind.nameKey || kind.kind !== 'accepted-domain') {
      command.addOption(toOption(kind, field));
    }
  }
  if (isNew) return command;
  return command
    .option('--add <key=values>', 'add to a list, as recipient-domains=a.com,b.com', collect)
    .option('--remove <key=values>', 'take from a list', collect)
    .option('--unset <keys>', 'take keys away, so that their defaults act; by commas', collect);
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function toOption(kind: PolicyKind, field: ObjectField): Option {
  const { option, takes, words, description } = field;
  const text = `${inOptions(kind, description)}${defaultOf(field)}`;
  if (takes === 'flag') {
    return new Option(`--${option} [true|false]`, text).argParser(readFlag);
  }
  if (takes === 'one') {
    const one = new Option(`--${option} <${words === null ? 'value' : 'word'}>`, text);
    // Shown and completed; a wrong word is refused by the schema, which says why.
    if (words !== null) one.argChoices = [...words];
    return one;
  }
  const list = new Option(`--${option} <list>`, text);
  return list.argParser((written: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    ...entriesOf(field, written),
  ]);
}

function readFlag(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('It is true or false.');
}

/** Help names other keys by their options, without the marks of a document. */
function inOptions(kind: PolicyKind, description: string): string {
  const known = new Set((bySection.get(kind.section) ?? []).map(({ key }) => key));
  return description
    .replaceAll(/`([A-Za-z]+)`/g, (_, word: string) =>
      known.has(word) ? `--${toKebab(word)}` : word,
    )
    .replaceAll('`', '')
    .replace(/\.$/, '');
}

function defaultOf({ fallback, isRequired }: ObjectField): string {
  if (isRequired) return '';
  return fallback === null ? '' : ` (default: ${fallback.replaceAll('`', '')})`;
}

function entriesOf({ key }: ObjectField, text: string): readonly string[] {
  const entries = text.trim() === '' ? null : splitList(text, listStyleOf(key));
  if (entries === null) throw new InvalidArgumentError('An entry of the list is empty.');
  return entries;
}

/** What was written, by keys. Throws `option-wrong`. */
export function readFieldOptions(command: Command, kind: PolicyKind): FieldChanges {
  const fields = new Map<string, FieldChange>();
  for (const field of fieldsOf(kind)) {
    const option = command.options.find(({ long }) => long === `--${field.option}`);
    const value: unknown =
      option === undefined ? undefined : command.getOptionValue(option.attributeName());
    if (value !== undefined) fields.set(field.key, toChange(field, value));
  }
  const { add = [], remove = [], unset = [] } = command.opts<Edits>();
  for (const [key, change] of readEdits(kind, { add, remove })) set(fields, kind, key, change);
  for (const name of unset.flatMap((text) => text.split(','))) {
    set(fields, kind, findField(kind, name.trim()).key, { kind: 'unset' });
  }
  return fields;
}

interface Edits {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly unset?: readonly string[];
}

function toChange(field: ObjectField, value: unknown): FieldChange {
  if (field.takes === 'flag') return { kind: 'set', value: value === true };
  if (!Array.isArray(value)) return { kind: 'set', value: String(value) };
  const entries = value.map(String);
  const [first] = entries;
  const isWord =
    field.takes === 'word-or-list' &&
    entries.length === 1 &&
    field.words?.includes(first!) === true;
  return { kind: 'set', value: isWord ? first! : entries };
}

function set(
  fields: Map<string, FieldChange>,
  kind: PolicyKind,
  key: string,
  change: FieldChange,
): void {
  if (fields.has(key)) {
    const { option } = fieldsOf(kind).find((each) => each.key === key)!;
    throw new Failure('option-wrong', `${option} is spoken of twice: once is enough`);
  }
  fields.set(key, change);
}

function readEdits(
  kind: PolicyKind,
  { add, remove }: Required<Omit<Edits, 'unset'>>,
): ReadonlyMap<string, FieldChange> {
  const edits = new Map<string, { add: string[]; remove: string[] }>();
  for (const [word, texts] of [
    ['add', add],
    ['remove', remove],
  ] as const) {
    for (const text of texts) {
      const { field, entries } = readEdit(kind, `--${word}`, text);
      const edit = edits.get(field.key) ?? { add: [], remove: [] };
      edit[word].push(...entries);
      edits.set(field.key, edit);
    }
  }
  return new Map(Array.from(edits, ([key, edit]) => [key, { kind: 'edit', ...edit }]));
}

function readEdit(
  kind: PolicyKind,
  option: string,
  text: string,
): { readonly field: ObjectField; readonly entries: readonly string[] } {
  const equals = text.indexOf('=');
  if (equals === -1) {
    throw new Failure('option-wrong', `${option} takes key=values, not ${JSON.stringify(text)}`);
  }
  const field = findField(kind, text.slice(0, equals).trim());
  if (field.takes !== 'list' && field.takes !== 'word-or-list') {
    throw new Failure('option-wrong', `${option}: ${field.option} is no list`);
  }
  const entries = splitList(text.slice(equals + 1), listStyleOf(field.key));
  if (entries !== null) return { field, entries };
  throw new Failure('option-wrong', `${option}: an entry of ${field.option} is empty`);
}

/** By its option or its key. */
function findField(kind: PolicyKind, name: string): ObjectField {
  const fields = fieldsOf(kind);
  const bare = unquote(name).replace(/^--/, '');
  const found = fields.find(({ option, key }) => option === bare || key === bare);
  if (found !== undefined) return found;
  const nearest = findNearest(
    bare,
    fields.map(({ option }) => option),
  );
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  throw new Failure('option-wrong', `there is no ${JSON.stringify(bare)} in it${hint}`);
}
