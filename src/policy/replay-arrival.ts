/** Another policy over how a recorded message came in: would each recipient have been accepted. */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { reply } from '../mail/reply.ts';
import { partnerIndexOf } from './connector-index.ts';
import { findDomainOwner, findOrganization } from './directory.ts';
import { expandRecipients } from './expand-recipients.ts';
import { findRecipient } from './find-recipient.ts';
import type { InboundClock, InboundDecision, InboundSession } from './inbound-session.ts';
import { senderDomainsOf } from './inbound-session.ts';
import { judgeRecipient, judgeSubmitted } from './judge-recipient.ts';
import type { SenderRefusal } from './judge-sender.ts';
import { judgeMailFrom } from './judge-sender.ts';
import type { Policy } from './policy.ts';
import type { RecordedAcceptance, RecordedArrival, RecordedMessage } from './recorded.ts';
import type { Change, Replayed, Undecided } from './replayed.ts';
import { findRuleThatMayAct } from './replay-rules.ts';
import { whatIsUnexamined } from './replay-unexamined.ts';

type Accepted = InboundDecision & { readonly kind: 'accept' };
type Refused = InboundDecision & { readonly kind: 'refuse' };

/**
 * `organizations`: whose mail to each final recipient (as text) would be; a recipient that would not
 * be sent to, or of whom that is not known, has none. `isFromOnPremises`: from an own server.
 */
export interface ReplayedArrival extends Replayed {
  readonly organizations: ReadonlyMap<string, string>;
  readonly isFromOnPremises: boolean;
}

/** The recorded moment; a refusal that changes with time counts as the same one. */
export function clockAt(nowMs: number): InboundClock {
  return { nowMs, firstRefusedAtMs: () => null };
}

export function replayArrival(policy: Policy, message: RecordedMessage): ReplayedArrival {
  const { arrival, source, organization } = message;
  const isOurs = source.kind === 'dsn' || source.kind === 'submission';
  if (isOurs && findOrganization(policy, organization) === null) {
    return { ...nothing, undecided: [{ why: 'no-organization', detail: organization }] };
  }
  if (arrival === null) return asRecorded(policy, message);
  const refusal = judgeSender(policy, message, arrival);
  if (refusal !== null) {
    const because = `${refusal.reply.code} ${statusOf(refusal)}: the sender may not send`;
    const change = changeFor(message, null, { because, reason: refusal.reason });
    return { ...nothing, changes: [{ ...change, kind: 'refused' }] };
  }
  return new Arrival(policy, message, arrival).replay();
}

const nothing: ReplayedArrival = {
  changes: [],
  undecided: [],
  organizations: new Map(),
  isFromOnPremises: false,
};

/** Our own messages, and those of whose arrival too little is known. */
function asRecorded(policy: Policy, message: RecordedMessage): ReplayedArrival {
  const { recipients, organization, source } = message;
  if (findOrganization(policy, organization) === null) return nothing;
  const isFromOnPremises = source.kind === 'mx' && source.ownServer !== undefined;
  const names = recipients.map(({ recipient }) => formatAddress(recipient));
  const organizations = new Map(names.map((name) => [name, organization]));
  return { ...nothing, organizations, isFromOnPremises };
}

function judgeSender(
  policy: Policy,
  { reversePath }: RecordedMessage,
  { session }: RecordedArrival,
): SenderRefusal | null {
  if (session !== null) return judgeMailFrom(policy, session);
  const owner = reversePath === null ? null : findDomainOwner(policy, reversePath.domain);
  if (owner !== null) return null;
  const reason = `${reversePath?.domain ?? 'the null reverse-path'} is no accepted domain`;
  return { reply: reply(550, '5.7.1', reason), reason };
}

class Arrival {
  readonly #policy: Policy;
  readonly #message: RecordedMessage;
  readonly #arrival: RecordedArrival;
  readonly #changes: Change[] = [];
  readonly #undecided: Undecided[] = [];
  readonly #organizations = new Map<string, string>();
  #isFromOnPremises = false;

  constructor(policy: Policy, message: RecordedMessage, arrival: RecordedArrival) {
    this.#policy = policy;
    this.#message = message;
    this.#arrival = arrival;
  }

