/** Logical lines of Postfix's files: comments left away, continued lines joined. @see postconf(5) */

export interface LogicalLine {
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

/** A line that begins with a blank continues the one before, comments and empty lines between them or not. */
export function readLogicalLines(text: string): LogicalLine[] {
  const found: { text: string; line: number }[] = [];
  text.split('\n').forEach((line, place) => {
    if (/^\s*(?:#|$)/.test(line)) return;
    const before = found.at(-1);
    if (/^\s/.test(line) && before !== undefined) before.text += ` ${line.trim()}`;
    else found.push({ text: line.trim(), line: place + 1 });
  });
  return found;
}

/** Words between commas and blanks; what stands in braces is one word, with its braces. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let depth = 0;
  for (const character of text) {
    if (depth === 0 && /[\s,]/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (character === '{') depth++;
    if (character === '}' && depth > 0) depth--;
    word += character;
  }
  return word === '' ? words : [...words, word];
}

/** What stands inside of braces; the text itself where it has none. */
export function withoutBraces(text: string): string {
  const bare = text.trim();
  return bare.startsWith('{') && bare.endsWith('}') ? bare.slice(1, -1).trim() : bare;
}
