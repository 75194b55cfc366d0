/**
 * The one commit that ends an attempt: what is completed, updated and traced, and the DSN with it, so
 * that a DSN is neither lost nor doubled by a crash.
 */
import type { Address } from '../mail/address.ts';
import { mailParametersOf } from '../mail/envelope.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { RecipientOutcome } from '../policy/outcome.ts';
import type { Policy } from '../policy/policy.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { Recorded } from '../report/trace.ts';
import type { Batch, StoredDelivery, StoredMessage } from '../store/store.ts';
import type { QueueServices } from './queue-services.ts';
import { readHeader } from './read-header.ts';

/** A message as it is about to be stored. */
export interface Acceptance {
  readonly message: StoredMessage;
  readonly deliveries: readonly StoredDelivery[];
  readonly recorded: Recorded;
}

/** Splits a message into deliveries, due at once. Its id must be one of this shard. */
export function prepareAcceptance(
  services: QueueServices,
  incoming: IncomingMessage,
  key: number,
): Acceptance {
  const { organization, recipients, receivedAtMs, clauses } = incoming;
  const plans = services.plan(services.policy(), organization, recipients, clauses);
  const nowMs = services.now();
  const deliveries = plans.map((plan, ordinal): StoredDelivery => ({
    key,
    ordinal,
    recipients: plan.recipients,
    routeKey: plan.routeKey,
    floor: plan.floor,
    attempts: 0,
    failedTlsAtMs: [],
    retriesFromMs: receivedAtMs,
    dueAtMs: nowMs,
    state: 'queued',
    lastOutcome: null,
  }));
  const message: StoredMessage = {
    key,
    organization,
    reversePath: incoming.reversePath,
    ...mailParametersOf(incoming),
    source: incoming.source,
    receivedAtMs,
    content: incoming.content,
  };
  return { message, deliveries, recorded: services.recorder.recordReceived(incoming, deliveries) };
}

/** What failed of one message, and under which clauses. */
export interface Failures {
  readonly id: string;
  readonly message: StoredMessage;
  readonly failed: readonly RecipientOutcome[];
  readonly clauses: readonly Clause[];
}

/**
 * The DSN about failed recipients; null where nobody is to be told. Never about mail with the null
 * reverse-path. About forced mail it must itself travel encrypted, whoever wrote it.
 */
export async function prepareDsn(
  services: QueueServices,
  newId: () => string,
  { id, message, failed, clauses }: Failures,
): Promise<IncomingMessage | null> {
  if (failed.length === 0 || message.reversePath === null) return null;
  const isForced = clauses.length > 0;
  const policy = services.policy();
  const { organization, reversePath, receivedAtMs } = message;
  const dsn = services.writeDsn({
    id: newId(),
    about: {
      id,
      reversePath,
      receivedAtMs,
      organization,
      isForced,
      header: await readHeader(message.content),
      clauses,
    },
    recipients: failed,
    hostName: policy.hostName,
    postmaster: postmasterOf(policy, organization),
    nowMs: services.now(),
  });
  if (dsn === null || !isForced || dsn.clauses.some(({ kind }) => kind === 'encrypted')) return dsn;
  const encrypted: Clause = { kind: 'encrypted', origin: { kind: 'dsn', name: id } };
  return { ...dsn, clauses: [...dsn.clauses, encrypted] };
}

function postmasterOf(policy: Policy, organizationId: string): Address {
  const organization = policy.organizations.find(({ id }) => id === organizationId);
  const domain = organization?.acceptedDomains[0]?.domain ?? policy.hostName;
  return { localPart: 'postmaster', domain };
}

/** Joins parts into one batch; the recorded go with it. */
export function toBatch(
  parts: Partial<Pick<Batch, 'accepted' | 'updated' | 'completed'>>,
  ...recorded: readonly Recorded[]
): Batch {
  return {
    accepted: parts.accepted ?? [],
    updated: parts.updated ?? [],
    completed: parts.completed ?? [],
    traces: recorded.flatMap(({ records }) => records),
    facts: recorded.flatMap(({ facts }) => facts),
  };
}
