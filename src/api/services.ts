/** What the API serves, handed to it by `app`: the seams between HTTP and the rooms that know. */
import type { Readable } from 'node:stream';
import type { ConfigProblem } from '../config/problem.ts';
import type { Actor } from '../identity/actor.ts';
import type { DeliveryKey, QueueFilter, QueueRow } from '../store/store.ts';
import type {
  ExplainAnswer,
  ExplainQuestion,
  ReloadOrderView,
  Reloaded,
  StatusView,
  Submission,
  Submitted,
  TraceView,
} from './contract.ts';
import type {
  QueuedMessageView,
  QueueOrderAnswer,
  QueueOrderView,
} from './contract/queue-orders.ts';
import type { CertificateContentsView } from './contract/certificates.ts';
import type { ConfigCheck, ConfigView } from './contract/config.ts';
import type { DomainListView, DomainView } from './contract/domains.ts';
import type { ReadinessAnswer, ReadinessQuery } from './contract/readiness.ts';
import type { RecordPage, RecordQuery } from './contract/records.ts';
import type { ReplayedView, ReplayOrder } from './contract/replay.ts';
import type { PolicyServices } from './policy-services.ts';
import type { SuggestQuery, SuggestionsView } from './contract/suggestions.ts';
import type { TraceListView, TraceQuery } from './contract/trace-search.ts';
import type { ValidationServices } from './validation-services.ts';
import type { PeopleServices } from './people-services.ts';

/** A row of the store with the queue id of its message and shard. */
export interface IdentifiedQueueRow extends QueueRow {
  readonly id: string;
}

/** Whose things are meant, by their ids; null: everybody's, and what is nobody's. */
export type Organizations = readonly string[] | null;

/** Of one shard, or of all; `after` is a row of any shard. */
export type ShardsFilter = Omit<QueueFilter, 'after'> & {
  readonly shard?: number;
  readonly after?: DeliveryKey & { readonly shard: number };
};

/** All of them may throw a Failure; any other error becomes `api-internal`. */
export interface ApiServices extends PolicyServices, ValidationServices {
  /** Who signs in, what they may do, and what is written down of it. */
  readonly people: PeopleServices;
  /** The accepted domain's organization, whether proven or only claimed; null where it is nobody's here. */
  organizationOf(domain: string): string | null;
  /** Counts only what is of `organizations`; null: everything. */
  status(organizations: Organizations): Promise<StatusView>;
  /** In the order of key, shard and ordinal. */
  listQueue(filter: ShardsFilter): Promise<readonly IdentifiedQueueRow[]>;
  /** One bounded step; the answer says how to go on. */
  orderQueue(order: QueueOrderView, organizations: Organizations): Promise<QueueOrderAnswer>;
  /** Null where no such message is queued. */
  showQueued(id: string): Promise<QueuedMessageView | null>;
  /** The content of a queued message, as it is stored. */
  openContent(id: string, by: string): Promise<Readable | null>;
  /** Null where the id is unknown. `id` has the shape of a queue id, in capitals. */
  readTrace(id: string): Promise<TraceView | null>;
  /** Newest first; one bounded step. */
  searchTraces(query: TraceQuery, organizations: Organizations): Promise<TraceListView>;
  /** Throws `api-timeout` where there is more recorded mail than can be read in time, as the next one. */
  suggestConnectors(query: SuggestQuery, organizations: Organizations): Promise<SuggestionsView>;
  /** Throws `connector-unknown`. */
  readReadiness(query: ReadinessQuery, organizations: Organizations): Promise<ReadinessAnswer>;
  /** Throws what wrong changes throw; `refused`: no policy can be made of them. Nothing changes. */
  replay(
    order: ReplayOrder,
    actor: Actor,
    organizations: Organizations,
  ): Promise<
    | { readonly kind: 'replayed'; readonly view: ReplayedView }
    | { readonly kind: 'refused'; readonly problems: readonly ConfigProblem[] }
  >;
  /** One bounded page of whole traces. */
  readRecords(query: RecordQuery, organizations: Organizations): Promise<RecordPage>;
  /** Resolves when the message is durable. */
  submit(message: Submission): Promise<Submitted>;
  /** Throws `api-not-permitted` where the answer depends on another organization. */
  explain(question: ExplainQuestion, organizations: Organizations): Promise<ExplainAnswer>;
  /**
   * `refused`: nothing has changed. `reason`: why the policy is to ask for less; null where nobody says.
   * What the file changes of the policy is written into the audit log.
   */
  reloadConfig(
    order: ReloadOrderView,
    actor: Actor,
  ): Promise<
    | { readonly kind: 'reloaded'; readonly view: Reloaded }
    | { readonly kind: 'refused'; readonly problems: readonly ConfigProblem[] }
  >;
  /** What a reload would do with `text` in the file; null: with the file as it is. Changes nothing. */
  checkConfig(text: string | null): Promise<ConfigCheck>;
  /** What is in force; with the defaults of what was left out. */
  readConfig(options: { readonly withDefaults: boolean }): Promise<ConfigView>;
  /** Throws `object-unknown`. */
  readCertificate(name: string): Promise<CertificateContentsView>;
  listDomains(): Promise<DomainListView>;
  /** `domain` in canonical form. Throws `domain-unknown`. */
  verifyDomain(domain: string): Promise<DomainView>;
}
