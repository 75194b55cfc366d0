/** The fields of a policy object as the schema has them, with their names in both spellings. */
import type { SchemaKey } from '../../config/schema-walk.ts';
import { bySection } from '../../config/schema-walk.ts';
import type { PolicyKind } from './policy-kind.ts';

/**
 * How a value is written: `flag` true or false, `one` a text, `list` one or several, `word-or-list`
 * one of the words alone, or several texts.
 */
export type Takes = 'flag' | 'one' | 'list' | 'word-or-list';

export interface ObjectField {
  readonly key: string;
  /** `--recipient-domains`, without the dashes. */
  readonly option: string;
  readonly takes: Takes;
  /** The only legal words; null where there are others. */
  readonly words: readonly string[] | null;
  readonly form: string;
  readonly description: string;
  /** In words, or as written in a file; null where it must be given or is simply empty. */
  readonly fallback: string | null;
  /** As written in a file; null where absence has a meaning of its own. */
  readonly fallbackValue: unknown;
  readonly isRequired: boolean;
}

/** In the schema's order. */
export function fieldsOf(kind: PolicyKind): readonly ObjectField[] {
  const known = cache.get(kind.section);
  if (known !== undefined) return known;
  const fields = (bySection.get(kind.section) ?? []).map(toField);
  cache.set(kind.section, fields);
  return fields;
}

const cache = new Map<string, readonly ObjectField[]>();

/** Throws where the key is none of the schema: a defect of the caller. */
export function fieldOf(kind: PolicyKind, key: string): ObjectField {
  const field = fieldsOf(kind).find((each) => each.key === key);
  if (field === undefined) throw new Error(`${kind.section} has no key ${key}`);
  return field;
}

function toField(key: SchemaKey): ObjectField {
  const { form = '', description, words } = key.meta;
  return {
    key: key.key,
    option: toKebab(key.key),
    takes: takesOf(key),
    words: words ?? null,
    form,
    description,
    fallback: fallbackOf(key),
    fallbackValue: key.fallback ?? null,
    isRequired: key.isRequired,
  };
}

function takesOf({ meta: { words, isList } }: SchemaKey): Takes {
  if (isList === true) return words === undefined ? 'list' : 'word-or-list';
  const isFlag = words?.every((word) => word === 'true' || word === 'false') === true;
  return isFlag ? 'flag' : 'one';
}

function fallbackOf({ meta, fallback, isRequired }: SchemaKey): string | null {
  if (isRequired) return null;
  if (meta.absent !== undefined) return meta.absent;
  const isPlain = ['string', 'number', 'boolean'].includes(typeof fallback);
  return isPlain && fallback !== '' ? `${fallback as string | number | boolean}` : null;
}

/** `senderIPAddresses` is `sender-ip-addresses`, `efSkipIPs` is `ef-skip-ips`. */
export function toKebab(key: string): string {
  return key
    .replace(/IPs\b/, 'Ips')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replaceAll(/([a-z\d])([A-Z])/g, '$1-$2')
    .toLowerCase();
}
