/**
 * Shows a trace: as one resolved value for programs, and as text for people. Pure.
 *
 * For `postern trace`, the API and the console; written by `trace.ts`.
 */
import type { Fact, TraceRecord } from './record.ts';
import type { RecipientState } from './recipient-states.ts';
import { readRecipientStates } from './recipient-states.ts';
import { parseRecord, resolveFacts } from './resolve-facts.ts';
import type { TraceEvent } from './trace-event.ts';
import { formatEventText } from './trace-text.ts';

/** `events` in order of time; cited decisions and evidence stand in the place of their hashes. */
export interface TraceView {
  readonly formatVersion: 1;
  /** Queue id; null where there is no record. */
  readonly id: string | null;
  readonly events: readonly TraceEvent[];
  /** What became of each recipient so far. */
  readonly recipients: readonly RecipientState[];
}

/** A fact that is not there any more is shown as `{ "missing": hash }`. */
export function describeTrace(trace: {
  readonly records: readonly TraceRecord[];
  readonly facts: readonly Fact[];
}): TraceView {
  const facts = new Map(trace.facts.map((fact) => [fact.hash, fact]));
  const events = [...trace.records]
    .sort((a, b) => a.atMs - b.atMs)
    .map((record) => readEvent(record, facts));
  const recipients = readRecipientStates(events);
  return { formatVersion: 1, id: events[0]?.id ?? null, events, recipients };
}

/** A record of a later version, or a damaged one, is named and hides no other. */
function readEvent(record: TraceRecord, facts: ReadonlyMap<string, Fact>): TraceEvent {
  const data = parseRecord(record.json);
  if (data?.['formatVersion'] === 1) {
    resolveFacts(data, (hash) => {
      const fact = facts.get(hash);
      return fact === undefined ? undefined : (parseRecord(fact.json) ?? undefined);
    });
    return data as unknown as TraceEvent;
  }
  const id = typeof data?.['id'] === 'string' ? data['id'] : '';
  const at = new Date(record.atMs).toISOString();
  const version = data === null ? null : String(data['formatVersion']);
  return { formatVersion: 1, kind: 'unreadable', id, at, version };
}

/** Lines for a terminal, each sanitized and ended by LF. */
export function formatTraceText(view: TraceView): string {
  if (view.events.length === 0) return 'nothing is recorded under this id\n';
  const lines = view.events.flatMap(formatEventText);
  return `${[`trace of ${view.id ?? ''}`, ...lines].join('\n')}\n`;
}
