/** What is wrong with a configuration, with its place: for people in a terminal and for programs. */

export interface ConfigProblem {
  /** The path as it was given to `loadConfig`. */
  readonly file: string;
  /** Both from 1; 1:1 where the whole file is meant. */
  readonly line: number;
  readonly column: number;
  /** `organizations[0].outboundConnectors[2].tlsDomain`; empty where the whole file is meant. */
  readonly key: string;
  /** What is wrong and what would be right, without a full stop. */
  readonly text: string;
  /** The nearest right word where there is one; null else. */
  readonly suggestion: string | null;
  readonly severity: 'error' | 'warning';
}

/** At most this many problems are reported at once. */
export const problemsMax = 50;

/** `postern.yaml:12:5: organizations[0].tlsSetings: unknown key; did you mean "tlsSettings"?` */
export function formatProblem(problem: ConfigProblem): string {
  const kind = problem.severity === 'warning' ? 'warning: ' : '';
  return `${formatPlace(problem)}: ${kind}${describeProblem(problem)}`;
}

/** `postern.yaml:12:5` */
export function formatPlace({ file, line, column }: ConfigProblem): string {
  return `${file}:${line}:${column}`;
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
