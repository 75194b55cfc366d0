/** Whether the outcome of a message is final; for `send --wait`. */
import type { RecipientStateView } from '../api/contract/trace-search.ts';

/** Whether waiting longer can change nothing: a held message waits for a person. */
export function areFinal(states: readonly RecipientStateView[]): boolean {
  const open: readonly RecipientStateView['state'][] = ['queued', 'deferred'];
  return states.length > 0 && states.every(({ state }) => !open.includes(state));
}
