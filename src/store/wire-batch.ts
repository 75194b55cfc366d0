/**
 * Many commits as one message to the store thread: flat lists of values, and all bodies in one
 * buffer that is transferred, not copied again.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import type { FactCache } from './fact-cache.ts';
import { pushDelivery, pushMessage, pushTrace } from './rows.ts';
import type { Value } from './rows.ts';
import type { Batch } from './store.ts';

/** Lists that a commit adds rows to, in the order in which they are stored. */
export const sections = [
  'messages',
  'deliveries',
  'updated',
  'completed',
  'traces',
  'facts',
] as const;

export type Section = (typeof sections)[number];

/** Flat lists; a fact is hash, kind, JSON. */
export interface WireBatch extends Readonly<Record<Section, readonly Value[]>> {
  readonly bodies: ArrayBuffer;
  /** For each commit the length of each section after it, in the order of `sections`. */
  readonly ends: readonly number[];
  /** Time at which the facts count as cited. */
  readonly nowMs: number;
}

/** What only a programmer's error can break; such a batch must not take others down with it. */
export function checkBatch(batch: Batch, spoolFolder: string): void {
  for (const { message, deliveries } of batch.accepted) {
    assert(deliveries.length > 0, 'a message needs a delivery');
    assert(Number.isSafeInteger(message.key) && message.key > 0, 'a key is a positive integer');
    if (message.content.kind === 'memory') continue;
    const file = path.relative(spoolFolder, message.content.path);
    assert(!file.startsWith('..'), "a spool file lies in its shard's spool folder");
  }
}

/** Records of a batch, for bounds. */
export function countRecords(batch: Batch): number {
  let count =
    batch.updated.length + batch.completed.length + batch.traces.length + batch.facts.length;
  for (const { deliveries } of batch.accepted) count += 1 + deliveries.length;
  return count;
}

/** Bytes of the bodies that a batch hands to the store thread. */
export function countBodyBytes(batch: Batch): number {
  let count = 0;
  for (const { message } of batch.accepted) {
    if (message.content.kind === 'memory') count += message.content.bytes.length;
  }
  return count;
}

/** The bodies are copied: the caller's buffers stay its own. */
export function packBatches(
  batches: readonly Batch[],
  spoolFolder: string,
  facts: FactCache,
  nowMs: number,
): WireBatch {
  const rows: Record<Section, Value[]> = {
    messages: [],
    deliveries: [],
    updated: [],
    completed: [],
    traces: [],
    facts: [],
  };
  const bodies = new Uint8Array(batches.reduce((sum, batch) => sum + countBodyBytes(batch), 0));
  const sent = new Set<string>();
  const ends: number[] = [];
  let bodyOffset = 0;
  for (const batch of batches) {
    for (const { message, deliveries } of batch.accepted) {
      const { content } = message;
      pushMessage(rows.messages, message, spoolFolder, content.kind === 'memory' ? bodyOffset : -1);
      if (content.kind === 'memory') {
        bodies.set(content.bytes, bodyOffset);
        bodyOffset += content.bytes.length;
      }
      for (const delivery of deliveries) pushDelivery(rows.deliveries, delivery);
    }
    for (const delivery of batch.updated) pushDelivery(rows.updated, delivery);
    for (const { key, ordinal } of batch.completed) rows.completed.push(key, ordinal);
    for (const record of batch.traces) pushTrace(rows.traces, record);
    for (const { hash, kind, json } of batch.facts) {
      if (sent.has(hash) || facts.has(hash, nowMs)) continue;
      sent.add(hash);
      rows.facts.push(hash, kind, json);
    }
    for (const section of sections) ends.push(rows[section].length);
  }
  return { ...rows, bodies: bodies.buffer, ends, nowMs };
}
