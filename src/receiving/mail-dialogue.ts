/**
 * The mail of one session: one transaction after another, each event of it answered.
 *
 * While a promise is awaited nothing more is read of the session, so replies keep their order.
 * @see RFC 5321 §3.3
 */
import type { Reply } from '../mail/reply.ts';
import { isPositive, reply } from '../mail/reply.ts';
import type { ServerEvent } from '../smtp/server-event.ts';
import type { ServerSession } from '../smtp/server-session.ts';
import { isHandshakeOld } from './handshake-age.ts';
import type { SessionPeer } from './session-peer.ts';
import type { SessionTally } from './session-tally.ts';
import type { TransactionContext } from './transaction-start.ts';
import { Transaction } from './transaction.ts';

const tooManyRefusals = reply(421, '4.7.0', 'too many refusals, closing');
const policyChanged = reply(421, '4.7.0', 'the policy for certificates changed, connect again');
export const shuttingDown = reply(421, '4.3.2', 'this server is going down, try again later');

export class MailDialogue {
  readonly #context: TransactionContext;
  readonly #session: ServerSession;
  readonly #tally: SessionTally;
  #transaction: Transaction | null = null;
  /** Senders and recipients since the last accepted message. */
  #refusals = 0;
  #isStopping = false;

  constructor(context: TransactionContext, session: ServerSession, tally: SessionTally) {
    this.#context = context;
    this.#session = session;
    this.#tally = tally;
  }

  /** From now on no transaction begins. */
  stop(): void {
    this.#isStopping = true;
  }

  /** MAIL of this client. */
  begin(event: ServerEvent & { readonly kind: 'mail' }, peer: SessionPeer): void {
    this.#answer(this.#isStopping ? shuttingDown : this.#open(event, peer));
  }

  #open(event: ServerEvent & { readonly kind: 'mail' }, peer: SessionPeer): Reply {
    const { services, settings } = this.#context;
    const policy = services.policy();
    const { evidence, anchors: old } = peer;
    if (old !== null) {
      const { anchors: current } = services.serverTls();
      if (isHandshakeOld(evidence, policy, { old, current })) return policyChanged;
    }
    const transaction = new Transaction(this.#context, policy, {
      session: {
        listener: settings.kind,
        clientAddress: peer.client.address,
        heloName: this.#session.heloName!,
        evidence,
        account: peer.account,
        reversePath: event.reversePath,
      },
      isExtended: this.#session.isExtended,
      parameters: event.parameters,
      declaredBytes: event.sizeBytes,
    });
    const answer = services.admit() ?? transaction.judgeSender();
    if (isPositive(answer)) this.#transaction = transaction;
    return answer;
  }

  /** RCPT; a promise where another server is asked for the recipient. */
  addRecipient(event: ServerEvent & { readonly kind: 'recipient' }): Promise<void> | undefined {
    const answer = this.#transaction!.judgeRecipient(event.recipient, event.request);
    if (answer instanceof Promise) return answer.then((later) => this.#answer(later));
    this.#answer(answer);
    return undefined;
  }

  /** Who only guesses addresses is sent away. */
  #answer(answer: Reply): void {
    this.#session.answer(answer);
    if (isPositive(answer)) return;
    this.#tally.countRefused(answer);
    this.#refusals++;
    if (this.#refusals >= this.#context.settings.limits.refusalsMax) {
      this.#tally.countEnd('too-many-refusals');
      this.#session.close(tooManyRefusals);
    }
  }

  /** DATA, or the first BDAT. */
  async beginContent(): Promise<void> {
    const answer = await this.#transaction!.beginContent();
    if (!isPositive(answer)) this.#tally.countRefused(answer);
    this.#session.answer(answer);
  }

  push(bytes: Buffer): Promise<void> | undefined {
    return this.#transaction!.push(bytes);
  }

  /** The end of the content of this client; `problem` is the wire's. */
  async finish(problem: Reply | null, { key, evidence }: SessionPeer): Promise<void> {
    const answer = await this.#transaction!.finish(problem);
    this.#transaction = null;
    if (isPositive(answer)) {
      this.#refusals = 0;
      this.#context.services.clients.recordAccepted(key);
      this.#tally.countAccepted(evidence.tls?.protocol ?? 'none');
    } else {
      this.#tally.countRefused(answer);
    }
    this.#session.answer(answer);
  }

  /** Forgets the open transaction, where one is. Never rejects. */
  async forget(): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = null;
    await transaction?.abandon();
  }
}
