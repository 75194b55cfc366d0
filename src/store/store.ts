/**
 * The store of one shard: asynchronous and batch-shaped. No SQL outside this room.
 *
 * A resolved `commit` means durable: what it held survives `kill -9` and a power cut.
 */
import type { Address, ReversePath } from '../mail/address.ts';
import type { Content } from '../mail/content.ts';
import type { BodyType } from '../mail/envelope.ts';
import type { MessageSource } from '../policy/delivery.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { Fact, TraceRecord } from '../report/record.ts';

/** A message as it is accepted. `key` is the queue id's key, unique in the shard. */
export interface StoredMessage {
  readonly key: number;
  readonly organization: string;
  readonly reversePath: ReversePath;
  readonly bodyType: BodyType;
  readonly source: MessageSource;
  readonly receivedAtMs: number;
  readonly content: Content;
}

/** One delivery of a message; the part that changes. */
export interface StoredDelivery {
  readonly key: number;
  readonly ordinal: number;
  readonly recipients: readonly Address[];
  /** Deliveries with equal keys share a next hop; for fairness between destinations. */
  readonly routeKey: string;
  readonly floor: readonly Clause[];
  readonly attempts: number;
  readonly failedTlsAtMs: readonly number[];
  /** When the next attempt is due; ignored while held. */
  readonly dueAtMs: number;
  readonly state: 'queued' | 'held';
  /** Of the last attempt; null before the first. */
  readonly lastOutcome: Outcome | null;
}

/** All parts belong to one transaction. Within a batch accepted comes first, completed last. */
export interface Batch {
  readonly accepted: readonly {
    readonly message: StoredMessage;
    readonly deliveries: readonly StoredDelivery[];
  }[];
  /** New states, and deliveries split off from existing ones. */
  readonly updated: readonly StoredDelivery[];
  /** Finished deliveries; the message goes with its last one, its spool file too. */
  readonly completed: readonly { readonly key: number; readonly ordinal: number }[];
  readonly traces: readonly TraceRecord[];
  /** Facts already stored are ignored. */
  readonly facts: readonly Fact[];
}

export interface QueueFilter {
  readonly state?: 'queued' | 'held';
  readonly recipientDomain?: string;
  /** Rows at most; 1..10000. */
  readonly limit: number;
}

/** A row of `queue list`. */
export interface QueueRow {
  readonly message: Omit<StoredMessage, 'content'> & { readonly sizeBytes: number };
  readonly delivery: StoredDelivery;
}

/** Readers see committed state only; many at once, also from other processes. */
export interface StoreReader {
  listQueue(filter: QueueFilter): Promise<readonly QueueRow[]>;
  /** Records of one key in order of time, and every fact that they cite. Empty where unknown. */
  readTrace(
    key: number,
  ): Promise<{ readonly records: readonly TraceRecord[]; readonly facts: readonly Fact[] }>;
  close(): Promise<void>;
}

export interface Store extends StoreReader {
  /** Rejects with a StoreError (`store-full`, `store-io`, `store-closed`) and then nothing of it is stored. */
  commit(batch: Batch): Promise<void>;
  /** Queued deliveries that are due at or before `untilMs`, the longest due first. */
  listDue(untilMs: number, limit: number): Promise<readonly StoredDelivery[]>;
  /** The due time of the next queued delivery after `afterMs`; null where none waits. */
  nextDueAtMs(afterMs: number): Promise<number | null>;
  /** Message and content; null where the key is unknown. */
  readMessage(key: number): Promise<StoredMessage | null>;
  /** The largest key ever used, 0 where none was; new keys must be above it. */
  lastKey(): Promise<number>;
}
