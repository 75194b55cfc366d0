/**
 * One message whose recipients are known: its header as it comes, its rules when its content is
 * there, and the messages that it becomes, one for each organization and for each way in which rules
 * treat some of the recipients.
 */
import type { StatedHeader } from '../content/arrival-fields.ts';
import type { ArrivingHeader } from '../content/arriving-header.ts';
import { findHeaderFault, readArrivingHeader } from '../content/arriving-header.ts';
import type { ReceivedProtocol } from '../content/received.ts';
import { composeReceived } from '../content/received.ts';
import { formatPath } from '../mail/address.ts';
import type { Content } from '../mail/content.ts';
import { sizeOf } from '../mail/content.ts';
import type { Recipient } from '../mail/recipient.ts';
import { reply } from '../mail/reply.ts';
import { isForcedBy } from '../policy/came-forced.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Evidence } from '../policy/evidence.ts';
import { evidenceFor } from '../policy/inbound-paths.ts';
import type { InboundClock } from '../policy/inbound-session.ts';
import type { HeaderVerdict } from '../policy/judge-sender.ts';
import { judgeHeader } from '../policy/judge-sender.ts';
import type { Policy } from '../policy/policy.ts';
import { didOrSaid } from '../report/log.ts';
import { tellShadow } from '../report/shadow.ts';
import { arrivingPartOf, rulesForParts, statePart } from './arrival.ts';
import { describeEvidence } from './evidence-text.ts';
import { inboundDecisionOf } from './inbound-decision.ts';
import type { KeptContent, MessagePart, RewrittenContent } from './message-part.ts';
import { partsByOrganization, rewriteContent } from './message-part.ts';
import type { DeletedPart, QueuedPart } from './queued-part.ts';
import { isAsKept, joinRuled } from './queued-part.ts';
import type { Refusal } from './refusal.ts';
import { nobody } from './refusal.ts';
import type { RuledSession } from './rule-parts.ts';
import { editPieces, oneAtATime, rulePart } from './rule-parts.ts';
import type {
  AcceptedDecision,
  TransactionContext,
  TransactionStart,
} from './transaction-start.ts';

/** `decisions` belong to `recipients` of the same index; never empty. `id` is the first message's. */
export interface ArrivedOptions {
  readonly context: TransactionContext;
  readonly policy: Policy;
  readonly start: TransactionStart;
  readonly id: string;
  readonly recipients: readonly Recipient[];
  readonly decisions: readonly AcceptedDecision[];
}

/**
 * `disagreed`: rules of one organization refuse it and those of another do not. `ruled`: `parts` are
 * to be queued; `deleted` are to be recorded, and answered as if they were. One of both is not empty.
 */
export type Judged =
  | { readonly kind: 'refused' | 'disagreed'; readonly refusal: Refusal }
  | {
      readonly kind: 'ruled';
      readonly parts: readonly QueuedPart[];
      readonly deleted: readonly Refusal[];
    };

export class ArrivedMessage {
  readonly #options: ArrivedOptions;
  readonly #parts: readonly MessagePart[];
  #header: ArrivingHeader | null = null;
  /** By organization, once the header was judged. */
  #metByHeader: HeaderVerdict['met'] = new Map();

  constructor(options: ArrivedOptions) {
    this.#options = options;
    this.#parts = partsByOrganization(options.recipients, options.decisions);
  }

  /** What stands in the place of the header for the first part: Received, and what the firewall leaves. */
  editHeader(header: Buffer): readonly Buffer[] {
    const { policy, start, id, context } = this.#options;
    const { session } = start;
    const rules = rulesForParts(
      policy,
      this.#parts.map((part) => arrivingPartOf(session, part)),
    );
    const { hostName } = policy;
    const atMs = context.services.now();
    const submission = session.account === null ? null : { id, hostName, author: null, atMs };
    this.#header = readArrivingHeader(header, rules, submission);
    return this.#compose(id, this.#parts[0]!);
  }

