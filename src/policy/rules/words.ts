/**
 * Exchange's "contains words": whole words and phrases, case ignored, between blanks and punctuation.
 *
 * A text is split once, and then each word costs one look-up, however many there are.
 * @see New-TransportRule, SubjectContainsWords
 */

/** A text as words are looked for in it. */
export interface WordText {
  readonly text: string;
  readonly words: ReadonlySet<string>;
}

/** One entry of a list: a word, or a phrase of several; punctuation in it must stand there too. */
interface Entry {
  readonly text: string;
  readonly words: readonly string[];
}

export type WordList = readonly Entry[];

const wordRun = /[\p{L}\p{M}\p{N}_]+/gu;
const wordCharacter = /^[\p{L}\p{M}\p{N}_]$/u;
/** They are not seen, and would hide a word from us that a reader sees. */
const invisible = /[\u00ad\u200b-\u200d\u2060\ufeff]/g;

/** Linear in the text. */
export function splitWords(text: string): WordText {
  const normal = normalize(text);
  return { text: normal, words: new Set(normal.match(wordRun) ?? []) };
}

/** Words of nothing but blanks are left out. */
export function compileWords(words: readonly string[]): WordList {
  return words
    .map((word) => normalize(word).trim())
    .filter((text) => text !== '')
    .map((text) => ({ text, words: text.match(wordRun) ?? [] }));
}

export function containsAnyWord(list: WordList, { text, words }: WordText): boolean {
  return list.some((entry) => {
    if (!entry.words.every((word) => words.has(word))) return false;
    return entry.words[0] === entry.text || standsWhole(text, entry.text);
  });
}

/** Somewhere with no letter or digit that goes on from its own. */
function standsWhole(text: string, entry: string): boolean {
  const opensWord = isWordCharacter(firstOf(entry));
  const closesWord = isWordCharacter(lastOf(entry));
  for (let at = text.indexOf(entry); at !== -1; at = text.indexOf(entry, at + 1)) {
    const isCutBefore = opensWord && isWordCharacter(lastOf(text.slice(Math.max(0, at - 2), at)));
    const end = at + entry.length;
    const isCutBehind = closesWord && isWordCharacter(firstOf(text.slice(end, end + 2)));
    if (!isCutBefore && !isCutBehind) return true;
  }
  return false;
}

function normalize(text: string): string {
  return text.normalize('NFC').replace(invisible, '').toLowerCase().replace(/\s+/gu, ' ');
}

function isWordCharacter(character: string): boolean {
  return wordCharacter.test(character);
}

function firstOf(text: string): string {
  return text === '' ? '' : String.fromCodePoint(text.codePointAt(0)!);
}

function lastOf(text: string): string {
  const pair = text.slice(-2);
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(pair) ? pair : text.slice(-1);
}
