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
import type { Evidence } from '../policy/evidence.ts';
import type { InboundClock, InboundDecision, InboundSession } from '../policy/inbound-session.ts';
import { judgeRecipient, refuseUnverified } from '../policy/judge-recipient.ts';
import { judgeHeader, judgeMailFrom } from '../policy/judge-sender.ts';
import type { Policy } from '../policy/policy.ts';
import type { RulesRecord } from '../policy/rules/rule-record.ts';
import { tellShadow } from '../report/shadow.ts';
import { rateClaimsOf } from '../policy/rate-limit.ts';
import { arrivingPartOf, rulesForParts, statePart } from './arrival.ts';
import { describeEvidence } from './evidence-text.ts';
import { Failure } from '../mail/failure.ts';
import { IncomingContent, outOfMemory, replyToFailure } from './incoming-content.ts';
import { inboundDecisionOf } from './inbound-decision.ts';
import type { Refusal } from './refusal.ts';
import { recordRefusal } from './refusal.ts';
import type { KeptContent, MessagePart, RewrittenContent } from './message-part.ts';
import { partsByOrganization, rewriteContent } from './message-part.ts';
import type { Ruled, RuledPart, RuledSession, UnruledPart } from './rule-parts.ts';
import { oneAtATime, otherOrganization, rulePart } from './rule-parts.ts';
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
  /** A DSN of ours, handed over inside: no rule looks at it. Absent is false. */
  readonly isReport?: boolean;
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
    if (this.#mustWait(decision)) return otherOrganization;
    if (this.#known.has(formatAddress(recipient))) return recipientOk;
    const asked: Recipient = { ...recipient, ...request };
    if (decision.mustVerify) return this.#verify(asked, decision);
    return this.#take(asked, decision);
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
      const kept = { content: await content.finish(), headerBytes: content.keptHeaderBytes };
      const ruled = await this.#rule(kept.content);
      if (ruled.kind === 'refused') {
        await content.abandon();
        return this.#refuse(ruled.refusal);
      }
      const isUsed = await this.#accept(kept, ruled.parts);
      if (isUsed) content.release();
      else await content.abandon();
      this.#isOver = true;
      return reply(250, '2.0.0', `accepted as ${this.#id}`);
    } catch (error) {
      this.#logFailure(error);
      await content.abandon();
      return replyToFailure(error);
    }
  }

  /** The rules of each organization on its part of the message. */
  async #rule(content: Content): Promise<RuledMessage> {
    const { session, isReport = false } = this.#start;
    const parts = partsByOrganization(this.#recipients, this.#decisions);
    const { services } = this.#context;
    const ruledSession: RuledSession = {
      policy: this.#policy,
      reversePath: session.reversePath,
      clientAddress: session.clientAddress,
      isOverTls: isUnreadOnTheWay(session.evidence),
      from: this.#header!.facts.from,
      content,
      nowMs: services.now(),
      examine: (...asked) => services.examine(...asked),
    };
    const results = isReport
      ? parts.map(unruled)
      : await Promise.all(
          parts.map((part) => rulePart(ruledSession, { ...part, ...this.#toRule(part) })),
        );
    return this.#joinRuled(parts, results);
  }

  #toRule(part: MessagePart): Pick<UnruledPart, 'isOriginating' | 'header'> {
    const isOriginating = part.decisions[0]!.origin.kind === 'originating';
    return { isOriginating, header: this.#compose(this.#id, part) };
  }

  /** One answer for all parts: where they disagree, the client brings them one at a time. */
  #joinRuled(parts: readonly MessagePart[], results: readonly Ruled[]): RuledMessage {
    const refused = results.filter((result) => result.kind === 'refused');
    if (refused.length === 0) {
      const queued = results
        .flatMap((result, place) =>
          result.kind === 'ruled' ? queuedOf(parts[place]!, place, result) : [],
        )
        .toSorted((a, b) => Number(hasKeptHeader(b)) - Number(hasKeptHeader(a)));
      if (queued.length === 0) this.#noteDeleted(results);
      return { kind: 'ruled', parts: queued };
    }
    const { services } = this.#context;
    if (refused.length < results.length) {
      services.firstRefusals.remember(this.#oneAtATimeKey(), services.steadyNow());
      const reason = 'rules refuse it for some of its organizations and not for others';
      return { kind: 'refused', refusal: { ...nobody, reply: oneAtATime, reason } };
    }
    const [{ reply: answer, reason, record }] = refused as [Ruled & { readonly kind: 'refused' }];
    return { kind: 'refused', refusal: { ...nobody, reply: answer, reason, rules: record } };
  }

  #oneAtATimeKey(): string {
    const { clientAddress, reversePath } = this.#start.session;
    return `one-at-a-time ${clientAddress} ${formatPath(reversePath).toLowerCase()}`;
  }

  /** What a rule deleted for everybody leaves its record, and nothing else. */
  #noteDeleted(results: readonly Ruled[]): void {
    const rules = results.map(({ record }) => record);
    this.#record({
      ...nobody,
      reply: reply(250, '2.0.0', 'taken, and deleted by a rule'),
      reason: 'rules deleted it for all recipients',
      rules: rules.length === 1 ? rules[0] : rules,
    });
  }

  /** A message for each part, all or none of them. Whether the content as it was kept is used. */
  async #accept(kept: KeptContent, parts: readonly QueuedPart[]): Promise<boolean> {
    const { services } = this.#context;
    const rewritten: RewrittenContent[] = [];
    try {
      const messages: IncomingMessage[] = [];
      for (const [place, queued] of parts.entries()) {
        const id = place === 0 ? this.#id : services.newId();
        if (isAsKept(queued, place)) {
          messages.push(this.#message(queued, id, kept.content));
          continue;
        }
        const { part } = queued;
        const header = queued.ruled.header ?? this.#compose(id, part);
        const openSpool = (): Promise<SpoolWriter> => services.openSpool(part.organization);
        const anew = await rewriteContent(kept, header, openSpool);
        rewritten.push(anew);
        messages.push(this.#message(queued, id, anew.content));
      }
      if (messages.length > 0) await services.accept(...messages);
      for (const message of messages) this.#logAccepted(message);
      this.#tellShadow();
      return parts.some(isAsKept);
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

  #message({ part, ruled, record }: QueuedPart, id: string, content: Content): IncomingMessage {
    const { session, parameters } = this.#start;
    const { changes } = this.#stated(part);
    const { organization, decisions } = part;
    const { recipients, ruling, hold } = ruled;
    const decided = { policy: this.#policy, session, rules: record };
    return {
      id,
      organization,
      reversePath: session.reversePath,
      recipients,
      ...parameters,
      content,
      source: sourceOf(session, decisions),
      receivedAtMs: this.#context.services.now(),
      clauses: ruling?.clauses ?? [],
      evidence: session.evidence,
      decision: inboundDecisionOf(decided, part.recipients, decisions),
      ...(ruling === null ? {} : { ruling }),
      ...(hold === null ? {} : { hold }),
      ...(changes === null ? {} : { headerChanges: changes }),
    };
  }

  #refuse(refusal: Refusal): Reply {
    return this.#record(refusal);
  }

  #record(refusal: Refusal): Reply {
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

/** It crossed no network in clear so far. */
function isUnreadOnTheWay({ encryption }: Evidence): boolean {
  return encryption === 'established' || encryption === 'internal';
}

/** A message that is about to be queued: for whom it came, and what rules made of it. */
interface QueuedPart {
  readonly part: MessagePart;
  /** The place of its part, the first of which has the content as it was kept. */
  readonly place: number;
  readonly ruled: RuledPart;
  readonly record: RulesRecord | null;
}

type RuledMessage =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'ruled'; readonly parts: readonly QueuedPart[] };

function queuedOf(
  part: MessagePart,
  place: number,
  { parts, record }: Ruled & { readonly kind: 'ruled' },
): QueuedPart[] {
  return parts.map((ruled) => ({ part, place, ruled, record }));
}

/** Of the first organization, and no rule changed its header: one of these comes first. */
function hasKeptHeader({ place, ruled }: QueuedPart): boolean {
  return place === 0 && ruled.header === null;
}

/** Has the content as it was kept. */
function isAsKept(queued: QueuedPart, order: number): boolean {
  return order === 0 && hasKeptHeader(queued);
}

function unruled({ recipients }: MessagePart): Ruled {
  const part = { recipients, ruling: null, hold: null, header: null };
  return { kind: 'ruled', parts: [part], record: null };
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
