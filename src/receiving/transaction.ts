/**
 * One inbound transaction, from an accepted MAIL to the answer after its content.
 *
 * Keeps the policy that it began with. `250` after the content means durable.
 * @see RFC 5321 §3.3, §4.1.1.4, §6.1, §6.3
 */
import type { StatedHeader } from '../content/arrival-fields.ts';
import type { ArrivingHeader } from '../content/arriving-header.ts';
import { findHeaderFault, readArrivingHeader } from '../content/arriving-header.ts';
import type { ReceivedProtocol } from '../content/received.ts';
import { composeReceived } from '../content/received.ts';
import type { Address } from '../mail/address.ts';
import { formatAddress, formatPath } from '../mail/address.ts';
import type { MailParameters } from '../mail/envelope.ts';
import type { Content } from '../mail/content.ts';
import { sizeOf } from '../mail/content.ts';
import type { Recipient, RecipientRequest } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { InboundClock, InboundDecision, InboundSession } from '../policy/inbound-session.ts';
import { judgeRecipient, refuseUnverified } from '../policy/judge-recipient.ts';
import { judgeHeader, judgeMailFrom } from '../policy/judge-sender.ts';
import type { Policy } from '../policy/policy.ts';
import { tellShadow } from '../report/shadow.ts';
import { rateClaimsOf } from '../policy/rate-limit.ts';
import { arrivingPartOf, rulesForParts, statePart } from './arrival.ts';
import { describeEvidence } from './evidence-text.ts';
import { Failure } from '../mail/failure.ts';
import { IncomingContent, outOfMemory, replyToFailure } from './incoming-content.ts';
import { inboundDecisionOf } from './inbound-decision.ts';
import type { Refusal } from './refusal.ts';
import { recordRefusal } from './refusal.ts';
import type { MessagePart, RewrittenContent } from './message-part.ts';
import { partsByOrganization, rewriteContent } from './message-part.ts';
import type { ReceivingServices, SpoolWriter } from './services.ts';
import type { ListenerSettings } from './settings.ts';

const startTlsFirst = reply(530, '5.7.0', 'Must issue a STARTTLS command first');
const senderOk = reply(250, '2.1.0', 'sender ok');
const recipientOk = reply(250, '2.1.5', 'recipient ok');
const goAhead = reply(354, null, 'go ahead, end with a dot on a line of its own');

export interface TransactionContext {
  readonly settings: ListenerSettings;
  readonly services: ReceivingServices;
}

/** What MAIL declared, and how the client introduced itself. */
export interface TransactionStart {
  readonly session: InboundSession;
  readonly isExtended: boolean;
  readonly parameters: MailParameters;
  readonly declaredBytes: number | null;
}

export type AcceptedDecision = InboundDecision & { readonly kind: 'accept' };

