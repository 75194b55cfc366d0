/** What a question of the wizard is: data, with pure functions of what was answered before. */
import type { Answer, AnswerKey, Situation } from './answers.ts';
import type { Choice, FieldOfConnector, Form } from './read-answer.ts';

/** A question as it is put. `fallback` is taken for an empty line; null: there must be an answer. */
export interface Asked {
  readonly title: string;
  /** Below the title, a sentence each. */
  readonly lines: readonly string[];
  readonly form: Form;
  readonly fallback: Answer | null;
  /** For people, where the fallback says nothing by itself. */
  readonly fallbackWords?: string;
}

export interface Question {
  readonly key: AnswerKey;
  /** Of the option, without its dashes. */
  readonly option: string;
  readonly takes: 'word' | 'flag' | 'text' | 'list';
  /** The words that it takes; absent where there are others. */
  readonly words?: readonly string[];
  /** For help: what it is, then what it is without the option. */
  readonly help: string;
  /** The key of the policy whose schema judges the answer; null where it is about no key. */
  readonly field: FieldOfConnector | null;
  /** What it is where nobody can be asked; null: it must be said. */
  readonly unasked: (situation: Situation) => Answer | null;
  readonly applies: (situation: Situation) => boolean;
  readonly ask: (situation: Situation) => Asked;
  /** What is wrong with an answer that the schema takes; null where nothing is. */
  readonly refuse?: (answer: Answer, situation: Situation) => string | null;
  /** What a person is told of an answer that is taken, a sentence each without its full stop. */
  readonly tell?: (answer: Answer, situation: Situation) => readonly string[];
}

export const yesNo: readonly Choice[] = [
  { word: 'true', text: 'yes' },
  { word: 'false', text: 'no' },
];

export function choose(choices: readonly Choice[]): Form {
  return { kind: 'choice', choices };
}

export function list(candidates: readonly string[] = []): Form {
  return { kind: 'list', candidates };
}

/** Every list that is needed. */
export function refuseEmpty(answer: Answer, what: string): string | null {
  return answer.length === 0 ? `is empty; it takes ${what}` : null;
}
