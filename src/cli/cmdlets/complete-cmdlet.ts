/**
 * What the shell may complete in the cmdlet spelling: names of cmdlets, parameters, and their words.
 *
 * The scripts of `postern completion` ask `postern complete -- WORDS`; the other spelling is answered
 * by the library that wrote them, in the same form: `value TAB description`, then `:4` for "no files".
 */
import type { Cmdlet } from './cmdlet.ts';
import { cmdlets } from './cmdlets.ts';
import type { Parameter } from './parameter.ts';

/** `words` without the program's name, the last one unfinished. Null where it is none of ours. */
export function completeCmdlet(words: readonly string[]): string | null {
  const [first = '', ...rest] = words;
  if (rest.length === 0) return completeName(first);
  const cmdlet = cmdlets.find(({ name }) => name.toLowerCase() === first.toLowerCase());
  if (cmdlet === undefined) return null;
  return format(completeWord(cmdlet, rest.slice(0, -1), rest.at(-1)!));
}

type Completion = readonly [value: string, description: string];

/** Verbs begin with a capital, which no other command does. */
function completeName(begin: string): string | null {
  if (!/^[A-Z]/.test(begin)) return null;
  const lower = begin.toLowerCase();
  const found = cmdlets.filter(({ name }) => name.toLowerCase().startsWith(lower));
  return format(found.map(({ name, summary }) => [name, summary]));
}

function completeWord(
  { set }: Cmdlet,
  before: readonly string[],
  word: string,
): readonly Completion[] {
  const given = before.filter((each) => each.startsWith('-')).map((each) => each.slice(1));
  if (word.startsWith('-')) {
    const begin = word.slice(1).toLowerCase();
    return set.parameters
      .filter(({ name }) => !given.some((each) => each.toLowerCase() === name.toLowerCase()))
      .filter(({ name }) => name.toLowerCase().startsWith(begin))
      .map(({ name, description }) => [`-${name}`, description]);
  }
  const last = before.at(-1);
  if (last?.startsWith('-') !== true) return [];
  const parameter = set.parameters.find(
    ({ name }) => name.toLowerCase() === last.slice(1).toLowerCase(),
  );
  const begin = word.toLowerCase();
  return wordsOf(parameter)
    .filter((each) => each.toLowerCase().startsWith(begin))
    .map((each) => [each, '']);
}

/** True and false without the dollar, which a shell would take for a variable. */
function wordsOf(parameter: Parameter | undefined): readonly string[] {
  if (parameter?.takes === 'flag') return ['true', 'false'];
  return parameter?.words ?? [];
}

function format(completions: readonly Completion[]): string {
  const lines = completions.map(([value, text]) => `${value}\t${text.replaceAll(/\s+/g, ' ')}\n`);
  return `${lines.join('')}:4\n`;
}
