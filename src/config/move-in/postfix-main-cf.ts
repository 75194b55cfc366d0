/** main.cf: what it sets, where, and what each value is with its `$name`s put in. */
import type { SourceFile } from './decode-text.ts';
import { decodeText } from './decode-text.ts';
import type { Spot } from './draft.ts';
import { PostfixParameters } from './postfix-expand.ts';
import { readLogicalLines } from './postfix-lines.ts';

/** One line `name = value`. */
export interface Setting extends Spot {
  /** As written. */
  readonly raw: string;
  /** A later line sets the same parameter. */
  readonly isOverridden: boolean;
}

export interface MainCf {
  readonly file: string;
  /** In the order of the file. */
  readonly settings: readonly Setting[];
  /** Lines that set nothing. */
  readonly strange: readonly Spot[];
  readonly parameters: PostfixParameters;
}

/** The line that counts; null where the parameter is not set. */
export function settingOf({ settings }: MainCf, name: string): Setting | null {
  return settings.find(({ property, isOverridden }) => property === name && !isOverridden) ?? null;
}

/** Its place alone. */
export function spotOf({ property, file, line }: Spot): Spot {
  return { property, file, line };
}

export function readMainCf({ name: file, content }: SourceFile): MainCf {
  const settings: Omit<Setting, 'isOverridden'>[] = [];
  const strange: Spot[] = [];
  const raw = new Map<string, string>();
  for (const { text, line } of readLogicalLines(decodeText(content))) {
    const match = /^([A-Za-z0-9_.-]+)\s*=\s*([^]*)$/.exec(text);
    const [, property, value = ''] = match ?? [];
    if (property === undefined) strange.push({ property: text.slice(0, 60), file, line });
    else {
      settings.push({ property, file, line, raw: value });
      raw.set(property, value);
    }
  }
  const lastLine = new Map(settings.map(({ property, line }) => [property, line]));
  return {
    file,
    settings: settings.map((each) => ({
      ...each,
      isOverridden: lastLine.get(each.property) !== each.line,
    })),
    strange,
    parameters: new PostfixParameters(withNames(raw)),
  };
}

/** `$mydomain` is what follows the first label of `$myhostname`. */
function withNames(raw: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  if (raw.has('mydomain')) return raw;
  const host = new PostfixParameters(new Map([...raw, ['mydomain', 'localdomain']])).get(
    'myhostname',
  );
  const rest = host.includes('.') ? host.slice(host.indexOf('.') + 1) : 'localdomain';
  // The last label alone is no domain of anybody.
  return new Map([...raw, ['mydomain', rest]]);
}
