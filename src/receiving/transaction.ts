/**
 * One inbound transaction, from an accepted MAIL to the answer after its content.
 *
 * Keeps the policy that it began with. `250` after the content means durable.
 * @see RFC 5321 §3.3, §4.1.1.4, §6.1, §6.3
 */
import type { Address } from '../mail/address.ts';
import { formatAddress, formatPath } from '../mail/address.ts';
import { Failure } from '../mail/failure.ts';
import type { Recipient, RecipientRequest } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { firstDomainOf } from '../policy/directory.ts';
import type { InboundClock } from '../policy/inbound-session.ts';
import { judgeRecipient, refuseUnverified } from '../policy/judge-recipient.ts';
import { judgeMailFrom } from '../policy/judge-sender.ts';
import type { Organization, Policy } from '../policy/policy.ts';
import { rateClaimsOf } from '../policy/rate-limit.ts';
import { findRehearsal } from '../policy/rehearsal-address.ts';
import { didOrSaid } from '../report/log.ts';
import { ArrivedMessage } from './arrived-message.ts';
import { IncomingContent, outOfMemory, replyToFailure } from './incoming-content.ts';
import type { Refusal } from './refusal.ts';
import { nobody, recordRefusal } from './refusal.ts';
import { Rehearsal, rehearsalAlone, rehearsedHeaderBytesMax } from './rehearsal.ts';
import { otherOrganization } from './rule-parts.ts';
import type {
  AcceptedDecision,
  TransactionContext,
  TransactionStart,
} from './transaction-start.ts';

const startTlsFirst = reply(530, '5.7.0', 'Must issue a STARTTLS command first');
const senderOk = reply(250, '2.1.0', 'sender ok');
const recipientOk = reply(250, '2.1.5', 'recipient ok');
const goAhead = reply(354, null, 'go ahead, end with a dot on a line of its own');

export class Transaction {
  readonly #context: TransactionContext;
  readonly #policy: Policy;
  readonly #start: TransactionStart;
  readonly #recipients: Recipient[] = [];
  readonly #decisions: AcceptedDecision[] = [];
  readonly #known = new Set<string>();
  #id = '';
  #content: IncomingContent | null = null;
  #message: ArrivedMessage | null = null;
  /** Set where the only recipient is a rehearsal address; then there is no other one, and no content. */
  #rehearsal: Rehearsal | null = null;
  #isOver = false;

  constructor(context: TransactionContext, policy: Policy, start: TransactionStart) {
    this.#context = context;
    this.#policy = policy;
    this.#start = start;
  }

