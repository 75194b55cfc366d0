/**
 * Shows a trace: as one resolved value for programs, and as text for people. Pure.
 *
 * For `postern trace`, the API and the console; written by `trace.ts`.
 */
import type { Fact, TraceRecord } from './record.ts';
import type { RecipientState } from './recipient-states.ts';
import { readRecipientStates } from './recipient-states.ts';
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
  const value = parseJson(record.json);
  const isObject = typeof value === 'object' && value !== null;
  const data = isObject ? (value as { formatVersion?: unknown; id?: unknown }) : null;
  if (data?.formatVersion === 1) return resolve(data, facts) as TraceEvent;
  const id = typeof data?.id === 'string' ? data.id : '';
  const at = new Date(record.atMs).toISOString();
  const version = data === null ? null : String(data.formatVersion);
  return { formatVersion: 1, kind: 'unreadable', id, at, version };
}

/** Undefined where the store gives back what was never written: damage on the disk. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const citing: ReadonlySet<string> = new Set(['decision', 'evidence', 'clauses', 'floor']);

function resolve(value: unknown, facts: ReadonlyMap<string, Fact>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, facts));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => {
      if (!citing.has(key) || typeof item !== 'string') return [key, resolve(item, facts)];
      const fact = facts.get(item);
      return [key, (fact === undefined ? undefined : parseJson(fact.json)) ?? { missing: item }];
    }),
  );
}

/** Lines for a terminal, each sanitized and ended by LF. */
export function formatTraceText(view: TraceView): string {
  if (view.events.length === 0) return 'nothing is recorded under this id\n';
  const lines = view.events.flatMap(formatEventText);
  return `${[`trace of ${view.id ?? ''}`, ...lines].join('\n')}\n`;
}
