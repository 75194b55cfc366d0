/**
 * The DSN about recipients of one message, as the queue hands it to its writer.
 *
 * Never about mail with the null reverse-path, whoever writes it; and about mail that had to be
 * protected it travels encrypted itself.
 */
import type { IncomingMessage } from '../policy/delivery.ts';
import { cameForced } from '../policy/came-forced.ts';
import { postmasterOf } from '../policy/postmaster.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { DsnRecipient } from '../report/dsn-recipient.ts';
import type { StoredMessage } from '../store/store.ts';
import type { QueueServices } from './queue-services.ts';
import { readOriginal } from './read-original.ts';

/** What is to be told about one message. */
export interface Report {
  readonly id: string;
  readonly message: StoredMessage;
  readonly recipients: readonly DsnRecipient[];
}

/** Null where nobody is to be told. */
export async function prepareDsn(
  services: QueueServices,
  newId: () => string,
  { id, message, recipients }: Report,
): Promise<IncomingMessage | null> {
  if (recipients.length === 0 || message.reversePath === null) return null;
  const policy = services.policy();
  const isForced =
    recipients.some(({ clauses }) => clauses.length > 0) || cameForced(policy, message);
  const { organization, reversePath, receivedAtMs } = message;
  const dsn = services.writeDsn({
    id: newId(),
    about: {
      id,
      reversePath,
      receivedAtMs,
      organization,
      isForced,
      request: message.dsn ?? null,
      ...(await readOriginal(message.content)),
    },
    recipients,
    hostName: policy.hostName,
    postmaster: postmasterOf(policy, organization),
    nowMs: services.now(),
  });
  if (dsn === null || !isForced || dsn.clauses.some(({ kind }) => kind === 'encrypted')) return dsn;
  const encrypted: Clause = { kind: 'encrypted', origin: { kind: 'dsn', name: id } };
  return { ...dsn, clauses: [...dsn.clauses, encrypted] };
}
