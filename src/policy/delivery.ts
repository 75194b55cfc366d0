/**
 * A queued delivery as the attempt sees it, and what an attempt reports back.
 *
 * `queue` and `delivery` do not know each other; this is the data that passes between them.
 */
import type { ReversePath } from '../mail/address.ts';
import type { Content } from '../mail/content.ts';
import type { MailParameters } from '../mail/envelope.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { OutboundDecision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import type { HoldCause, RecipientOutcome } from './outcome.ts';
import type { Ruling } from './rules/ruling.ts';
import type { ShadowOutcome } from './shadow.ts';
import type { Clause } from './tls-requirement.ts';

/**
 * Where a message came from. `inboundConnectors` are those that it met, `ownServer` the OnPremises
 * connector that knew the session; absent where none did. `organization`: another one of this gateway
 * handed it over inside. `isForced`: one of the connectors enforced TLS when it came, or it was bound
 * to TLS in the organization that handed it over; absent in mail of a program that did not record it.
 * `account` is the signed-in name, `about` the queue id of a DSN's subject; `isRehearsal`: it answers a
 * rehearsal of that id.
 */
export type MessageSource =
  | {
      readonly kind: 'mx';
      readonly inboundConnectors: readonly string[];
      readonly ownServer?: string;
      readonly isForced?: boolean;
    }
  | {
      readonly kind: 'organization';
      readonly organization: string;
      readonly inboundConnectors: readonly string[];
      readonly isForced?: boolean;
    }
  | { readonly kind: 'submission'; readonly account: string }
  | { readonly kind: 'dsn'; readonly about: string; readonly isRehearsal?: true };

/**
 * What was changed in the header on arrival, besides our Received field: how many fields of each
 * family were removed, and the names of those added.
 */
export interface HeaderChanges {
  readonly removed: Readonly<Record<string, number>>;
  readonly added: readonly string[];
}

/** What receiving (or the DSN writer) hands over to be queued. `id` is a queue id text. */
export interface IncomingMessage extends MailParameters {
  readonly id: string;
  readonly organization: string;
  readonly reversePath: ReversePath;
  readonly recipients: readonly Recipient[];
  readonly content: Content;
  readonly source: MessageSource;
  readonly receivedAtMs: number;
  /** Clauses that the message brings along: `encrypted` for a DSN about forced mail; else empty. */
  readonly clauses: readonly Clause[];
  /** Evidence of the session that brought it; null for our own messages. */
  readonly evidence: Evidence | null;
  /** What was decided about the session and each recipient, for the trace; plain JSON data. */
  readonly decision: unknown;
  /** Absent where the header was left as it was. */
  readonly headerChanges?: HeaderChanges;
  /** What the rules said; absent where they said nothing. Its clauses are in `clauses` too. */
  readonly ruling?: Ruling;
  /** Why it waits for somebody's decision from the start; absent where it does not. */
  readonly hold?: { readonly cause: HoldCause; readonly reason: string };
}

/** One message to the recipients that share a next hop, due for an attempt. */
export interface Delivery extends MailParameters {
  /** Queue id of the message. */
  readonly id: string;
  /** Which of the message's deliveries, from 0. */
  readonly ordinal: number;
  readonly organization: string;
  readonly reversePath: ReversePath;
  readonly recipients: readonly Recipient[];
  readonly content: Content;
  readonly source: MessageSource;
  readonly ruling?: Ruling;
  readonly receivedAtMs: number;
  /** The clauses under which it was accepted or last tried; today's policy must not demand less. */
  readonly floor: readonly Clause[];
  /** Attempts that were made before this one. */
  readonly attempts: number;
  /** Times of attempts that failed in the TLS handshake with every candidate, oldest first. */
  readonly failedTlsAtMs: readonly number[];
}

/** One host that was tried, for the decision record. */
export interface CandidateRecord {
  readonly hostName: string;
  readonly address: string | null;
  readonly port: number;
  /** Clauses added because of this host (a name derived from it, DANE, MTA-STS). */
  readonly addedClauses: readonly Clause[];
  readonly evidence: Evidence | null;
  readonly verdict:
    | { readonly kind: 'proceed'; readonly met: readonly string[] }
    | { readonly kind: 'refuse'; readonly status: string; readonly reason: string }
    | { readonly kind: 'not-judged'; readonly reason: string };
  /** What connectors that only warn or observe would have said; absent where there is none. */
  readonly shadow?: readonly ShadowOutcome[];
}

/** The route that was tried for some of the recipients, and what each recipient got. */
export interface RouteAttempt {
  readonly decision: OutboundDecision;
  readonly candidates: readonly CandidateRecord[];
  readonly outcomes: readonly RecipientOutcome[];
  /** The clauses that were demanded; they become the floor. */
  readonly clauses: readonly Clause[];
  /** Every candidate that was reached failed in STARTTLS or the handshake. */
  readonly hasFailedTlsOnly: boolean;
}

/** Every recipient of the delivery appears in exactly one route's outcomes. */
export interface AttemptReport {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly routes: readonly RouteAttempt[];
}

export type AttemptDelivery = (delivery: Delivery) => Promise<AttemptReport>;
