/**
 * The events of a trace as they are shown: the records of `trace.ts`, format version 1, with facts
 * inlined. Addresses are texts, the null reverse-path is empty, times are RFC 3339.
 */
import type { CandidateRecord, HeaderChanges, MessageSource } from '../policy/delivery.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { HandedTo, Outcome, RemoteMta } from '../policy/outcome.ts';
import type { Ruling } from '../policy/rules/ruling.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { DsnAction } from '../standards/dsn/delivery-status.ts';

/** In the place of a fact that is no longer stored. */
export interface MissingFact {
  readonly missing: string;
}

interface EventHead {
  readonly formatVersion: 1;
  readonly id: string;
  readonly at: string;
}

export interface ShownReply {
  readonly code: number;
  readonly status: string | null;
  readonly lines: readonly string[];
}

export interface ShownOutcome {
  readonly recipient: string;
  readonly kind: Outcome['kind'];
  /** Absent for delivered mail. */
  readonly cause?: string;
  /** Absent for mail that was not delivered, and in records before there was the word. */
  readonly handedTo?: HandedTo;
  readonly status: string;
  readonly reason: string;
  readonly reply: ShownReply | null;
  readonly remoteMta: RemoteMta | null;
  readonly at: string;
}

export interface ShownRoute {
  readonly decision: OutboundDecision | MissingFact;
  readonly clauses: readonly Clause[] | MissingFact;
  readonly hasFailedTlsOnly: boolean;
  readonly candidates: readonly (Omit<CandidateRecord, 'evidence'> & {
    readonly evidence: Evidence | MissingFact | null;
  })[];
  readonly outcomes: readonly ShownOutcome[];
}

export interface ReceivedEvent extends EventHead {
  readonly kind: 'received';
  readonly organization: string;
  readonly reversePath: string;
  readonly bodyType: string;
  readonly sizeBytes: number;
  readonly source: MessageSource;
  /** What the rules said; absent where they said nothing. */
  readonly ruling?: Ruling;
  /** Absent where the header was left as it was. */
  readonly headerChanges?: HeaderChanges;
  readonly clauses: readonly Clause[] | MissingFact;
  readonly decision: unknown;
  readonly evidence: Evidence | MissingFact | null;
  readonly deliveries: readonly {
    readonly ordinal: number;
    readonly recipients: readonly string[];
    /** The alias or catch-all that led to a recipient, by recipient; absent where the sender named all. */
    readonly aliasedFrom?: Readonly<Record<string, string>>;
    readonly routeKey: string;
    readonly floor: readonly Clause[] | MissingFact;
  }[];
}

export interface RefusedEvent extends EventHead {
  readonly kind: 'refused';
  readonly clientAddress: string;
  readonly reply: ShownReply;
  readonly decision: unknown;
  readonly evidence: Evidence | MissingFact | null;
  /** Absent before MAIL FROM. */
  readonly reversePath?: string;
  readonly recipient: string | null;
}

export interface AttemptEvent extends EventHead {
  readonly kind: 'attempt';
  readonly ordinal: number;
  /** From 1. */
  readonly attempt: number;
  readonly startedAt: string;
  readonly nextAttemptAt: string | null;
  readonly routes: readonly ShownRoute[];
}

/** `unreadable` is a record of a later format version, or with a null `version` a damaged one. */
export type TraceEvent =
  | ReceivedEvent
  | RefusedEvent
  | AttemptEvent
  | (EventHead & {
      readonly kind: 'held';
      readonly ordinal: number;
      readonly cause: string;
      readonly reason: string;
    })
  | (EventHead & { readonly kind: 'retried'; readonly ordinal: number; readonly by: string })
  | (EventHead & {
      readonly kind: 'released';
      readonly ordinal: number;
      readonly by: string;
      /** What the policy no longer demanded, in words; absent where nothing was lost. */
      readonly lost?: readonly string[];
    })
  | (EventHead & {
      readonly kind: 'expired';
      readonly ordinal: number;
      readonly outcomes: readonly ShownOutcome[];
    })
  | (EventHead & {
      readonly kind: 'dsn';
      readonly dsn: string;
      /** The gravest that it tells; absent in records before there was more than `failed`. */
      readonly action?: DsnAction;
      /** To whom it goes. */
      readonly recipients: readonly string[];
      /** Of whom it tells. */
      readonly told?: readonly { readonly recipient: string; readonly action: DsnAction }[];
    })
  | (EventHead & { readonly kind: 'unreadable'; readonly version: string | null });
