/**
 * New messages and refusals, and what becomes of them within the next minute, found by searching the
 * trace again and again.
 */
import { formatQueueId, parseQueueId, timeOfQueueKey } from '../mail/queue-id.ts';
import type { TracedView, TraceListView } from './contract/trace-search.ts';
import type { ServerEvent } from './serve/event-streams.ts';

/** How far back each look goes: so long changes of what was told are told, too. */
const windowMs = 60_000;
/** How far back a client that was cut off is told what it missed. */
const missedMsMax = 3600_000;
/** Traces of one look. */
export const tracesPerLook = 200;

export interface TraceWatch {
  /** Newest first, `tracesPerLook` at most. */
  search(since: string): Promise<TraceListView>;
  readonly nowMs: () => number;
  /** Last-Event-ID; null where the client comes for the first time. What is no id of ours is that, too. */
  readonly lastId: string | null;
}

/** A look gives a `trace` for each that is new or changed, oldest first, and `gap` where there were more. */
export function watchTraces(watch: TraceWatch): () => Promise<readonly ServerEvent[]> {
  const { startMs, lastId } = startOf(watch);
  let newestId = lastId;
  let known: ReadonlyMap<string, string> = new Map();
  let isFirst = true;
  return async () => {
    // The first look of a client that was cut off goes as far back as it was away.
    const sinceMs = isFirst ? startMs : Math.max(startMs, watch.nowMs() - windowMs);
    isFirst = false;
    // Full seconds, so that streams which look together ask the same.
    const since = new Date(Math.floor(sinceMs / 1000) * 1000).toISOString();
    const { rows, next } = await watch.search(since);
    const before = known;
    const now = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
    known = now;
    const fresh = rows
      .filter(({ id, at }) => before.get(id) !== now.get(id) && Date.parse(at) >= startMs)
      .toReversed();
    const events = fresh.map((row) => {
      if (row.id > newestId) newestId = row.id;
      return toEvent(row, newestId);
    });
    if (next === null) return events;
    const text = `more than ${tracesPerLook} since ${since}: only the newest are told`;
    return [{ event: 'gap', data: { since, text } }, ...events];
  };
}

function toEvent(row: TracedView, id: string): ServerEvent {
  return { event: 'trace', id, data: row };
}

/** `lastId` empty where the client comes for the first time. */
function startOf({ lastId, nowMs }: TraceWatch): {
  readonly startMs: number;
  readonly lastId: string;
} {
  const now = nowMs();
  const parsed = lastId === null ? null : parseQueueId(lastId);
  const atMs = parsed === null ? now : timeOfQueueKey(parsed.key);
  if (parsed === null || atMs > now) return { startMs: now, lastId: '' };
  return { startMs: Math.max(atMs, now - missedMsMax), lastId: formatQueueId(parsed) };
}
