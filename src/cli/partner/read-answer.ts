/** From what a person wrote to an answer, or to what is wrong with it. Pure. */
import type { Answer, ConnectorKind } from './answers.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import { splitList, unquote } from '../policy-objects/split-list.ts';

/** The key of a connector that an answer is for. */
export interface FieldOfConnector {
  readonly kind: ConnectorKind;
  readonly key: string;
}

/** `text` is what follows the word, for people. */
export interface Choice {
  readonly word: string;
  readonly text: string;
}

/** How an answer is written. `candidates` can be named by their numbers, from 1. */
export type Form =
  | { readonly kind: 'choice'; readonly choices: readonly Choice[] }
  | { readonly kind: 'text' }
  | { readonly kind: 'list'; readonly candidates: readonly string[] };

export type ReadAnswer = { readonly value: Answer } | { readonly wrong: string };

/** `wrong` is a sentence without its subject and full stop. */
export function readAnswer(written: string, form: Form): ReadAnswer {
  const text = written.trim();
  if (form.kind === 'text') return { value: unquote(text) };
  return form.kind === 'choice' ? readChoice(text, form.choices) : readList(text, form.candidates);
}

function readChoice(text: string, choices: readonly Choice[]): ReadAnswer {
  const lower = text.toLowerCase();
  const words = { y: 'true', yes: 'true', n: 'false', no: 'false' }[lower] ?? lower;
  const found =
    choices[/^\d$/.test(text) ? Number(text) - 1 : -1] ??
    choices.find(({ word }) => word.toLowerCase() === words);
  if (found !== undefined) return { value: found.word };
  const all = choices.map(({ word }) => word);
  return { wrong: `is one of ${all.join(', ')}, not ${JSON.stringify(text)}` };
}

function readList(text: string, candidates: readonly string[]): ReadAnswer {
  if (text === '') return { value: [] };
  const entries = splitList(text, 'plain');
  if (entries === null) return { wrong: 'has an empty entry between its commas' };
  const named = entries.map((entry) =>
    /^\d$/.test(entry) ? (candidates[Number(entry) - 1] ?? entry) : entry,
  );
  return { value: [...new Set(named)] };
}

/** What the schema of the policy says against a value; null where it takes it. */
export function complaintOf({ kind, key }: FieldOfConnector, value: unknown): string | null {
  const result = policyKinds[kind].schema.safeParse({ [key]: value });
  const issue = result.error?.issues.find(({ path }) => path[0] === key);
  return issue?.message ?? null;
}
