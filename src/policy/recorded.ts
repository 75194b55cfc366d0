/**
 * What the trace tells of one message or refusal, as far as a decision about it can be made again.
 *
 * Read from the store by `report/read-recorded.ts`; judged by `replay.ts` and `readiness.ts`.
 */
import type { Address, ReversePath } from '../mail/address.ts';
import type { OutboundDecision } from './decision.ts';
import type { MessageSource } from './delivery.ts';
import type { Evidence } from './evidence.ts';
import type { InboundSession } from './inbound-session.ts';
import type { DeferralCause, HoldCause, Outcome, RemoteMta } from './outcome.ts';
import type { Ruling } from './rules/ruling.ts';
import type { ShadowOutcome } from './shadow.ts';
import type { Clause } from './tls-requirement.ts';

/** `unreadable`: damaged, of a later version, or its beginning is forgotten; `reason` says which. */
export type Recorded =
  | RecordedMessage
  | RecordedRefusal
  | {
      readonly kind: 'unreadable';
      readonly id: string;
      readonly atMs: number;
      readonly reason: string;
    };

/** An accepted message and what became of it so far. */
export interface RecordedMessage {
  readonly kind: 'message';
  readonly id: string;
  readonly atMs: number;
  readonly organization: string;
  readonly reversePath: ReversePath;
  readonly source: MessageSource;
  readonly sizeBytes: number;
  /** Null where no rule said anything. */
  readonly ruling: Ruling | null;
  /** Null for our own messages, and where `isPartial`. */
  readonly arrival: RecordedArrival | null;
  /** Final ones, after aliases. */
  readonly recipients: readonly RecordedRecipient[];
  /** Every route that was tried, in order of time. */
  readonly routes: readonly RecordedRoute[];
  /** A decision or an evidence that it cites is not stored any more. */
  readonly isPartial: boolean;
}

/** How it came in. */
export interface RecordedArrival {
  readonly policyRevision: string | null;
  /** Null where it came through the API. */
  readonly session: InboundSession | null;
  /** As RCPT named them, with what was decided. */
  readonly accepted: readonly RecordedAcceptance[];
}

export interface RecordedAcceptance {
  readonly recipient: Address;
  /** Those that were met. */
  readonly connectors: readonly string[];
  readonly shadow: readonly ShadowOutcome[];
}

export interface RecordedRecipient {
  readonly recipient: Address;
  /** As the sender named it: the alias that led here, or itself. */
  readonly named: Address;
  readonly floor: readonly Clause[];
  /** Null where it was never tried. */
  readonly last: RecordedSending | null;
}

/** One attempt on one route. */
export interface RecordedRoute {
  readonly ordinal: number;
  readonly atMs: number;
  readonly decision: OutboundDecision;
  readonly clauses: readonly Clause[];
  readonly candidates: readonly RecordedCandidate[];
}

/** The last attempt for one recipient, and what came of it. */
export interface RecordedSending {
  readonly route: RecordedRoute;
  readonly kind: Outcome['kind'];
  /** Null for delivered mail. */
  readonly cause: DeferralCause | HoldCause | null;
  readonly atMs: number;
  readonly remoteMta: RemoteMta | null;
}

export interface RecordedCandidate {
  readonly hostName: string;
  readonly address: string | null;
  readonly port: number;
  readonly evidence: Evidence | null;
  readonly verdict: 'proceed' | 'refuse' | 'not-judged';
  /** Of a refusal, or why it was not judged; empty where it proceeded. */
  readonly reason: string;
  readonly shadow: readonly ShadowOutcome[];
}

/** A refusal in the session. `organization`: whose policy it was; null where it was nobody's. */
export interface RecordedRefusal {
  readonly kind: 'refusal';
  readonly id: string;
  readonly atMs: number;
  readonly policyRevision: string | null;
  readonly organization: string | null;
  /** Null where what it cites is not stored any more, and before MAIL FROM. */
  readonly session: InboundSession | null;
  /** Null where the refusal is not about one recipient. */
  readonly recipient: Address | null;
  readonly code: number;
  /** As `5.7.51`; null where the reply had none. */
  readonly status: string | null;
  /** Whose requirement was not met; null where no connector had a part in it. */
  readonly connector: string | null;
  readonly reason: string;
  readonly isPartial: boolean;
}
