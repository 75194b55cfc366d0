/**
 * Moves what waits along with the clock, when the clock was set; and the same for one delivery that
 * is in memory. Every time that a delivery keeps is named here.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { StoredDelivery } from './store.ts';

/** Keys of `detail` that hold one time each; `failedTlsAtMs` holds a list of them. */
const keys = ['retriesFromMs', 'delayToldAtMs', 'tlsDelayToldAtMs', 'regularDueAtMs'] as const;

/** A new delivery, whose times are later by `byMs`. What cannot be read keeps its row. */
export function shiftDelivery(delivery: StoredDelivery, byMs: number): StoredDelivery {
  const moved: Partial<Record<(typeof keys)[number], number>> = {};
  for (const key of keys) {
    const atMs = delivery[key];
    if (atMs !== undefined) moved[key] = atMs + byMs;
  }
  return {
    ...delivery,
    ...moved,
    dueAtMs: delivery.dueAtMs + byMs,
    failedTlsAtMs: delivery.failedTlsAtMs.map((atMs) => atMs + byMs),
  };
}

/** One statement, so that either all are moved or none. */
export function shiftRows(db: DatabaseSync, byMs: number): void {
  const times = keys
    .map((key) => `'$.${key}', (detail ->> '$.${key}') + CAST(?1 AS INTEGER)`)
    .join(', ');
  const list = `json((SELECT json_group_array(value + CAST(?1 AS INTEGER)) FROM json_each(detail, '$.failedTlsAtMs')))`;
  db.prepare(
    `UPDATE delivery SET due_at_ms = due_at_ms + ?1,
       detail = CASE WHEN json_valid(detail)
         THEN json_replace(detail, ${times}, '$.failedTlsAtMs', ${list}) ELSE detail END`,
  ).run(byMs);
}

/** How many queued rows were due later than that. */
export function capDueRows(db: DatabaseSync, atMs: number): number {
  // Over the index alone: at a start with a long queue there is mostly none.
  const late = db.prepare(
    'SELECT 1 FROM delivery INDEXED BY delivery_due WHERE is_held = 0 AND due_at_ms > ? LIMIT 1',
  );
  if (late.get(atMs) === undefined) return 0;
  const statement = db.prepare(
    'UPDATE delivery SET due_at_ms = ?1 WHERE is_held = 0 AND due_at_ms > ?1',
  );
  return Number(statement.run(atMs).changes);
}