  /** Why no such header is taken; null where it may be. Once the header is there. */
  judgeHeader(clock: InboundClock): Refusal | null {
    const { policy, start, context, recipients } = this.#options;
    const header = this.#header!;
    const fault = findHeaderFault(header, context.settings.limits);
    if (fault !== null) return { ...nobody, reply: fault, reason: fault.lines[0]! };
    const message = { from: header.facts.from, recipients };
    const { refusal, met } = judgeHeader(policy, start.session, message, clock);
    this.#metByHeader = met;
    return refusal === null ? null : { ...nobody, ...refusal };
  }

  /** The rules of each organization on its part, and one answer for all. */
  async judgeByRules(content: Content): Promise<Judged> {
    const { id } = this.#options;
    const ruled = await Promise.all(this.#parts.map((part) => this.#rule(part, content)));
    const joined = joinRuled(this.#parts, ruled);
    switch (joined.kind) {
      case 'ruled':
      case 'deleted': {
        const parts = joined.kind === 'ruled' ? joined.parts : [];
        const [first, ...others] = joined.deleted.map(noteOfDeleted);
        // Where nothing is queued, the id of the answer finds the first of them.
        const named = first === undefined ? [] : [parts.length > 0 ? first : { ...first, id }];
        return { kind: 'ruled', parts, deleted: [...named, ...others] };
      }
      case 'disagreed': {
        const reason = 'rules refuse it for some of its organizations and not for others';
        return { kind: 'disagreed', refusal: { ...nobody, reply: oneAtATime, reason } };
      }
      case 'refused': {
        const { reply: answer, reason, record } = joined.by;
        return { kind: 'refused', refusal: { ...nobody, reply: answer, reason, rules: record } };
      }
    }
  }

  #rule(part: MessagePart, content: Content) {
    const { policy, start, context, id } = this.#options;
    const { reversePath, clientAddress, evidence } = start.session;
    const session: RuledSession = {
      policy,
      reversePath,
      clientAddress,
      isOverTls: wasInClearNowhere(evidence),
      from: this.#header!.facts.from,
      content,
      nowMs: context.services.now(),
      examine: (...asked) => context.services.examine(...asked),
    };
    const { organization, recipients, decisions } = part;
    return rulePart(session, {
      organization,
      recipients,
      isOriginating: decisions[0]!.origin.kind === 'originating',
      header: () => this.#compose(id, part),
    });
  }

  /** Queues the messages, all or none. Whether the content as it was kept is used by one of them. */
  async accept(kept: KeptContent, parts: readonly QueuedPart[]): Promise<boolean> {
    const { services } = this.#options.context;
    const rewritten: RewrittenContent[] = [];
    const messages: IncomingMessage[] = [];
    try {
      for (const [place, queued] of parts.entries()) {
        const id = place === 0 ? this.#options.id : services.newId();
        if (isAsKept(queued, place)) {
          messages.push(this.#message(queued, id, kept.content));
          continue;
        }
        const { part } = queued;
        const header = editPieces(this.#compose(id, part), queued.ruled);
        const anew = await rewriteContent(kept, header, {
          memory: services.contentMemory,
          openSpool: () => services.openSpool(part.organization),
        });
        rewritten.push(anew);
        messages.push(this.#message(queued, id, anew.content));
      }
      await services.accept(...messages);
    } catch (error) {
      // What stays behind is swept at the next start.
      for (const each of rewritten) await each.abandon().catch(() => undefined);
      throw error;
    } finally {
      for (const each of rewritten) each.release();
    }
    this.#tell(messages);
    return parts.some(isAsKept);
  }

  /** After the commit: whatever goes wrong here, the mail is taken. */
  #tell(messages: readonly IncomingMessage[]): void {
    const { id, context } = this.#options;
    didOrSaid(context.services.log, { queueId: id, text: 'accepted, and not told' }, () => {
      for (const message of messages) this.#logAccepted(message);
      this.#tellShadow();
    });
  }

  /** What stands in the place of the header in the message of this id. */
  #compose(id: string, part: MessagePart): readonly Buffer[] {
    return [this.#received(id, part.recipients), ...this.#stated(part).pieces];
  }

  #stated(part: MessagePart): StatedHeader {
    const { policy, start } = this.#options;
    return statePart(policy, arrivingPartOf(start.session, part), this.#header!);
  }

  #received(id: string, recipients: readonly Recipient[]): Buffer {
    const { policy, start, context } = this.#options;
    const { heloName, clientAddress, evidence } = start.session;
    return composeReceived({
      heloName,
      clientAddress,
      clientName: null,
      byHost: policy.hostName,
      protocol: protocolOf(start),
      tls: evidence.tls,
      id,
      recipient: recipients.length === 1 ? recipients[0]! : null,
      atMs: context.services.now(),
    });
  }

  #message({ part, ruled, record }: QueuedPart, id: string, content: Content): IncomingMessage {
    const { policy, start, context } = this.#options;
    const { session, parameters } = start;
    const { changes } = this.#stated(part);
    const { organization, decisions } = part;
    const { recipients, ruling, hold } = ruled;
    const decided = { policy, session, rules: record };
    return {
      id,
      organization,
      reversePath: session.reversePath,
      recipients,
      ...parameters,
      content,
      source: sourceOf(policy, start, part, this.#metByHeader.get(part.organization) ?? []),
      receivedAtMs: context.services.now(),
      clauses: ruling?.clauses ?? [],
      evidence: evidenceFor(policy, organization, session.evidence),
      decision: inboundDecisionOf(decided, part.recipients, decisions),
      ...(ruling === null ? {} : { ruling }),
      ...(hold === null ? {} : { hold }),
      ...(changes === null ? {} : { headerChanges: changes }),
    };
  }

  #logAccepted({ id, organization, recipients, content }: IncomingMessage): void {
    const { start, context } = this.#options;
    const { session } = start;
    const { settings, services } = context;
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
    const { decisions, start, context, id } = this.#options;
    const shadow = new Map(
      decisions.flatMap((decision) =>
        decision.shadow.map((each) => [`${decision.organization} ${each.connector}`, each]),
      ),
    );
    if (shadow.size === 0) return;
    const { clientAddress, reversePath } = start.session;
    const fields = { queueId: id, client: clientAddress, from: formatPath(reversePath) };
    tellShadow(context.services, 'inbound', [...shadow.values()], fields);
  }
}

function noteOfDeleted({ organization, record }: DeletedPart): Refusal {
  const answer = reply(250, '2.0.0', 'taken, and deleted by a rule');
  const reason = 'rules deleted it for all recipients';
  return { ...nobody, organization, reply: answer, reason, rules: record };
}

/** The way on which it came to us, be it the wire or from within, let nobody read it. */
function wasInClearNowhere({ encryption }: Evidence): boolean {
  return encryption === 'established' || encryption === 'internal';
}

/** The connectors that were met, and whether one demanded TLS; an own server's for the way out. */
function sourceOf(
  policy: Policy,
  { session, isForced: wasForced = false }: TransactionStart,
  { organization, decisions }: MessagePart,
  metByHeader: readonly string[],
): IncomingMessage['source'] {
  const { account, listener, evidence } = session;
  if (account !== null) return { kind: 'submission', account: account.account };
  const inboundConnectors = [...new Set(decisions.flatMap(({ connectors }) => connectors))];
  const isForced =
    wasForced || isForcedBy(policy, organization, [...inboundConnectors, ...metByHeader]);
  const met = { inboundConnectors, isForced };
  if (listener === 'inside') {
    return { kind: 'organization', organization: evidence.fromOrganization!, ...met };
  }
  const ownServer = decisions.find(({ origin }) => origin.connector !== null)?.origin.connector;
  const known = ownServer === undefined || ownServer === null ? {} : { ownServer };
  return { kind: 'mx', ...met, ...known };
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
