/**
 * The building blocks of the schema: one `field` is type, validation, default, unit and documentation.
 *
 * A reader turns the value that stands in the file into the one that the program uses, or says in
 * words what would be right. Lists and sections are zod's own, with texts for people.
 */
import { z } from 'zod';

/** `wrong` completes the sentence that starts with the key. */
export type Read<T> =
  { readonly value: T } | { readonly wrong: string; readonly suggestion?: string | null };

/** `form` says in the documentation how the value is written: `duration, such as 15m`. */
export interface Reader<T> {
  readonly form: string;
  readonly read: (raw: unknown) => Read<T>;
  /** The only words that it takes, beside a list where it takes that, too; absent where it takes others. */
  readonly words?: readonly string[];
}

declare const unit: unique symbol;
/** Milliseconds and bytes inside the schema's output; `Config` turns the mark into the key's end. */
export type Milliseconds = number & { readonly [unit]: 'Ms' };
export type Bytes = number & { readonly [unit]: 'Bytes' };

/** What the documentation says of a field, kept in zod's registry. */
export interface FieldMeta {
  readonly description: string;
  /** Absent on sections. */
  readonly form?: string;
  /** The end that the key has in `Config`. */
  readonly unit?: 'Ms' | 'Bytes';
  /** Words for the default where none can be written. */
  readonly absent?: string;
  /** Never shown, only its placeholder. */
  readonly isSecret?: boolean;
  /** The words that are legal, where no others are. */
  readonly words?: readonly string[];
  /** One value or several. */
  readonly isList?: boolean;
}

/** A value that must be given. */
export function field<T>(reader: Reader<T>, description: string): z.ZodType<T> {
  const { form } = reader;
  return leaf(reader).meta({ description, form, ...unitOf(reader), ...wordsOf(reader) });
}

/** A value with a default, written as in the file: `fieldOr(duration(), '15m', 'How long …')`. */
export function fieldOr<T>(
  reader: Reader<T>,
  fallback: string | number | boolean | readonly string[],
  description: string,
): z.ZodPrefault<z.ZodType<T>> {
  return field(reader, description).prefault(fallback as never);
}

/** A value that may be left out; then it is null, and `absent` says what that means. */
export function fieldOrNull<T>(
  reader: Reader<T>,
  absent: string,
  description: string,
): z.ZodDefault<z.ZodType<T | null>> {
  const { form } = reader;
  const known = { ...unitOf(reader), ...wordsOf(reader) };
  const schema = leaf(reader).meta({ description, form, absent, ...known });
  return (schema as unknown as z.ZodType<T | null>).default(null as never);
}

const unitOfReader = new WeakMap<Reader<unknown>, 'Ms' | 'Bytes'>();

/** Marks a reader of milliseconds or bytes, so that the key in `Config` ends in its unit. */
export function withUnit<T>(reader: Reader<T>, unitName: 'Ms' | 'Bytes'): Reader<T> {
  unitOfReader.set(reader, unitName);
  return reader;
}

function unitOf(reader: Reader<unknown>): { readonly unit?: 'Ms' | 'Bytes' } {
  const found = unitOfReader.get(reader);
  return found === undefined ? {} : { unit: found };
}

function wordsOf({ words }: Reader<unknown>): { readonly words?: readonly string[] } {
  return words === undefined ? {} : { words };
}

function leaf<T>(reader: Reader<T>) {
  return z.unknown().transform((raw, context) => {
    const read = readGiven(reader, raw);
    if ('value' in read) return read.value;
    const params = { suggestion: read.suggestion ?? null };
    context.issues.push({ code: 'custom', message: read.wrong, params, input: raw });
    return z.NEVER;
  });
}

function readGiven<T>(reader: Reader<T>, raw: unknown): Read<T> {
  if (raw === undefined) return { wrong: `is missing; it takes ${reader.form}` };
  const read = reader.read(raw);
  if ('value' in read || raw !== null) return read;
  return { wrong: `has no value; write ${reader.form}, or remove the key` };
}

/** One value or a list of them; both are a list afterwards. */
export function oneOrMore<T>(reader: Reader<T>, description: string): z.ZodType<readonly T[]> {
  const list = z.preprocess(
    (raw) => (raw === null || raw === undefined || Array.isArray(raw) ? raw : [raw]),
    z.array(leaf(reader), { error: ({ input }) => explainList(input, reader.form) }),
  );
  const form = `${reader.form}; one, or a list`;
  return list.meta({ description, form, isList: true });
}

function explainList(input: unknown, form: string): string {
  if (input === undefined) return `is missing; it takes ${form}, or a list of them`;
  return `has no value; write ${form}, or remove the key`;
}

/** Like `oneOrMore`; empty where left out. */
export function oneOrMoreOrNone<T>(
  reader: Reader<T>,
  description: string,
): z.ZodPrefault<z.ZodType<readonly T[]>> {
  return oneOrMore(reader, description).prefault([] as never);
}

/** Like `oneOrMore`; null where left out, and `absent` says what that means. */
export function oneOrMoreOrNull<T>(
  reader: Reader<T>,
  absent: string,
  description: string,
): z.ZodDefault<z.ZodType<readonly T[] | null>> {
  const form = `${reader.form}; one, or a list`;
  const schema = oneOrMore(reader, description).meta({ description, form, absent, isList: true });
  return (schema as z.ZodType<readonly T[] | null>).default(null as never);
}

/**
 * A mapping of keys; every other key is refused. `key:` with nothing under it is an empty section,
 * since that is what remains when everything under it is commented out.
 */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(
    (raw) => (raw === null ? {} : raw),
    z.strictObject(shape, { error: () => 'must be a mapping, one "key: value" on each line' }),
  );
}

/** A list of mappings; `key:` with nothing under it is an empty list. */
export function listOf<T extends z.ZodType>(element: T) {
  return z.preprocess(
    (raw) => (raw === null ? [] : raw),
    z.array(element, {
      error: ({ input }) =>
        input === undefined ? 'is missing' : 'must be a list, each entry starting with "- "',
    }),
  );
}
