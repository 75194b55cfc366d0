/** What became of each recipient so far, read from a trace; for `send --wait`. */
import type { TraceView } from '../api/contract.ts';

/** `waiting` before the first attempt and while deferred; `reason` empty where nothing was tried. */
export interface RecipientState {
  readonly recipient: string;
  readonly state: 'waiting' | 'deferred' | 'delivered' | 'bounced' | 'held';
  readonly status: string;
  readonly reason: string;
}

/** In the order of the envelope. */
export function readRecipientStates(trace: TraceView): readonly RecipientState[] {
  const states = new Map<string, RecipientState>();
  for (const event of trace.events) {
    switch (event.kind) {
      case 'received':
        for (const recipient of event.deliveries.flatMap((delivery) => delivery.recipients)) {
          states.set(recipient, { recipient, state: 'waiting', status: '', reason: '' });
        }
        break;
      case 'attempt':
        for (const outcome of event.routes.flatMap((route) => route.outcomes)) {
          const { recipient, kind, status, reason } = outcome;
          states.set(recipient, { recipient, state: kind, status, reason });
        }
        break;
      case 'expired':
        for (const { recipient, status, reason } of event.outcomes) {
          states.set(recipient, { recipient, state: 'bounced', status, reason });
        }
        break;
      case 'released':
        for (const [recipient, state] of states) {
          if (state.state === 'held') states.set(recipient, { ...state, state: 'waiting' });
        }
        break;
      case 'refused':
      case 'retried':
      case 'held':
      case 'dsn':
      case 'unreadable':
        break;
    }
  }
  return [...states.values()];
}

/** Whether waiting longer can change nothing: a held message waits for a person. */
export function areFinal(states: readonly RecipientState[]): boolean {
  const open: readonly RecipientState['state'][] = ['waiting', 'deferred'];
  return states.length > 0 && states.every(({ state }) => !open.includes(state));
}
