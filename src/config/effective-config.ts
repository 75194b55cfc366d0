/**
 * The configuration as it acts, in the words of the file: keys in the schema's order, aliases
 * expanded, defaults written out where wanted, secrets left out.
 *
 * For `config print` and `GET /v1/config`. It is one plain value that could be loaded again.
 */
import { parseConfig } from './load.ts';
import { formatPath } from './problem.ts';
import type { Path } from './problem.ts';
import { redacted } from './redacted.ts';
import type { SchemaKey } from './schema-walk.ts';
import { bySection } from './schema-walk.ts';

export interface EffectiveOptions {
  /** Also keys that were left out. */
  readonly withDefaults: boolean;
  /** Password hashes as they are. */
  readonly withSecrets: boolean;
}

/** A mapping as it would stand in a file. */
export type ConfigValues = Readonly<Record<string, unknown>>;

/**
 * `raw` is what stands in a file that loads. A default that may not stand beside the other keys,
 * because it would not act there, stays left out; so does a key whose absence has a meaning of its own.
 */
export function effectiveConfig(raw: unknown, options: EffectiveOptions): ConfigValues {
  const leftOut = new Set<string>();
  const finish = (): ConfigValues => build(raw, options, leftOut);
  if (!options.withDefaults) return finish();
  const whole = { ...options, withSecrets: true };
  for (;;) {
    const result = parseConfig(JSON.stringify(build(raw, whole, leftOut)), 'postern.yaml');
    if (result.kind === 'loaded') return finish();
    const before = leftOut.size;
    for (const { severity, key } of result.problems) if (severity === 'error') leftOut.add(key);
    // Only what was added can be wrong; without progress the file as it is says more than none.
    if (leftOut.size === before) return build(raw, { ...options, withDefaults: false }, leftOut);
  }
}

function build(raw: unknown, options: EffectiveOptions, leftOut: ReadonlySet<string>) {
  const mapping = (section: string, given: unknown, path: Path): ConfigValues => {
    const values = (given ?? {}) as ConfigValues;
    const result: Record<string, unknown> = {};
    for (const key of bySection.get(section) ?? []) {
      const here = [...path, key.key];
      const isGiven = Object.hasOwn(values, key.key);
      if (!isGiven && (!hasDefault(key, options) || leftOut.has(formatPath(here)))) continue;
      result[key.key] = isGiven ? givenValue(key, values[key.key], here) : defaultValue(key, here);
    }
    return result;
  };
  const givenValue = (key: SchemaKey, value: unknown, path: Path): unknown => {
    if (key.kind === 'section') return mapping(key.path, value, path);
    if (key.kind === 'list') {
      const entries = (value ?? []) as readonly unknown[];
      return entries.map((entry, place) => mapping(`${key.path}[]`, entry, [...path, place]));
    }
    if (key.kind === 'names') {
      const named = Object.entries((value ?? {}) as ConfigValues);
      return Object.fromEntries(
        named.map(([name, entry]) => [name, mapping(`${key.path}.<name>`, entry, [...path, name])]),
      );
    }
    return key.meta.isSecret === true && !options.withSecrets && value !== null ? redacted : value;
  };
  const defaultValue = (key: SchemaKey, path: Path): unknown =>
    key.kind === 'value' ? key.fallback : givenValue(key, null, path);
  return mapping('', raw, []);
}

/** A list of entries, or names, is nothing where it is left out. */
function hasDefault(key: SchemaKey, { withDefaults }: EffectiveOptions): boolean {
  if (!withDefaults || key.isRequired) return false;
  return key.kind !== 'value' || (key.fallback !== undefined && key.fallback !== null);
}
