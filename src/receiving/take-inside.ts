/**
 * Mail that another organization of this gateway hands over inside: a transaction like any other,
 * without a wire. The organization that takes it judges it as if it came from anybody.
 */
import { readContent } from '../content/read-content.ts';
import { sizeOf } from '../mail/content.ts';
import { mailParametersOf } from '../mail/envelope.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import { isPositive, reply } from '../mail/reply.ts';
import { cameForced } from '../policy/came-forced.ts';
import type { Delivery } from '../policy/delivery.ts';
import { isDomainOf } from '../policy/directory.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { TransactionContext } from './transaction-start.ts';
import { Transaction } from './transaction.ts';

/**
 * `evidence` is the sending side's: `internal`, with the organization that sends. `isForced`: it demanded
 * TLS of this hop.
 */
export interface TakenInside {
  readonly delivery: Delivery;
  readonly recipients: readonly Recipient[];
  readonly toOrganization: string;
  readonly evidence: Evidence;
  readonly isForced: boolean;
}

const ownerChanged = reply(451, '4.3.5', 'the domain belongs to another organization by now');
const broken = reply(451, '4.3.0', 'the message cannot be read now, try again later');

/** One answer for each recipient, in their order; a positive one means durable. Never rejects. */
export async function takeInside(
  context: TransactionContext,
  taken: TakenInside,
): Promise<readonly Reply[]> {
  const { services } = context;
  const policy = services.policy();
  const { delivery, recipients, toOrganization, evidence, isForced } = taken;
  const transaction = new Transaction(context, policy, {
    session: {
      listener: 'inside',
      clientAddress: '',
      heloName: policy.hostName,
      evidence: { ...evidence, role: 'server' },
      account: null,
      reversePath: delivery.reversePath,
    },
    isExtended: true,
    parameters: mailParametersOf(delivery),
    declaredBytes: sizeOf(delivery.content),
    isForced: isForced || cameForced(policy, delivery),
  });
  try {
    const opening = services.admit() ?? transaction.judgeSender();
    if (!isPositive(opening)) return recipients.map(() => opening);
    const answers: Reply[] = [];
    for (const recipient of recipients) {
      // What led there is the sending organization's own.
      const { localPart, domain, notify, originalRecipient } = recipient;
      const isTheirs = isDomainOf(policy, toOrganization, domain);
      const request = {
        ...(notify === undefined ? {} : { notify }),
        ...(originalRecipient === undefined ? {} : { originalRecipient }),
      };
      answers.push(
        isTheirs ? await transaction.judgeRecipient({ localPart, domain }, request) : ownerChanged,
      );
    }
    if (!answers.some(isPositive)) return answers;
    const end = await pour(transaction, delivery);
    return answers.map((answer) => (isPositive(answer) ? end : answer));
  } catch (error) {
    services.log.error({ queueId: delivery.id, err: error }, 'a hand-over inside broke; deferred');
    return recipients.map(() => broken);
  } finally {
    await transaction.abandon();
  }
}

async function pour(transaction: Transaction, { content }: Delivery): Promise<Reply> {
  const opening = await transaction.beginContent();
  if (!isPositive(opening)) return opening;
  for await (const block of readContent(content)) await transaction.push(block);
  return transaction.finish(null);
}
