/** What is wrong with a configuration, with its place: for people in a terminal and for programs. */
import type { ObjectKey } from './policy-object.ts';
import { describeObject } from './policy-object.ts';

export interface ConfigProblem {
  /** The path as it was given to `loadConfig`. */
  readonly file: string;
  /** Both from 1; 1:1 where the whole file is meant. Both 0 where no file holds it. */
  readonly line: number;
  readonly column: number;
  /**
   * `organizations[0].outboundConnectors[2].tlsDomain`; empty where the whole file is meant. Inside
   * `object` where there is one.
   */
  readonly key: string;
  /** The stored object that it is in; absent for what stands in the file. */
  readonly object?: ObjectKey;
  /** What is wrong and what would be right, without a full stop. */
  readonly text: string;
  /** The nearest right word where there is one; null else. */
  readonly suggestion: string | null;
  readonly severity: 'error' | 'warning';
}

/** Where a value is, as a problem tells it. */
export type Spot = Pick<ConfigProblem, 'line' | 'column' | 'key' | 'object'>;

/** At most this many problems are reported at once. */
export const problemsMax = 50;

/** `postern.yaml:12:5: organizations[0].tlsSetings: unknown key; did you mean "tlsSettings"?` */
export function formatProblem(problem: ConfigProblem): string {
  const kind = problem.severity === 'warning' ? 'warning: ' : '';
  return `${formatPlace(problem)}: ${kind}${describeProblem(problem)}`;
}

/** `postern.yaml:12:5`, or `outbound connector "fabrikam" of contoso` */
export function formatPlace({ file, line, column, object }: ConfigProblem): string {
  return object === undefined ? `${file}:${line}:${column}` : describeObject(object);
}

/** `organizations[0].tlsSetings: unknown key; did you mean "tlsSettings"?` */
export function describeProblem({ key, text, suggestion }: ConfigProblem): string {
  const about = key === '' ? '' : `${key}: `;
  const hint = suggestion === null ? '' : `; did you mean "${suggestion}"?`;
  return `${about}${text}${hint}`;
}

/** The place of a value in the configuration, as keys and list positions from the top. */
export type Path = readonly (string | number)[];

/** `['a', 0, 'b c']` is `a[0]."b c"`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') {
      text += `[${part}]`;
      continue;
    }
    const name = /^[A-Za-z_][\w-]*$/.test(part) ? part : JSON.stringify(part);
    text += text === '' ? name : `.${name}`;
  }
  return text;
}

/** A problem before its line is known. `at` says whether the key or its value is wrong. */
export interface Finding {
  readonly path: Path;
  readonly at: 'key' | 'value';
  readonly text: string;
  readonly suggestion?: string | null;
  readonly severity?: 'error' | 'warning';
}
