/** Puts the facts that a trace record cites in the place of their hashes. */
import type { MissingFact } from './trace-event.ts';

const citing: ReadonlySet<string> = new Set(['decision', 'evidence', 'clauses', 'floor']);

/** Null where the store gives back what was never written: damage on the disk. */
export function parseRecord(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/**
 * Changes the parsed record, which is cheaper than a new one. `find` gives undefined for a fact that is
 * gone, which becomes `{ "missing": hash }`.
 */
export function resolveFacts(value: unknown, find: (hash: string) => unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) resolveFacts(item, find);
    return;
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    const item = record[key];
    if (typeof item !== 'string') resolveFacts(item, find);
    else if (citing.has(key)) record[key] = find(item) ?? { missing: item };
  }
}

export function isForgotten(value: unknown): value is MissingFact {
  return typeof value === 'object' && value !== null && 'missing' in value;
}
