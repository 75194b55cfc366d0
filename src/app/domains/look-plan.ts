/** When an unproven domain is looked at again: soon at first, then ever more seldom. */
import type { Look } from './look-up.ts';

/** The first wait; it doubles with each look that found nothing. */
export const firstWaitMs = 30_000;
const longestWaitMs = 3_600_000;
/** Without an answer nothing is known: trouble of DNS passes, and is not the owner's. */
const longestWaitWithoutAnswerMs = 300_000;

/** What is known of one claim. `looks` since the start, the last reload or the last order to look. */
export interface LookState {
  readonly last: Look | null;
  readonly looks: number;
  /** By a clock that is never set. */
  readonly nextAtMs: number;
}

/** Due at once. */
export const neverLooked: LookState = { last: null, looks: 0, nextAtMs: -Infinity };

export function afterLook(before: LookState, look: Look, nowMs: number): LookState {
  const wait = firstWaitMs * 2 ** Math.min(before.looks, 20);
  const longest = look.result === 'no-answer' ? longestWaitWithoutAnswerMs : longestWaitMs;
  return { last: look, looks: before.looks + 1, nextAtMs: nowMs + Math.min(wait, longest) };
}
