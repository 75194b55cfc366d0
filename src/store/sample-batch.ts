/** Messages, deliveries and batches for the tests of store and queue. */
import { hash } from 'node:crypto';
import type { Content } from '../mail/content.ts';
import { status } from '../mail/enhanced-status.ts';
import type { Fact } from '../report/record.ts';
import type { Batch, StoredDelivery, StoredMessage } from './store.ts';
import { emptyBatch } from './store.ts';

export function sampleMessage(key: number, over: Partial<StoredMessage> = {}): StoredMessage {
  return {
    key,
    organization: 'contoso',
    reversePath: { localPart: 'anna', domain: 'contoso.com' },
    bodyType: '8bitmime',
    source: { kind: 'submission', account: 'anna' },
    receivedAtMs: 1000 + key,
    content: sampleContent(`message ${key}`),
    ...over,
  };
}

export function sampleContent(text: string): Content {
  return { kind: 'memory', bytes: Buffer.from(`Subject: ${text}\r\n\r\nhello\r\n`) };
}

export function sampleDelivery(
  key: number,
  ordinal = 0,
  over: Partial<StoredDelivery> = {},
): StoredDelivery {
  return {
    key,
    ordinal,
    recipients: [{ localPart: `bob${ordinal}`, domain: 'fabrikam.com' }],
    routeKey: 'mx contoso fabrikam.com',
    floor: [{ kind: 'encrypted', origin: { kind: 'connector', name: 'fabrikam' } }],
    attempts: 0,
    failedTlsAtMs: [],
    retriesFromMs: 1000 + key,
    dueAtMs: 1000 + key,
    state: 'queued',
    lastOutcome: null,
    ...over,
  };
}

/** One message with its deliveries, by default a single one. */
export function sampleAccept(
  key: number,
  deliveries: readonly StoredDelivery[] = [sampleDelivery(key)],
  over: Partial<StoredMessage> = {},
): Batch {
  return { ...emptyBatch, accepted: [{ message: sampleMessage(key, over), deliveries }] };
}

export function sampleComplete(key: number, ordinal = 0): Batch {
  return { ...emptyBatch, completed: [{ key, ordinal }] };
}

export function sampleFact(text: string): Fact {
  const json = JSON.stringify({ text });
  return { hash: hash('sha256', json, 'base64url'), kind: 'evidence', json };
}

export const sampleOutcome = {
  kind: 'deferred',
  cause: 'timeout',
  status: status('4.4.1'),
  reason: 'the connection timed out',
  reply: null,
  remoteMta: { hostName: 'mx.fabrikam.com', address: '192.0.2.1', port: 25 },
  at: '2026-11-22T00:00:00.000Z',
} as const;
