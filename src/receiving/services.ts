/**
 * What receiving needs of the rest of the gateway: functions, handed in by `app`.
 *
 * Each promise settles in bounded time.
 */
import type { Address, ReversePath } from '../mail/address.ts';
import type { Content } from '../mail/content.ts';
import type { Reply } from '../mail/reply.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Policy } from '../policy/policy.ts';
import type { ContentQuestion, MessageFacts } from '../policy/rules/rule-message.ts';
import type { VerifyRecipient } from '../policy/recipient-verification.ts';
import type { Log } from '../report/log.ts';
import type { Meter } from '../report/meter.ts';
import type { ServerTls } from '../tls/contexts.ts';
import type { upgradeServer } from '../tls/handshake.ts';
import type { ClientTable } from './client-table.ts';
import type { FirstRefusals } from './first-refusals.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RehearsalAllowance } from './rehearsal-allowance.ts';

export interface ReceivingServices {
  /** Connections are accepted but not greeted before; absent where everything is there at once. */
  readonly opened?: Promise<void>;
  /** The snapshot of now; a transaction keeps the one that it had at MAIL FROM. */
  policy(): Policy;
  /** Our certificates of now; each handshake asks anew. */
  serverTls(): ServerTls;
  /** In place of the real handshake, for tests. */
  readonly upgrade?: typeof upgradeServer;
  /** Null where name and password belong to no account. */
  authenticate(username: string, password: string): Promise<Account | null>;
  /** A new queue id text; it also names refusals. */
  newId(): string;
  openSpool(organization: string): Promise<SpoolWriter>;
  /**
   * Resolves when all these messages are durable; else none is. A Failure `store-full` or
   * `queue-full` is answered 452, anything else 451.
   */
  accept(...messages: readonly IncomingMessage[]): Promise<void>;
  /** Asks the server that keeps the recipient whether it exists. */
  readonly verifyRecipient: VerifyRecipient;
  /** Asks the content what mail-flow rules want to know; never rejects. */
  examine(content: Content, questions: readonly ContentQuestion[]): Promise<MessageFacts>;
  /** Back-pressure: a 4yz reply for MAIL, or null. */
  admit(): Reply | null;
  recordRefusal(record: RefusalRecord): void;
  readonly log: Log;
  readonly meter: Meter;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds from any moment; a clock that is set does not change it. */
  steadyNow(): number;
  /** Bounds what all listeners of the process share. */
  readonly contentMemory: MemoryBudget;
  readonly firstRefusals: FirstRefusals;
  readonly rates: RateLimiter;
  readonly rehearsals: RehearsalAllowance;
  readonly clients: ClientTable;
}

export interface Account {
  readonly organization: string;
  readonly account: string;
}

/** A spool file that is being written. Writes do not overlap. */
export interface SpoolWriter {
  /** Resolves when more may be written. */
  write(chunk: Buffer): Promise<void>;
  /** The content, its bytes durable under their final name. */
  finish(): Promise<Content>;
  /** Removes the file, also after `finish`. */
  abandon(): Promise<void>;
}

/** A refusal as the trace keeps it. `recipient` null where the whole message or sender was refused. */
export interface RefusalRecord {
  readonly id: string;
  readonly atMs: number;
  /** As it went on the wire, with the id. */
  readonly reply: Reply;
  /** Plain JSON data, versioned. */
  readonly decision: unknown;
  readonly evidence: Evidence;
  readonly reversePath: ReversePath;
  readonly recipient: Address | null;
  readonly clientAddress: string;
}
