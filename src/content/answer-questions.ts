/** What rules ask of a content, answered from its facts: yes and no where that is sure, else unknown. */
import type { Answer, ContentQuestion } from '../policy/rules/rule-message.ts';
import type { CompiledPattern } from '../policy/rules/pattern.ts';
import { compilePattern } from '../policy/rules/pattern.ts';
import type { WordText } from '../policy/rules/words.ts';
import { compileWords, containsAnyWord, splitWords } from '../policy/rules/words.ts';
import type { ContentFacts } from './message-facts.ts';
import { tooLate } from './message-facts.ts';

/** In the order of the questions. `isLate`: whether time is up. */
export function answerQuestions(
  facts: ContentFacts,
  questions: readonly ContentQuestion[],
  isLate: () => boolean,
): Answer[] {
  let words: readonly WordText[] | null = null;
  const wordsOfTexts = (): readonly WordText[] => (words ??= facts.texts.map(splitWords));
  return questions.map((question) => {
    if (isLate()) return late;
    switch (question.kind) {
      case 'body-contains-words': {
        const list = compileWords(question.words);
        const isFound = wordsOfTexts().some((text) => containsAnyWord(list, text));
        return answer(isFound, facts.textDoubt);
      }
      case 'body-matches-patterns':
        return matchAny(question.patterns, facts.texts, facts.textDoubt, isLate);
      case 'attachment-name-contains-words': {
        const list = compileWords(question.words);
        const isFound = namesOf(facts).some((name) => containsAnyWord(list, splitWords(name)));
        return answer(isFound, facts.attachmentDoubt);
      }
      case 'attachment-name-matches-patterns':
        return matchAny(question.patterns, namesOf(facts), facts.attachmentDoubt, isLate);
      case 'attachment-extension-is': {
        const found = namesOf(facts).map(extensionOf);
        return answer(
          question.extensions.some((one) => found.includes(one)),
          facts.attachmentDoubt,
        );
      }
      case 'attachment-type-is':
        return answer(
          facts.attachments.some(({ type }) => isOfType(type, question.types)),
          facts.attachmentDoubt,
        );
    }
  });
}

function answer(isFound: boolean, doubt: string | null): Answer {
  if (isFound) return { kind: 'yes' };
  if (doubt === null) return { kind: 'no' };
  return { kind: 'unknown', reason: doubt, isPassing: doubt === tooLate };
}

const late: Answer = {
  kind: 'unknown',
  reason: 'it took too long to search',
  isPassing: true,
};

function namesOf({ attachments }: ContentFacts): readonly string[] {
  return attachments.flatMap(({ names }) => names);
}

function matchAny(
  patterns: readonly string[],
  texts: readonly string[],
  doubt: string | null,
  isLate: () => boolean,
): Answer {
  let trouble = doubt;
  for (const text of patterns) {
    const pattern = compiledOf(text);
    if (pattern === null) {
      trouble ??= 'a pattern of it cannot be used';
      continue;
    }
    for (const subject of texts) {
      if (pattern.matches(subject)) return { kind: 'yes' };
      if (isLate()) return late;
    }
  }
  return answer(false, trouble);
}

const compiled = new Map<string, CompiledPattern | null>();
/** All patterns of some organizations; then the memory starts anew. */
const compiledMax = 5000;

function compiledOf(text: string): CompiledPattern | null {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const result = compilePattern(text);
  const pattern = result.kind === 'compiled' ? result.pattern : null;
  if (compiled.size >= compiledMax) compiled.clear();
  compiled.set(text, pattern);
  return pattern;
}

/** Lower-case; blanks and dots at the end do not count, since systems drop them. */
function extensionOf(name: string): string | null {
  const bare = name
    .replace(/[\u0000-\u001f]/g, '')
    .slice(-255)
    .trimEnd();
  let end = bare.length;
  while (end > 0 && (bare[end - 1] === '.' || bare[end - 1] === ' ')) end--;
  const dot = bare.lastIndexOf('.', end - 1);
  return dot === -1 || end === 0 ? null : bare.slice(dot + 1, end).toLowerCase();
}

function isOfType(type: string, wanted: readonly string[]): boolean {
  return wanted.some((one) =>
    one.endsWith('/*') ? type.startsWith(one.slice(0, -1)) : type === one,
  );
}
