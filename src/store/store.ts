/**
 * The store of one shard: asynchronous and batch-shaped. No SQL outside this room.
 *
 * A resolved `commit` means durable: what it held survives `kill -9` and a power cut.
 */
import type { Address, ReversePath } from '../mail/address.ts';
import type { Content } from '../mail/content.ts';
import type { MailParameters } from '../mail/envelope.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { MessageSource } from '../policy/delivery.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Ruling } from '../policy/rules/ruling.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { Fact, TraceRecord } from '../report/record.ts';

/** A message as it is accepted. `key` is the queue id's key, unique in the shard. */
export interface StoredMessage extends MailParameters {
  readonly key: number;
  readonly organization: string;
  readonly reversePath: ReversePath;
  readonly source: MessageSource;
  /** What the rules said when it was accepted; absent where they said nothing. */
  readonly ruling?: Ruling;
  readonly receivedAtMs: number;
  readonly content: Content;
}

/** One delivery of a message; the part that changes. */
export interface StoredDelivery {
  readonly key: number;
  readonly ordinal: number;
  readonly recipients: readonly Recipient[];
  /** Deliveries with equal keys share a next hop; for fairness between destinations. */
  readonly routeKey: string;
  readonly floor: readonly Clause[];
  readonly attempts: number;
  readonly failedTlsAtMs: readonly number[];
  /** Where the clock of expiry starts: when it was received, or released from a hold. */
  readonly retriesFromMs: number;
  /** When the next attempt is due; ignored while held. */
  readonly dueAtMs: number;
  readonly state: 'queued' | 'held';
  /** When the sender was told that it waits, for any cause but TLS; absent where that has not been. */
  readonly delayToldAtMs?: number;
  /** When the sender was told that it waits because of TLS; absent where that has not been. */
  readonly tlsDelayToldAtMs?: number;
  /** When the schedule tries it, where `dueAtMs` is earlier: an attempt in between serves a notice. */
  readonly regularDueAtMs?: number;
  /** Attempts made besides the schedule; absent is 0. */
  readonly extraAttempts?: number;
  /** Of the last attempt; null before the first. */
  readonly lastOutcome: Outcome | null;
  /** The row is damaged: what it holds is kept as it is, and nothing here may be relied on. */
  readonly unreadable?: { readonly detail: string; readonly reason: string };
}

/** Names one delivery. */
export type DeliveryKey = Pick<StoredDelivery, 'key' | 'ordinal'>;

/** All parts belong to one transaction. Within a batch accepted comes first, completed last. */
export interface Batch {
  readonly accepted: readonly {
    readonly message: StoredMessage;
    readonly deliveries: readonly StoredDelivery[];
  }[];
  /** New states, and deliveries split off from existing ones. Their message must exist. */
  readonly updated: readonly StoredDelivery[];
  /** Finished deliveries; the message goes with its last one, its spool file too. Unknown ones are ignored. */
  readonly completed: readonly DeliveryKey[];
  readonly traces: readonly TraceRecord[];
  /** Facts already stored are ignored. */
  readonly facts: readonly Fact[];
}

export const emptyBatch: Batch = {
  accepted: [],
  updated: [],
  completed: [],
  traces: [],
  facts: [],
};

/** A sender as an administrator names it: an address, a domain, or the null reverse-path. */
export type SenderMatch =
  | { readonly kind: 'null' }
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'address'; readonly address: Address };

/** Which deliveries are meant: every condition that is there must hold. Domains in canonical form. */
export interface QueueMatch {
  /** Deliveries of this message only. */
  readonly key?: number;
  readonly state?: 'queued' | 'held';
  readonly recipientDomain?: string;
  readonly sender?: SenderMatch;
  /** Of the last attempt, as `tls-not-offered`; what was never tried has none. */
  readonly cause?: string;
  readonly organization?: string;
  /** Of one of these. */
  readonly organizations?: readonly string[];
  /** Outbound connector whose smart hosts it waits for or whose clauses it carries. */
  readonly connector?: string;
  readonly routeKey?: string;
  readonly receivedBeforeMs?: number;
}

export interface QueueFilter extends QueueMatch {
  /** Rows at most; 1..10000. */
  readonly limit: number;
  /** Only what is behind it, in the order of keys and ordinals. */
  readonly after?: DeliveryKey;
}

/** The next deliveries to look at: those behind `after` (null: from the first), so many at most. */
export interface QueueStep {
  readonly after: DeliveryKey | null;
  /** 1..1000. */
  readonly looks: number;
}

/** Those that match among the ones looked at; `next` null where none is left to look at. */
export interface QueuePage {
  readonly rows: readonly QueueRow[];
  readonly next: DeliveryKey | null;
}

/** A row of `queue list`. */
export interface QueueRow {
  readonly message: Omit<StoredMessage, 'content'> & { readonly sizeBytes: number };
  readonly delivery: StoredDelivery;
}