  /** The answer to MAIL; the transaction is open where it is positive. */
  judgeSender(): Reply {
    const { session } = this.#start;
    if (session.listener === 'submission' && session.evidence.encryption !== 'established') {
      const reason = 'submission without TLS';
      return this.#refuse({ ...nobody, reply: startTlsFirst, reason });
    }
    const refusal = judgeMailFrom(this.#policy, session);
    return refusal === null ? senderOk : this.#refuse({ ...nobody, ...refusal });
  }

  /**
   * The answer to RCPT; a promise where the server that keeps the recipient is asked first. A
   * recipient of null is the bare `<Postmaster>`. @see RFC 5321 §4.5.1
   */
  judgeRecipient(given: Address | null, request: RecipientRequest): Reply | Promise<Reply> {
    const recipient = given ?? postmasterOf(this.#policy);
    const rehearsing = findRehearsal(this.#policy, this.#start.session, recipient);
    if (rehearsing !== null) return this.#rehearse(rehearsing, recipient);
    if (this.#rehearsal !== null) return rehearsalAlone;
    const decision = judgeRecipient(this.#policy, this.#start.session, recipient, this.#clock());
    if (decision.kind === 'refuse') {
      const { firstRefusals } = this.#context.services;
      if (decision.temporaryKey !== null) {
        firstRefusals.remember(decision.temporaryKey, this.#context.services.steadyNow());
      }
      return this.#refuse({ ...decision, recipient });
    }
    if (this.#mustWait(decision)) return otherOrganization;
    if (this.#known.has(formatAddress(recipient))) return recipientOk;
    const asked: Recipient = { ...recipient, ...request };
    if (decision.mustVerify) return this.#verify(asked, decision);
    return this.#take(asked, decision);
  }

  /** Alone, or not at all: nothing that a connector refuses passes because a rehearsal came with it. */
  #rehearse(organization: Organization, recipient: Address): Reply {
    if (this.#rehearsal?.isFor(recipient) === true) return recipientOk;
    if (this.#rehearsal !== null || this.#recipients.length > 0) return rehearsalAlone;
    const exceeded = this.#takeRates(recipient, organization.id);
    if (exceeded !== null) return exceeded;
    const [context, policy, start] = [this.#context, this.#policy, this.#start];
    this.#rehearsal = new Rehearsal({ context, policy, start, organization, recipient });
    return recipientOk;
  }

  /** Rules of several organizations did not agree before: now the client brings one at a time. */
  #mustWait({ organization }: AcceptedDecision): boolean {
    const first = this.#decisions[0];
    if (first === undefined || first.organization === organization) return false;
    const { services } = this.#context;
    return services.firstRefusals.atMs(this.#oneAtATimeKey(), services.steadyNow()) !== null;
  }

  async #verify(recipient: Recipient, decision: AcceptedDecision): Promise<Reply> {
    const { services } = this.#context;
    const verification = await services.verifyRecipient(decision.organization, recipient);
    if (verification.kind === 'exists') return this.#take(recipient, decision);
    const refusal = refuseUnverified(recipient, verification);
    const { considered, organization } = decision;
    return this.#refuse({ ...nobody, ...refusal, considered, organization, recipient });
  }

  #take(recipient: Recipient, decision: AcceptedDecision): Reply {
    const exceeded = this.#takeRates(recipient, decision.organization);
    if (exceeded !== null) return exceeded;
    this.#known.add(formatAddress(recipient));
    this.#recipients.push(recipient);
    this.#decisions.push(decision);
    return recipientOk;
  }

  /** The answer to DATA, once there is memory for the content. */
  async beginContent(): Promise<Reply> {
    const { settings, services } = this.#context;
    const { memoryContentBytesMax } = settings.limits;
    const isRehearsed = this.#rehearsal !== null;
    const reservedBytes = isRehearsed
      ? rehearsedHeaderBytesMax
      : Math.min(this.#start.declaredBytes ?? memoryContentBytesMax, memoryContentBytesMax);
    const { contentMemory } = services;
    if (!(await this.#reserve(reservedBytes))) return outOfMemory;
    if (this.#isOver) {
      contentMemory.release(reservedBytes);
      return outOfMemory;
    }
    if (this.#rehearsal !== null) {
      this.#rehearsal.begin();
      return goAhead;
    }
    this.#id = services.newId();
    const message = new ArrivedMessage({
      context: this.#context,
      policy: this.#policy,
      start: this.#start,
      id: this.#id,
      recipients: this.#recipients,
      decisions: this.#decisions,
    });
    this.#message = message;
    const { organization } = this.#decisions[0]!;
    this.#content = new IncomingContent({
      editHeader: (header) => message.editHeader(header),
      memory: contentMemory,
      reservedBytes,
      memoryBytesMax: memoryContentBytesMax,
      openSpool: () => services.openSpool(organization),
    });
    return goAhead;
  }

  async #reserve(bytes: number): Promise<boolean> {
    const { contentMemory } = this.#context.services;
    const { memoryWaitMs } = this.#context.settings.limits;
    return contentMemory.tryReserve(bytes) || contentMemory.reserve(bytes, memoryWaitMs);
  }

  /** A piece of content; where a promise is returned, the next one may come when it resolves. */
  push(bytes: Buffer): Promise<void> | undefined {
    if (this.#rehearsal !== null) {
      this.#rehearsal.push(bytes);
      return undefined;
    }
    return this.#content!.push(bytes);
  }

  /** The answer after the content; 250 when it is durable. `problem` is the wire's. */
  async finish(problem: Reply | null): Promise<Reply> {
    if (this.#rehearsal !== null) return this.#finishRehearsal(this.#rehearsal, problem);
    const content = this.#content!;
    const refusal = this.#judgeContent(content, problem);
    if (refusal !== null) {
      await content.abandon();
      return this.#refuse(refusal);
    }
    try {
      return await this.#accept(content, this.#message!);
    } catch (error) {
      this.#logFailure(error);
      await content.abandon();
      return replyToFailure(error);
    }
  }

  async #finishRehearsal(rehearsal: Rehearsal, problem: Reply | null): Promise<Reply> {
    try {
      if (problem !== null) {
        return this.#refuse({ ...nobody, reply: problem, reason: problem.lines[0]! });
      }
      const end = await rehearsal.finish(this.#clock());
      if (end.kind === 'over') {
        return this.#refuse({ organization: rehearsal.organization, ...end.note });
      }
      this.#logFailure(end.error);
      return replyToFailure(end.error);
    } finally {
      await this.abandon();
    }
  }

  async #accept(content: IncomingContent, message: ArrivedMessage): Promise<Reply> {
    const kept = { content: await content.finish(), headerBytes: content.keptHeaderBytes };
    const judged = await message.judgeByRules(kept.content);
    if (judged.kind !== 'ruled') {
      await content.abandon();
      if (judged.kind === 'disagreed') this.#rememberOneAtATime();
      return this.#refuse(judged.refusal);
    }
    const { parts, deleted } = judged;
    const isUsed = parts.length > 0 && (await message.accept(kept, parts));
    this.#isOver = true;
    if (isUsed) content.handOver();
    else await content.abandon();
    this.#tellDeleted(deleted);
    return reply(250, '2.0.0', `accepted as ${this.#id}`);
  }

  /** After the commit: whatever goes wrong here, the mail is taken. */
  #tellDeleted(deleted: readonly Refusal[]): void {
    const fields = { queueId: this.#id, text: 'deleted by a rule, and not recorded' };
    didOrSaid(this.#context.services.log, fields, () => {
      for (const note of deleted) this.#refuse(note);
    });
  }

  #rememberOneAtATime(): void {
    const { services } = this.#context;
    services.firstRefusals.remember(this.#oneAtATimeKey(), services.steadyNow());
  }

  #oneAtATimeKey(): string {
    const { clientAddress, reversePath } = this.#start.session;
    return `one-at-a-time ${clientAddress} ${formatPath(reversePath).toLowerCase()}`;
  }

  /** Forgets everything that was not accepted. Never rejects. */
  async abandon(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#rehearsal?.end(this.#context.services.contentMemory);
    await this.#content?.abandon();
  }

  /** Counts an accepted recipient, and with the first one the message, against the rate limits. */
  #takeRates(recipient: Address, organization: string): Reply | null {
    const { services } = this.#context;
    const isFirst = this.#decisions.every((each) => each.organization !== organization);
    const claims = rateClaimsOf(this.#start.session, organization, isFirst);
    const exceeded = services.rates.take(claims, services.steadyNow());
    if (exceeded === null) return null;
    services.meter.count('rateLimited', { limit: exceeded.limit });
    return this.#refuse({ ...nobody, ...exceeded, organization, recipient });
  }

  #judgeContent(content: IncomingContent, problem: Reply | null): Refusal | null {
    if (problem !== null) return { ...nobody, reply: problem, reason: problem.lines[0]! };
    if (content.problem !== null) {
      const { reply, cause } = content.problem;
      if (cause !== null) this.#logFailure(cause);
      return { ...nobody, reply, reason: reply.lines[0]! };
    }
    content.closeHeader();
    return this.#message!.judgeHeader(this.#clock());
  }

  #refuse(refusal: Refusal): Reply {
    const { session } = this.#start;
    const { account } = session;
    const { organization = this.#onlyOrganization() } = refusal;
    const refused = { ...this.#context, ...session, policy: this.#policy };
    const known = { ...refused, account: account?.account ?? null };
    return recordRefusal(known, { ...refusal, organization });
  }

  /** Whose the whole transaction is so far; null where it is nobody's yet, or of several. */
  #onlyOrganization(): string | null {
    const { account } = this.#start.session;
    if (account !== null) return account.organization;
    const [first, ...others] = this.#decisions;
    const isOne = others.every(({ organization }) => organization === first!.organization);
    return first !== undefined && isOne ? first.organization : null;
  }

  #clock(): InboundClock {
    const { services } = this.#context;
    const [nowMs, steadyNowMs] = [services.now(), services.steadyNow()];
    return {
      nowMs,
      firstRefusedAtMs: (key) => {
        const atMs = services.firstRefusals.atMs(key, steadyNowMs);
        return atMs === null ? null : nowMs - (steadyNowMs - atMs);
      },
    };
  }

  /** A failure of the store is no line for each message: whoever owns the store says it once. */
  #logFailure(error: unknown): void {
    const { log } = this.#context.services;
    const fields = { queueId: this.#id, err: error };
    if (error instanceof Failure) log.debug(fields, 'message not taken');
    else log.error(fields, 'message not taken');
  }
}

/** Postmaster of the first organization: it runs the gateway. */
function postmasterOf(policy: Policy): Address {
  const [first] = policy.organizations;
  const domain = first === undefined ? null : firstDomainOf(first);
  return { localPart: 'postmaster', domain: domain ?? policy.hostName };
}
