/** What became of each recipient so far, read from the events of a trace. */
import type { TraceEvent } from './trace-event.ts';

/** `queued` before the first attempt and after a release; `refused` never came in. */
export type RecipientStatus = 'queued' | 'deferred' | 'delivered' | 'bounced' | 'held' | 'refused';

/** `status` and `reason` are empty where nothing was tried; `at` is the time of the last event. */
export interface RecipientState {
  readonly recipient: string;
  /** The alias or catch-all of ours that led here; null where the sender named it. */
  readonly aliasedFrom: string | null;
  readonly state: RecipientStatus;
  readonly status: string;
  readonly reason: string;
  readonly at: string;
}

interface Known extends RecipientState {
  /** Of the delivery that it was last seen in. */
  readonly ordinal: number;
}

/** In the order of the envelope. */
export function readRecipientStates(events: readonly TraceEvent[]): readonly RecipientState[] {
  const states = new Map<string, Known>();
  for (const event of events) note(states, event);
  return Array.from(states.values(), ({ recipient, aliasedFrom, state, status, reason, at }) => ({
    recipient,
    aliasedFrom,
    state,
    status,
    reason,
    at,
  }));
}

function note(states: Map<string, Known>, event: TraceEvent): void {
  const { at } = event;
  switch (event.kind) {
    case 'received':
      for (const { ordinal, recipients, aliasedFrom } of event.deliveries) {
        for (const recipient of recipients) {
          const alias = aliasedFrom?.[recipient] ?? null;
          states.set(recipient, { ...unheardOf(recipient, at, ordinal), aliasedFrom: alias });
        }
      }
      return;
    case 'refused': {
      const { reply } = event;
      const status = reply.status ?? String(reply.code);
      const reason = reply.lines.join(' ');
      change(states, event.recipient ?? '', { state: 'refused', status, reason, at, ordinal: 0 });
      return;
    }
    case 'attempt':
      for (const outcome of event.routes.flatMap((route) => route.outcomes)) {
        const { recipient, kind: state, status, reason, at: endedAt } = outcome;
        const { ordinal } = event;
        change(states, recipient, { state, status, reason, at: endedAt, ordinal });
      }
      return;
    case 'expired':
      for (const { recipient, status, reason } of event.outcomes) {
        const { ordinal } = event;
        change(states, recipient, { state: 'bounced', status, reason, at, ordinal });
      }
      return;
    case 'held':
      if (event.cause !== 'administrator') return;
      for (const known of findOpen(states, event.ordinal, ['queued', 'deferred'])) {
        states.set(known.recipient, { ...known, state: 'held', reason: event.reason, at });
      }
      return;
    case 'released':
      for (const known of findOpen(states, event.ordinal, ['held'])) {
        states.set(known.recipient, { ...known, state: 'queued', at });
      }
      return;
    case 'retried':
    case 'dsn':
    case 'unreadable':
      return;
  }
}

function unheardOf(recipient: string, at: string, ordinal: number): Known {
  return { recipient, aliasedFrom: null, state: 'queued', status: '', reason: '', at, ordinal };
}

/** What led to a recipient stays known. */
function change(
  states: Map<string, Known>,
  recipient: string,
  news: Omit<Known, 'recipient' | 'aliasedFrom'>,
): void {
  const known = states.get(recipient) ?? unheardOf(recipient, news.at, news.ordinal);
  states.set(recipient, { ...known, ...news });
}

/** A delivery that was divided has new ordinals, which no event names before its next attempt. */
function findOpen(
  states: ReadonlyMap<string, Known>,
  ordinal: number,
  open: readonly RecipientStatus[],
): readonly Known[] {
  const all = [...states.values()].filter(({ state }) => open.includes(state));
  const named = all.filter((known) => known.ordinal === ordinal);
  return named.length > 0 ? named : all;
}