/** What waits in the whole shard. */
export interface QueueSummary {
  readonly queued: number;
  readonly held: number;
  /** Every route with queued deliveries, and when the first of them is due. */
  readonly routes: readonly { readonly routeKey: string; readonly dueAtMs: number }[];
}

/** An address as it was written or with its case changed, a domain, or `<>`: nobody. */
export type AddressMatch =
  | { readonly kind: 'null' }
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'address'; readonly text: string };

/** Which traces are looked for: every condition that is there must hold. */
export interface TraceMatch {
  readonly sender?: AddressMatch;
  readonly recipient?: AddressMatch;
  /** `waiting`: still queued or held. `bounced`: some recipient once was given up. */
  readonly only?: 'refused' | 'accepted' | 'waiting' | 'bounced';
}

/** From `fromKey` down to `toKey`, both included. */
export interface TraceStep {
  readonly fromKey: number;
  readonly toKey: number;
  /** Found ones at most, 1..1000; and messages looked at, up to 200,000. */
  readonly limit: number;
  readonly looks: number;
}

/** Newest first. `nextKey` is where to go on; null where nothing is left to look at. */
export interface TracePage {
  /** Keys. */
  readonly found: readonly number[];
  readonly nextKey: number | null;
}

/** From `fromKey` down to `toKey`, both included. */
export interface TraceScanStep {
  readonly fromKey: number;
  readonly toKey: number;
  /** Messages and refusals at most, 1..5000. */
  readonly limit: number;
  /** No further one is begun once records and facts have as many characters. */
  readonly lengthMax: number;
}

/** Everything that is kept of some messages and refusals, newest first. */
export interface TraceScan {
  /** Records in order of time. */
  readonly traces: readonly { readonly key: number; readonly records: readonly TraceRecord[] }[];
  /** What the records cite, each once. */
  readonly facts: readonly Fact[];
  /** Where to go on; null where nothing is left. */
  readonly nextKey: number | null;
}

/** Readers see committed state only; many at once, also from other processes. */
export interface StoreReader {
  /** In order of key, then ordinal. */
  listQueue(filter: QueueFilter): Promise<readonly QueueRow[]>;
  /** One bounded step through the queue, in the same order; for commands on whatever matches. */
  pageQueue(match: QueueMatch, step: QueueStep): Promise<QueuePage>;
  /** Message and content; null where the key is unknown. */
  readMessage(key: number): Promise<StoredMessage | null>;
  /** Records of one key in order of time, and every fact that they cite. Empty where unknown. */
  readTrace(
    key: number,
  ): Promise<{ readonly records: readonly TraceRecord[]; readonly facts: readonly Fact[] }>;
  /** One bounded step through what is traced. */
  searchTraces(match: TraceMatch, step: TraceStep): Promise<TracePage>;
  /** One bounded step through whole traces; for whoever goes through all of them. */
  scanTraces(step: TraceScanStep): Promise<TraceScan>;
  close(): Promise<void>;
}

/** Numbers for metrics and for back-pressure. */
export interface StoreCounts {
  /** Transactions committed since the store was opened. */
  readonly commits: number;
  /** Records and body bytes that wait for the disk or are being written. */
  readonly waitingRecords: number;
  readonly waitingBytes: number;
}

export interface Store extends StoreReader {
  /**
   * Stores the whole batch or nothing. `withinMs` lets it ride with the next commit, which starts
   * after that time at the latest; absent or 0 is at once.
   *
   * Rejects with a Failure: `store-full`, `store-io`, `store-damaged`, `store-conflict`,
   * `store-closed`, `queue-full` (too much waits for the disk); then nothing of it is stored.
   */
  commit(batch: Batch, withinMs?: number): Promise<void>;
  /** Queued deliveries of one route due at or before `untilMs`, the longest due first. */
  listDue(routeKey: string, untilMs: number, limit: number): Promise<readonly StoredDelivery[]>;
  /** The due time of the route's first queued delivery after `afterMs`; null where none waits. */
  nextDueAtMs(routeKey: string, afterMs: number): Promise<number | null>;
  summarize(): Promise<QueueSummary>;
  /** One above the largest ordinal among the message's present deliveries; 0 where none are. */
  nextOrdinal(key: number): Promise<number>;
  counts(): StoreCounts;
  /**
   * Moves every time of every delivery by as much as the clock was set, after what was committed
   * before and ahead of what comes after. Rejects as `commit` does; then nothing was moved.
   */
  shiftTimes(byMs: number): Promise<void>;
  /** Queued deliveries that are due later than `atMs` become due then; their number. */
  capDueTimes(atMs: number): Promise<number>;
  /** Writes something that changes nothing; rejects where the store cannot be written. */
  probe(): Promise<void>;
  /** The largest key ever used, 0 where none was; new keys must be above it. */
  lastKey(): Promise<number>;
}
