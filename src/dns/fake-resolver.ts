/**
 * The shipped fake: answers from a programmed zone, with failures, AD bits and delays. For tests and
 * for rehearsing a connector without touching DNS.
 */
import { setTimeout as sleepFor } from 'node:timers/promises';
import { answerFromZone } from './fake-zone.ts';
import type { FakeEntry } from './fake-zone.ts';
import type { AnswerTo, Question, QuestionType } from './question.ts';
import type { Resolver } from './resolver.ts';
import { resolveWith } from './resolve-with.ts';

/** A Resolver whose data can be changed between questions; it keeps no cache. */
export interface FakeResolver extends Resolver {
  /** The live zone: set and delete entries at will, keys in canonical form. */
  readonly zone: Map<string, FakeEntry>;
  /** Every question asked of the zone, oldest first. */
  readonly questions: readonly Question[];
}

/** `sleep` is the clock by which delays pass; the real one where absent. */
export interface FakeResolverOptions {
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export function createFakeResolver(
  entries: Readonly<Record<string, FakeEntry>> | FakeResolver['zone'] = {},
  options: FakeResolverOptions = {},
): FakeResolver {
  const zone = entries instanceof Map ? entries : new Map(Object.entries(entries));
  const questions: Question[] = [];
  const sleep = options.sleep ?? ((ms: number) => sleepFor(ms));
  const ask = async <T extends QuestionType>(type: T, name: string): Promise<AnswerTo<T>> => {
    questions.push({ type, name });
    const delayMs = zone.get(name)?.delayMs ?? 0;
    if (delayMs > 0) await sleep(delayMs);
    return answerFromZone(zone, type, name);
  };
  return { ...resolveWith(ask), zone, questions };
}
