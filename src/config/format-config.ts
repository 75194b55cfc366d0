/** A configuration's values as the YAML of a file, with what each key means above it where wanted. */
import { stringify } from 'yaml';
import type { ConfigValues } from './effective-config.ts';
import type { SchemaKey } from './schema-walk.ts';
import { bySection } from './schema-walk.ts';

const columnsMax = 100;

/**
 * `withComments`: each key of the schema is explained where it stands first, and keys that are left
 * out are named with what that means.
 */
export function formatConfig(values: ConfigValues, withComments: boolean): string {
  return `${new Writer(withComments).mapping('', values, '').join('\n')}\n`;
}

class Writer {
  readonly #withComments: boolean;
  /** Paths of the schema that were explained already. */
  readonly #explained = new Set<string>();

  constructor(withComments: boolean) {
    this.#withComments = withComments;
  }

  /** Its lines; none where it is empty. */
  mapping(section: string, values: ConfigValues, indent: string): string[] {
    return (bySection.get(section) ?? []).flatMap((key) =>
      Object.hasOwn(values, key.key)
        ? [...this.#explain(key, indent), ...this.#entry(key, values[key.key], indent)]
        : this.#absent(key, indent),
    );
  }

  #entry(key: SchemaKey, value: unknown, indent: string): string[] {
    const head = `${indent}${key.key}:`;
    const nested = `${indent}  `;
    if (key.kind === 'value') return formatValue(head, value, nested);
    if (key.kind === 'list') {
      const entries = value as readonly ConfigValues[];
      if (entries.length === 0) return [`${head} []`];
      const lines = entries.map((entry) => this.mapping(`${key.path}[]`, entry, `${nested}  `));
      return [head, ...lines.flatMap((each) => withDash(each, nested))];
    }
    if (key.kind === 'section') return under(head, this.mapping(key.path, value as never, nested));
    const named = Object.entries(value as Readonly<Record<string, ConfigValues>>);
    const lines = named.flatMap(([name, entry]) =>
      under(
        `${nested}${formatScalar(name)}:`,
        this.mapping(`${key.path}.<name>`, entry, `${nested}  `),
      ),
    );
    return under(head, lines);
  }

  #explain(key: SchemaKey, indent: string): string[] {
    if (!this.#withComments || this.#explained.has(key.path)) return [];
    this.#explained.add(key.path);
    return comment(key.meta.description, indent);
  }

  /** Nothing without comments. */
  #absent(key: SchemaKey, indent: string): string[] {
    if (!this.#withComments) return [];
    const { absent } = key.meta;
    if (absent === undefined && key.fallback === undefined) return [];
    const words = absent ?? `${formatScalar(key.fallback)}; does not act beside the other keys`;
    return [...this.#explain(key, indent), ...comment(`${key.key}: (left out) ${words}`, indent)];
  }
}

function under(head: string, lines: readonly string[]): string[] {
  const isEmpty = lines.every((line) => line.trimStart().startsWith('#'));
  return isEmpty ? [`${head} {}`, ...lines] : [head, ...lines];
}

/** The dash stands at the first line that is no comment; comments above it stay above. */
function withDash(lines: readonly string[], indent: string): string[] {
  const first = lines.findIndex((line) => !line.trimStart().startsWith('#'));
  if (first === -1) return [`${indent}- {}`];
  return lines.map((line, place) => {
    if (place < first) return `${indent}${line.trimStart()}`;
    return place === first ? `${indent}- ${line.slice(indent.length + 2)}` : line;
  });
}

/** Lists of plain values stand on one line where they fit. */
function formatValue(head: string, value: unknown, nested: string): string[] {
  const line = `${head} ${formatScalar(value)}`;
  if (!Array.isArray(value) || line.length <= columnsMax) return [line];
  return [head, ...value.map((entry) => `${nested}- ${formatScalar(entry)}`)];
}

/** On one line, quoted where YAML needs it. */
function formatScalar(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatInFlow).join(', ')}]`;
  if (typeof value === 'string' && value.includes('\n')) return JSON.stringify(value);
  return stringify(value, { lineWidth: 0, blockQuote: false }).trimEnd();
}

function formatInFlow(value: unknown): string {
  const text = stringify([value], { lineWidth: 0, blockQuote: false, collectionStyle: 'flow' });
  return text
    .trim()
    .replace(/^\[\s*/, '')
    .replace(/\s*\]$/, '');
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > columnsMax && line !== `${indent}#`) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