export class Transaction {
  readonly #context: TransactionContext;
  readonly #policy: Policy;
  readonly #start: TransactionStart;
  readonly #recipients: Recipient[] = [];
  readonly #decisions: AcceptedDecision[] = [];
  readonly #known = new Set<string>();
  #id = '';
  #content: IncomingContent | null = null;
  #header: ArrivingHeader | null = null;
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
    const decision = judgeRecipient(this.#policy, this.#start.session, recipient, this.#clock());
    if (decision.kind === 'refuse') {
      const { firstRefusals } = this.#context.services;
      if (decision.temporaryKey !== null) {
        firstRefusals.remember(decision.temporaryKey, this.#context.services.steadyNow());
      }
      return this.#refuse({ ...decision, recipient });
    }
    if (this.#known.has(formatAddress(recipient))) return recipientOk;
    const asked: Recipient = { ...recipient, ...request };
    if (decision.mustVerify) return this.#verify(asked, decision);
    return this.#take(asked, decision);
  }

  async #verify(recipient: Recipient, decision: AcceptedDecision): Promise<Reply> {
    const { services } = this.#context;
    const verification = await services.verifyRecipient(decision.organization, recipient);
    if (verification.kind === 'exists') return this.#take(recipient, decision);
    const refusal = refuseUnverified(recipient, verification);
    return this.#refuse({ ...nobody, ...refusal, considered: decision.considered, recipient });
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
    const { memoryContentBytesMax, memoryWaitMs } = settings.limits;
    const reservedBytes = Math.min(
      this.#start.declaredBytes ?? memoryContentBytesMax,
      memoryContentBytesMax,
    );
    const { contentMemory } = services;
    const hasMemory =
      contentMemory.tryReserve(reservedBytes) ||
      (await contentMemory.reserve(reservedBytes, memoryWaitMs));
    if (!hasMemory) return outOfMemory;
    if (this.#isOver) {
      contentMemory.release(reservedBytes);
      return outOfMemory;
    }
    this.#id = services.newId();
    const { organization } = this.#decisions[0]!;
    this.#content = new IncomingContent({
      editHeader: (header) => this.#editHeader(header),
      memory: contentMemory,
      reservedBytes,
      memoryBytesMax: memoryContentBytesMax,
      openSpool: () => services.openSpool(organization),
    });
    return goAhead;
  }

  /** A piece of content; where a promise is returned, the next one may come when it resolves. */
  push(bytes: Buffer): Promise<void> | undefined {
    return this.#content!.push(bytes);
  }

  /** The answer after the content; 250 when it is durable. `problem` is the wire's. */
  async finish(problem: Reply | null): Promise<Reply> {
    const content = this.#content!;
    const refusal = this.#judgeContent(content, problem);
    if (refusal !== null) {
      await content.abandon();
      return this.#refuse(refusal);
    }
    try {
      await this.#acceptParts(content);
      content.release();
      this.#isOver = true;
      return reply(250, '2.0.0', `accepted as ${this.#id}`);
    } catch (error) {
      this.#logFailure(error);
      await content.abandon();
      return replyToFailure(error);
    }
  }

  /** One message for each part, all or none of them. The first has the content as it was kept. */
  async #acceptParts(content: IncomingContent): Promise<void> {
    const { services } = this.#context;
    const whole = await content.finish();
    const kept = { content: whole, headerBytes: content.keptHeaderBytes };
    const [first, ...others] = partsByOrganization(this.#recipients, this.#decisions);
    const rewritten: RewrittenContent[] = [];
    try {
      const messages = [this.#message(first!, this.#id, whole)];
      for (const part of others) {
        const id = services.newId();
        const header = this.#compose(id, part);
        const openSpool = (): Promise<SpoolWriter> => services.openSpool(part.organization);
        rewritten.push(await rewriteContent(kept, header, openSpool));
        messages.push(this.#message(part, id, rewritten.at(-1)!.content));
      }
      await services.accept(...messages);
      for (const message of messages) this.#logAccepted(message);
      this.#tellShadow();
    } catch (error) {
      // What stays behind is swept at the next start.
      for (const each of rewritten) await each.abandon().catch(() => undefined);
      throw error;
    }
  }

  /** Forgets everything that was not accepted. Never rejects. */
  async abandon(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
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
    return this.#refuse({ ...nobody, ...exceeded, recipient });
  }

  #judgeContent(content: IncomingContent, problem: Reply | null): Refusal | null {
    if (problem !== null) return { ...nobody, reply: problem, reason: problem.lines[0]! };
    if (content.problem !== null) {
      const { reply, cause } = content.problem;
      if (cause !== null) this.#logFailure(cause);
      return { ...nobody, reply, reason: reply.lines[0]! };
    }
    content.closeHeader();
    const header = this.#header!;
    const fault = findHeaderFault(header, this.#context.settings.limits);
    if (fault !== null) return { ...nobody, reply: fault, reason: fault.lines[0]! };
    const message = { from: header.facts.from, recipients: this.#recipients };
    const judged = judgeHeader(this.#policy, this.#start.session, message, this.#clock());
    return judged === null ? null : { ...nobody, ...judged };
  }

  /** What stands in the place of the header: our Received field, and what the firewall leaves. */
  #editHeader(header: Buffer): readonly Buffer[] {
    const { hostName } = this.#policy;
    const { account } = this.#start.session;
    const parts = partsByOrganization(this.#recipients, this.#decisions);
    const arriving = parts.map((part) => arrivingPartOf(this.#start.session, part));
    const rules = rulesForParts(this.#policy, arriving);
    const atMs = this.#context.services.now();
    const submission = account === null ? null : { id: this.#id, hostName, author: null, atMs };
    this.#header = readArrivingHeader(header, rules, submission);
    return this.#compose(this.#id, parts[0]!);
  }

  /** What stands in the place of the header in the message of this id. */
  #compose(id: string, part: MessagePart): readonly Buffer[] {
    return [this.#received(id, part.recipients), ...this.#stated(part).pieces];
  }

  #stated(part: MessagePart): StatedHeader {
    return statePart(this.#policy, arrivingPartOf(this.#start.session, part), this.#header!);
  }

  #received(id: string, recipients: readonly Recipient[]): Buffer {
    const { session } = this.#start;
    return composeReceived({
      heloName: session.heloName,
      clientAddress: session.clientAddress,
      clientName: null,
      byHost: this.#policy.hostName,
      protocol: protocolOf(this.#start),
      tls: session.evidence.tls,
      id,
      recipient: recipients.length === 1 ? recipients[0]! : null,
      atMs: this.#context.services.now(),
    });
  }

  #message(part: MessagePart, id: string, content: Content): IncomingMessage {
    const { session, parameters } = this.#start;
    const { changes } = this.#stated(part);
    const { organization, recipients, decisions } = part;
    return {
      id,
      organization,
      reversePath: session.reversePath,
      recipients,
      ...parameters,
      content,
      source: sourceOf(session, decisions),
      receivedAtMs: this.#context.services.now(),
      clauses: [],
      evidence: session.evidence,
      decision: inboundDecisionOf(this.#policy, session, recipients, decisions),
      ...(changes === null ? {} : { headerChanges: changes }),
    };
  }

  #refuse(refusal: Refusal): Reply {
    const { session } = this.#start;
    const refused = { ...this.#context, ...session, policy: this.#policy };
    return recordRefusal({ ...refused, account: session.account?.account ?? null }, refusal);
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

  #logAccepted({ id, organization, recipients, content }: IncomingMessage): void {
    const { session } = this.#start;
    const { settings, services } = this.#context;
    const changes = this.#header!.changes;
    services.log.info(
      {
        queueId: id,
        organization,
        listener: settings.name,
        client: session.clientAddress,
        helo: session.heloName,
        account: session.account?.account ?? null,
        from: formatPath(session.reversePath),
        recipients: recipients.length,
        sizeBytes: sizeOf(content),
        tls: describeEvidence(session.evidence),
        ...(changes === null ? {} : { headerChanges: changes }),
      },
      'message accepted',
    );
    for (const [field, count] of Object.entries(changes?.removed ?? {})) {
      services.meter.count('headerFieldsRemoved', { field }, count);
    }
  }

  /** Once for all recipients that share a verdict. */
  #tellShadow(): void {
    const shadow = new Map(
      this.#decisions.flatMap((decision) =>
        decision.shadow.map((each) => [`${decision.organization} ${each.connector}`, each]),
      ),
    );
    if (shadow.size === 0) return;
    const { clientAddress, reversePath } = this.#start.session;
    const fields = { queueId: this.#id, client: clientAddress, from: formatPath(reversePath) };
    tellShadow(this.#context.services, 'inbound', [...shadow.values()], fields);
  }

  /** A failure of the store is no line for each message: whoever owns the store says it once. */
  #logFailure(error: unknown): void {
    const { log } = this.#context.services;
    const fields = { queueId: this.#id, err: error };
    if (error instanceof Failure) log.debug(fields, 'message not taken');
    else log.error(fields, 'message not taken');
  }
}

/** The connectors that were met; an own server's for the way out. */
function sourceOf(
  session: InboundSession,
  decisions: readonly AcceptedDecision[],
): IncomingMessage['source'] {
  const { account, listener, evidence } = session;
  if (account !== null) return { kind: 'submission', account: account.account };
  const inboundConnectors = [...new Set(decisions.flatMap(({ connectors }) => connectors))];
  if (listener === 'inside') {
    return { kind: 'organization', organization: evidence.fromOrganization!, inboundConnectors };
  }
  const ownServer = decisions.find(({ origin }) => origin.connector !== null)?.origin.connector;
  const known = ownServer === undefined || ownServer === null ? {} : { ownServer };
  return { kind: 'mx', inboundConnectors, ...known };
}

const nobody = { connector: null, considered: [], recipient: null };

/** Postmaster of the first organization: it runs the gateway. */
function postmasterOf(policy: Policy): Address {
  const domain = policy.organizations[0]?.acceptedDomains[0]?.domain ?? policy.hostName;
  return { localPart: 'postmaster', domain };
}

/** @see RFC 3848, RFC 6531 §4.3 */
function protocolOf(start: TransactionStart): ReceivedProtocol {
  if (start.session.listener === 'inside') return 'inside';
  if (!start.isExtended) return 'SMTP';
  const isUtf8 = start.parameters.smtpUtf8 === true;
  const hasTls = start.session.evidence.tls !== null;
  const tls = hasTls ? 'S' : '';
  const suffix = start.session.account === null ? tls : (`${tls}A` as const);
  return isUtf8 ? `UTF8SMTP${suffix}` : `ESMTP${suffix}`;
}
