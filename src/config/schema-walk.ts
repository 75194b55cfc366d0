/**
 * The schema seen as a list of keys: for the hints about unknown keys, the documentation, and the
 * units of `Config`.
 */
import { z } from 'zod';
import type { FieldMeta } from './field.ts';
import { configSchema } from './schema.ts';

/** One key of the schema. A list's entries are `[]`, a mapping's free names `<name>`. */
export interface SchemaKey {
  /** `organizations[].outboundConnectors[].tlsDomain` */
  readonly path: string;
  /** The path of the section that holds it; empty for the top. */
  readonly section: string;
  readonly key: string;
  readonly kind: 'value' | 'section' | 'list' | 'names';
  readonly meta: FieldMeta;
  /** As written in the file; undefined where the key must be given or `meta.absent` says more. */
  readonly fallback: unknown;
  readonly isRequired: boolean;
}

interface Unwrapped {
  readonly schema: z.core.$ZodType;
  readonly meta: FieldMeta;
  readonly fallback: unknown;
  readonly isRequired: boolean;
}

/** Takes the wrappers off: defaults, nullable, preprocessing; collects what they say. */
function unwrap(schema: z.core.$ZodType): Unwrapped {
  let current = schema;
  let meta: Record<string, unknown> = {};
  let fallback: unknown;
  let isRequired = true;
  for (;;) {
    meta = { ...z.globalRegistry.get(current), ...meta };
    if (current instanceof z.ZodPrefault || current instanceof z.ZodDefault) {
      isRequired = false;
      fallback ??= current.def.defaultValue;
      current = current.def.innerType;
    } else if (current instanceof z.ZodNullable) {
      current = current.def.innerType;
    } else if (current instanceof z.ZodPipe && meta['form'] === undefined) {
      current = current.def.out;
    } else {
      return { schema: current, meta: meta as unknown as FieldMeta, fallback, isRequired };
    }
  }
}

function listKeys(schema: z.core.$ZodType, at: string, keys: SchemaKey[]): void {
  const { schema: inner } = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return;
  for (const [key, child] of Object.entries(inner.shape)) {
    const { schema: value, meta, fallback, isRequired } = unwrap(child);
    const path = at === '' ? key : `${at}.${key}`;
    const kind = kindOf(value, meta);
    keys.push({ path, section: at, key, kind, meta, fallback, isRequired });
    if (kind === 'section') listKeys(value, path, keys);
    if (kind === 'list') listKeys((value as z.ZodArray).def.element, `${path}[]`, keys);
    if (kind === 'names') listKeys((value as z.ZodRecord).def.valueType, `${path}.<name>`, keys);
  }
}

function kindOf(value: z.core.$ZodType, meta: FieldMeta): SchemaKey['kind'] {
  if (meta.form !== undefined) return 'value';
  if (value instanceof z.ZodObject) return 'section';
  if (value instanceof z.ZodArray) return 'list';
  if (value instanceof z.ZodRecord) return 'names';
  return 'value';
}

/** Every key in the order of the schema, sections before what they hold. */
export const schemaKeys: readonly SchemaKey[] = collectKeys();

function collectKeys(): SchemaKey[] {
  const keys: SchemaKey[] = [];
  listKeys(configSchema, '', keys);
  return keys;
}

/** The keys of each section, in the order of the schema. */
export const bySection: ReadonlyMap<string, readonly SchemaKey[]> = Map.groupBy(
  schemaKeys,
  (key) => key.section,
);

/** The keys that are legal in a section, given as in `SchemaKey.section`. */
export function keysOfSection(section: string): readonly string[] {
  return (bySection.get(section) ?? []).map((key) => key.key);
}

/** The sections in which `key` is legal, in any case; empty where it is nowhere. */
export function sectionsWithKey(key: string): readonly SchemaKey[] {
  const lower = key.toLowerCase();
  return schemaKeys.filter((candidate) => candidate.key.toLowerCase() === lower);
}

/** The section that a place in a file is in: `['organizations', 0]` is `organizations[]`. */
export function sectionAt(path: readonly (string | number)[]): string {
  let section = '';
  for (const part of path) {
    if (typeof part === 'number') section += '[]';
    else if (section === 'certificates') section += '.<name>';
    else section += section === '' ? part : `.${part}`;
  }
  return section;
}
