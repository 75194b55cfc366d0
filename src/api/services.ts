/** What the API serves, handed to it by `app`: the seams between HTTP and the rooms that know. */
import type { QueueFilter, QueueRow } from '../store/store.ts';
import type {
  ExplainAnswer,
  ExplainQuestion,
  StatusView,
  Submission,
  Submitted,
  TraceView,
} from './contract.ts';

/** A row of the store with the queue id of its message and shard. */
export interface IdentifiedQueueRow extends QueueRow {
  readonly id: string;
}

/** All of them may throw a Failure; any other error becomes `api-internal`. */
export interface ApiServices {
  status(): Promise<StatusView>;
  listQueue(filter: QueueFilter): Promise<readonly IdentifiedQueueRow[]>;
  /** Null where the id is unknown. `id` has the shape of a queue id, in capitals. */
  readTrace(id: string): Promise<TraceView | null>;
  /** Resolves when the message is durable. */
  submit(message: Submission): Promise<Submitted>;
  explain(question: ExplainQuestion): Promise<ExplainAnswer>;
}
