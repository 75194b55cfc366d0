/**
 * A whole line of PowerShell as one word of the command line, in single quotes so that no shell
 * touches it: taken apart into words, and what it is piped into.
 *
 * `postern 'Get-InboundConnector "Contoso" | Format-List'`
 */
import { findNearest } from '../../config/nearest.ts';
import { readQuoted } from '../policy-objects/split-list.ts';
import { usage } from './parameter.ts';

/** Words keep their quotes, which say where a value ends. Throws nothing but usage Failures. */
export function splitLine(line: string): readonly string[] {
  const [command, ...filters] = splitWords(line);
  const format = filters.flatMap(readFilter);
  return [...(command ?? []), ...format];
}

/** One list of words for each part between pipes. */
function splitWords(line: string): readonly (readonly string[])[] {
  const parts: string[][] = [[]];
  let word: string | null = null;
  let depth = 0;
  let at = 0;
  const endWord = (): void => {
    if (word !== null) parts.at(-1)!.push(word);
    word = null;
  };
  while (at < line.length) {
    const character = line[at]!;
    const quoted = readQuoted(line, at);
    // A backtick at the end of a line goes on with the next.
    const joined = /^`\r?\n/.exec(line.slice(at, at + 3))?.[0] ?? null;
    if (joined !== null) {
      endWord();
      at += joined.length;
    } else if (quoted !== null) {
      word = (word ?? '') + line.slice(at, quoted.end);
      at = quoted.end;
    } else if (depth === 0 && /\s/.test(character)) {
      endWord();
      at++;
    } else if (depth === 0 && character === '|') {
      endWord();
      parts.push([]);
      at++;
    } else {
      if (character === '{' || character === '(') depth++;
      if (character === '}' || character === ')') depth = Math.max(0, depth - 1);
      word = (word ?? '') + character;
      at++;
    }
  }
  endWord();
  return parts;
}

const formats: Readonly<Record<string, string>> = {
  'format-list': 'list',
  fl: 'list',
  'format-table': 'table',
  ft: 'table',
  'convertto-json': 'json',
};

/** `| Format-List Name,Enabled` is `-Format list -Property Name,Enabled`. */
function readFilter([name = '', ...properties]: readonly string[]): readonly string[] {
  const format = formats[name.toLowerCase()];
  if (format === undefined) {
    const nearest = findNearest(name, ['Format-List', 'Format-Table', 'ConvertTo-Json']);
    const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
    const known = 'Format-List, Format-Table and ConvertTo-Json';
    throw usage(`nothing can be piped into ${JSON.stringify(name)}, only into ${known}${hint}`);
  }
  const option = properties.find((word) => word.startsWith('-'));
  if (option !== undefined) throw usage(`${name} takes properties, not ${option}`);
  const named = properties.length === 0 ? [] : ['-Property', properties.join('')];
  return ['-Format', format, ...named];
}