  replay(): ReplayedArrival {
    const finals = this.#message.recipients.map(({ recipient }) => formatAddress(recipient));
    for (const acceptance of this.#arrival.accepted) {
      const decision = this.#judge(acceptance.recipient);
      if (decision.kind === 'refuse') this.#refuse(acceptance, decision);
      else this.#accept(acceptance, decision, finals);
    }
    this.#lookAtRules(finals);
    return {
      changes: this.#changes,
      undecided: this.#undecided,
      organizations: this.#organizations,
      isFromOnPremises: this.#isFromOnPremises,
    };
  }

  #judge(recipient: Address): InboundDecision {
    const { session } = this.#arrival;
    const clock = clockAt(this.#message.atMs);
    if (session !== null) return judgeRecipient(this.#policy, session, recipient, clock);
    const { reversePath } = this.#message;
    const { organization } = findDomainOwner(this.#policy, reversePath!.domain)!;
    return judgeSubmitted(this.#policy, { organization: organization.id }, recipient);
  }

  #refuse({ recipient }: RecordedAcceptance, decision: Refused): void {
    const { session } = this.#arrival;
    const unexamined =
      session === null
        ? null
        : whatIsUnexamined(this.#policy, session, decision, this.#message.atMs);
    if (unexamined !== null) {
      this.#undecided.push(unexamined);
      return;
    }
    const { reason } = decision;
    const change = changeFor(this.#message, recipient, { because: nameRefusal(decision), reason });
    this.#changes.push({ ...change, kind: 'refused' });
  }

  #accept(acceptance: RecordedAcceptance, decision: Accepted, finals: readonly string[]): void {
    const { recipient } = acceptance;
    const { organization, origin } = decision;
    const { session } = this.#arrival;
    if (session?.listener === 'mx' && session.account === null && origin.connector !== null) {
      this.#isFromOnPremises = true;
    }
    const unexamined =
      session === null
        ? null
        : whatIsUnexamined(this.#policy, session, decision, this.#message.atMs);
    if (unexamined !== null) this.#undecided.push(unexamined);
    if (organization !== this.#message.organization) {
      const because = `organization "${this.#message.organization}" → "${organization}"`;
      const reason = `the message would belong to the organization "${organization}"`;
      const change = changeFor(this.#message, recipient, { because, reason });
      this.#changes.push({ ...change, kind: 'attributed' });
    }
    if (decision.mustVerify && !this.#isKnownToExist(recipient)) {
      this.#undecided.push({ why: 'verification', detail: formatAddress(recipient) });
    }
    this.#compareConnectors(acceptance, decision);
    this.#lookAtHeader(decision);
    this.#followAliases(recipient, organization, finals);
  }

  /** The server that keeps it has taken mail for it. */
  #isKnownToExist(recipient: Address): boolean {
    const name = formatAddress(recipient);
    return this.#message.recipients.some(
      ({ named, last }) => formatAddress(named) === name && last?.kind === 'delivered',
    );
  }

  /** By name: what a connector demanded at the time is not recorded, only that it was met. */
  #compareConnectors({ recipient, connectors }: RecordedAcceptance, decision: Accepted): void {
    const compare = (kind: 'weaker' | 'stricter', names: readonly string[]): void => {
      if (names.length === 0) return;
      const which = names.map((name) => `"${name}"`).join(', ');
      const because =
        kind === 'weaker' ? `${which} need not be met any more` : `${which} must be met`;
      const reason =
        kind === 'weaker'
          ? `the session met ${which}, which would not restrict it any more`
          : `${which} would restrict the session, which meets it`;
      const change = changeFor(this.#message, recipient, { because, reason });
      this.#changes.push({ ...change, kind });
    };
    compare(
      'weaker',
      connectors.filter((name) => !decision.connectors.includes(name)),
    );
    compare(
      'stricter',
      decision.connectors.filter((name) => !connectors.includes(name)),
    );
  }

  /** Mail of an own server or an account is not looked at so. */
  #lookAtHeader({ organization, origin }: Accepted): void {
    const { session } = this.#arrival;
    if (origin.kind !== 'incoming' || session === null || this.#isOwnRecord()) return;
    const found = findOrganization(this.#policy, organization);
    if (found === null) return;
    const { restricts, looksAtHeader } = partnerIndexOf(found);
    const isBounce = session.reversePath === null;
    if (!(isBounce ? restricts : looksAtHeader)) return;
    const detail = isBounce ? 'the From of a bounce' : 'alsoHeaderFrom';
    if (this.#undecided.every(({ why }) => why !== 'header-from')) {
      this.#undecided.push({ why: 'header-from', detail });
    }
  }

  /** Where its finals are not those recorded, those that are left are still compared. */
  #followAliases(named: Address, organization: string, finals: readonly string[]): void {
    const name = formatAddress(named);
    const recorded = this.#message.recipients
      .filter((each) => formatAddress(each.named) === name)
      .map(({ recipient }) => formatAddress(recipient));
    const isAlias =
      findRecipient(this.#policy, named).kind === 'alias' || recorded.some((to) => to !== name);
    if (!isAlias || recorded.length === 0) {
      for (const to of recorded) this.#organizations.set(to, organization);
      return;
    }
    const expanded = this.#expand(named, organization);
    for (const to of recorded) {
      if (expanded.includes(to)) this.#organizations.set(to, organization);
    }
    const lost = recorded.filter((to) => !expanded.includes(to));
    const added = expanded.filter((to) => !finals.includes(to));
    if (lost.length + added.length === 0) return;
    const because = `the alias ${name} leads elsewhere`;
    const reason = `${name} would lead to ${list(expanded)} instead of ${list(recorded)}`;
    const change = changeFor(this.#message, named, { because, reason });
    this.#changes.push({ ...change, kind: 'routed' });
  }

  #expand(named: Address, organization: string): string[] {
    const { source } = this.#message;
    const evidence = this.#arrival.session?.evidence ?? null;
    const message = { organization, recipients: [named], clauses: [], source, evidence };
    return expandRecipients(this.#policy, message).map(({ recipient }) => formatAddress(recipient));
  }

  #lookAtRules(finals: readonly string[]): void {
    if (this.#isOwnRecord()) return;
    for (const id of new Set(this.#organizations.values())) {
      const organization = findOrganization(this.#policy, id)!;
      const rule = findRuleThatMayAct(organization, this.#message, this.#arrival.session);
      if (rule !== null && finals.length > 0) this.#undecided.push({ why: 'rules', detail: rule });
    }
  }

  /** Recorded under this very policy: what was not recorded has had its say. */
  #isOwnRecord(): boolean {
    return this.#arrival.policyRevision === this.#policy.revision;
  }
}

/** `recipient` null for the whole message. Submitted mail is outbound. */
function changeFor(
  { source, arrival, reversePath, recipients }: RecordedMessage,
  recipient: Address | null,
  words: Pick<Change, 'because' | 'reason'>,
): Omit<Change, 'kind'> {
  const text = recipient === null ? null : formatAddress(recipient);
  if (source.kind === 'submission') {
    const partner = (recipient ?? recipients[0]?.recipient)?.domain ?? '';
    return { direction: 'outbound', partner, recipient: text, ...words };
  }
  const partner = partnerOf(arrival?.session ?? null, reversePath?.domain ?? '<>');
  return { direction: 'inbound', partner, recipient: text, ...words };
}

/** MAIL FROM's domain, or of a bounce the name that the client greeted with. */
export function partnerOf(session: InboundSession | null, fallback: string): string {
  return session === null ? fallback : (senderDomainsOf(session)[0] ?? fallback);
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  if (names.length === 0) return 'nobody';
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** The same for all refusals of one cause: without addresses and what was seen. */
export function nameRefusal(decision: Refused): string {
  const code = `${decision.reply.code} ${statusOf(decision)}`;
  if (decision.connector !== null) return `${code} by the connector "${decision.connector}"`;
  const meaning = meaningOf[statusOf(decision)];
  return meaning === undefined ? code : `${code}: ${meaning}`;
}

function statusOf({ reply: { status } }: Pick<Refused, 'reply'>): string {
  return status === null ? '' : formatEnhancedStatus(status);
}

const meaningOf: Readonly<Record<string, string>> = {
  '4.7.1': 'the domain is not proved yet',
  '5.4.1': 'there is no such recipient',
  '5.7.1': 'no accepted domain of this system',
  '5.7.64': 'an own server of nobody here',
  '5.7.68': 'our own domain as sender, from outside',
};
