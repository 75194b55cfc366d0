/**
 * Messages and deliveries as rows: what has a column of its own, and what is JSON in `detail`.
 *
 * For the client; `read-rows.ts` is the way back. The format of `detail` belongs to the version of
 * the store, as its columns do.
 */
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { sizeOf } from '../mail/content.ts';
import type { TraceRecord } from '../report/record.ts';
import type { AddressMatch, StoredDelivery, StoredMessage } from './store.ts';

export type Value = string | number | null;

/** Values per message in a flat list: columns up to `detail`, then where its body starts. */
export const messageWidth = 8;
/** Values per delivery in a flat list, in the order of the columns. */
export const deliveryWidth = 7;

/** `bodyOffset` is the place of the body among the batch's bodies, -1 for a spool file. */
export function pushMessage(
  values: Value[],
  message: StoredMessage,
  spoolFolder: string,
  bodyOffset: number,
): void {
  const { content } = message;
  const isSpool = content.kind === 'spool';
  values.push(
    message.key,
    message.organization,
    message.receivedAtMs,
    sizeOf(content),
    isSpool ? path.relative(spoolFolder, content.path) : null,
    isSpool ? content.offset : 0,
    JSON.stringify({
      reversePath: message.reversePath,
      bodyType: message.bodyType,
      smtpUtf8: message.smtpUtf8,
      dsn: message.dsn,
      source: message.source,
      ruling: message.ruling,
      ...(isSpool ? {} : { crc32: crc32(content.bytes) }),
    }),
    bodyOffset,
  );
}

export function pushDelivery(values: Value[], delivery: StoredDelivery): void {
  values.push(
    delivery.key,
    delivery.ordinal,
    delivery.state === 'held' ? 1 : 0,
    delivery.dueAtMs,
    delivery.attempts,
    delivery.routeKey,
    delivery.unreadable?.detail ??
      JSON.stringify({
        recipients: delivery.recipients,
        floor: delivery.floor,
        failedTlsAtMs: delivery.failedTlsAtMs,
        retriesFromMs: delivery.retriesFromMs,
        lastOutcome: delivery.lastOutcome,
        delayToldAtMs: delivery.delayToldAtMs,
        tlsDelayToldAtMs: delivery.tlsDelayToldAtMs,
        regularDueAtMs: delivery.regularDueAtMs,
        extraAttempts: delivery.extraAttempts,
      }),
  );
}

/** Values per trace record in a flat list: key, time, kind, JSON; then what it is searched by. */
export const traceWidth = 7;

/** `sender` null where the record is not the first one of a message or refusal. */
export function pushTrace(values: Value[], record: TraceRecord): void {
  const { key, atMs, kind, json, index, hasBounced } = record;
  const sender = index === undefined ? null : formatIndex([index.sender]);
  const recipients = index === undefined ? null : formatIndex(index.recipients);
  values.push(key, atMs, kind, json, sender, recipients, hasBounced === true ? 1 : 0);
}

/** In lower case, each between line feeds: so a whole address, or the end of one, is found in it. */
export function formatIndex(addresses: readonly string[]): string {
  return `\n${addresses.join('\n').toLowerCase()}\n`;
}

/** What is looked for in a text of `formatIndex`. */
export function wantedText(wanted: AddressMatch): string {
  switch (wanted.kind) {
    case 'null':
      return '\n\n';
    case 'domain':
      return `@${wanted.domain.toLowerCase()}\n`;
    case 'address':
      return `\n${wanted.text.toLowerCase()}\n`;
  }
}

/** The hashes of facts that a trace record cites: SHA-256 in base64url is 43 characters. */
export function citedHashes(json: string): string[] {
  return Array.from(json.matchAll(/"([A-Za-z0-9_-]{43})"/g), (match) => match[1]!);
}
