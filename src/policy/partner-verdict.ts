/**
 * What restricts an inbound session: the enabled Partner connectors of the recipient's organization
 * whose sender domains cover the sender.
 *
 * Connectors with an equal scope are alternatives, one of which must be met whole; unequal scopes
 * must each be met, so that a `*` lock-down is not opened by a connector for one partner.
 * @see New-InboundConnector; exchange semantics in docs/flow.md
 */
import { formatDomainPattern, matchesDomainPattern } from '../mail/domain-pattern.ts';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { requirementOfInbound } from './connector-clauses.ts';
import { partnerIndexOf } from './connector-index.ts';
import type { Considered } from './decision.ts';
import type { Evidence } from './evidence.ts';
import { isInRanges } from './ip-match.ts';
import type { InboundConnector, Organization } from './policy.ts';
import type { ShadowOutcome } from './shadow.ts';
import { judgeTls } from './tls-verdict.ts';

/**
 * The facts that Partner connectors are judged on. `acceptedDomain` is the one that holds the
 * recipient, which may lie below it. `senders`: whatever covers any of them must be met.
 */
export interface PartnerQuestion {
  readonly organization: Organization;
  readonly acceptedDomain: string;
  readonly senders: readonly string[];
  /** Only connectors that look at RFC5322.From are asked; `senders` are its domains then. */
  readonly isHeader?: boolean;
  readonly clientAddress: string;
  readonly evidence: Evidence;
  readonly nowMs: number;
}

/** Whom and what connectors may concern, before anything is known of its TLS. */
export type PartnerScope = Omit<PartnerQuestion, 'evidence' | 'nowMs'>;

/**
 * Why one connector was not met. `needsTls`: encryption alone is missing, a repair may heal it.
 * `isOurFault`: nothing could meet it now, since our own anchors or policy are broken.
 */
export interface UnmetConnector {
  readonly connector: InboundConnector;
  readonly needsTls: boolean;
  readonly isOurFault: boolean;
  readonly reason: string;
}

/**
 * `proven` names the connectors that were met by certificate or address; `unmet` is the first scope
 * none of whose enforcing connectors was met: null where the session may pass. `shadow` is what the
 * others would have said. `considered` holds the connectors that cover the sender.
 */
export interface PartnerVerdict {
  readonly met: readonly string[];
  readonly proven: readonly string[];
  readonly unmet: UnmetConnector | null;
  readonly considered: readonly Considered[];
  readonly shadow: readonly ShadowOutcome[];
}

interface Judged {
  readonly connector: InboundConnector;
  /** One for each sender that is covered, each once. Never empty. */
  readonly scopes: readonly string[];
  readonly unmet: UnmetConnector | null;
}

export function judgePartners(question: PartnerQuestion): PartnerVerdict {
  const considered: Considered[] = [];
  const judged: Judged[] = [];
  const shadow: ShadowOutcome[] = [];
  for (const connector of candidatesFor(question)) {
    const scope = scopeOf(connector, question);
    if (scope.kind === 'outside') {
      considered.push({ connector: connector.name, result: 'lost', reason: scope.reason });
      continue;
    }
    const unmet = judgeConnector(connector, question);
    const covered = scope.keys.join(', ');
    const reason = unmet === null ? `it covers ${covered} and is met` : unmet.reason;
    considered.push(consider(connector, reason));
    if (connector.mode === 'enforce') judged.push({ connector, scopes: scope.keys, unmet });
    else shadow.push(shadowOf(connector, unmet, reason));
  }
  const met = judged.filter((entry) => entry.unmet === null);
  return {
    met: met.map((entry) => entry.connector.name),
    proven: met.filter((entry) => provesSource(entry.connector)).map((e) => e.connector.name),
    unmet: findUnmetScope(judged),
    considered,
    shadow,
  };
}

/** The enforcing connectors that concern a session, by scope: of each scope one must be met. */
export function guardsOf(question: PartnerScope): ReadonlyMap<string, readonly InboundConnector[]> {
  const guards = new Map<string, InboundConnector[]>();
  for (const connector of candidatesFor(question)) {
    if (connector.mode !== 'enforce') continue;
    const scope = scopeOf(connector, question);
    if (scope.kind === 'outside') continue;
    for (const key of scope.keys) {
      const known = guards.get(key);
      if (known === undefined) guards.set(key, [connector]);
      else known.push(connector);
    }
  }
  return guards;
}

/**
 * The connectors that concern a session, in whatever mode, with why: the sender domains that cover it.
 * Without the addresses of a scope, since this is for telling the sender.
 */
export function concerning(
  question: PartnerScope,
): readonly { readonly connector: InboundConnector; readonly covers: readonly string[] }[] {
  return [...candidatesFor(question)].flatMap((connector) => {
    if (scopeOf(connector, question).kind === 'outside') return [];
    const patterns = coveringPatterns(connector, question.senders);
    return [{ connector, covers: patterns.map(formatDomainPattern) }];
  });
}

/** Why the connector does not concern the session; null where it does. */
export function whyOutside(connector: InboundConnector, question: PartnerScope): string | null {
  const scope = scopeOf(connector, question);
  return scope.kind === 'outside' ? scope.reason : null;
}

/** Each once: those whose sender domains cover a sender, or whose addresses the client has. */
function candidatesFor({
  organization,
  senders,
  clientAddress,
}: PartnerScope): Set<InboundConnector> {
  const { bySender, narrowed } = partnerIndexOf(organization);
  const found = new Set<InboundConnector>();
  for (const sender of senders) {
    for (const { value } of bySender.covering(sender)) found.add(value);
  }
  for (const { value } of narrowed.containing(clientAddress)) found.add(value);
  return found;
}

function consider({ name, mode }: InboundConnector, reason: string): Considered {
  if (mode === 'enforce') return { connector: name, result: 'chosen', reason };
  return { connector: name, result: 'lost', reason: `its mode is ${mode}: ${reason}` };
}

/** For a connector whose mode is not `enforce`. */
export function shadowOf(
  { name, mode }: InboundConnector,
  unmet: UnmetConnector | null,
  reason: string,
): ShadowOutcome {
  const quiet = mode === 'warn' ? 'warn' : 'observe';
  return { connector: name, mode: quiet, isMet: unmet === null, reason };
}

/** Whether being met says who sent: TLS alone does not. */
export function provesSource(connector: InboundConnector): boolean {
  return connector.restrictDomainsToCertificate || connector.senderIPAddresses.length > 0;
}

/** Of the scopes that nobody met, the one reported: a final refusal before one that may heal. */
function findUnmetScope(judged: readonly Judged[]): UnmetConnector | null {
  const scopes = new Set(judged.flatMap((entry) => entry.scopes));
  let healing: UnmetConnector | null = null;
  for (const scope of scopes) {
    const entries = judged.filter((entry) => entry.scopes.includes(scope));
    if (entries.some((entry) => entry.unmet === null)) continue;
    const unmet = entries.map((entry) => entry.unmet!);
    const mayHeal = unmet.find((entry) => entry.needsTls || entry.isOurFault);
    if (mayHeal === undefined) return unmet[0]!;
    healing ??= mayHeal;
  }
  return healing;
}

type Scope =
  | { readonly kind: 'inside'; readonly keys: readonly string[] }
  | { readonly kind: 'outside'; readonly reason: string };

function scopeOf(connector: InboundConnector, question: PartnerScope): Scope {
  if (!connector.enabled) return outside('it is off');
  if (question.isHeader === true && !connector.alsoHeaderFrom) {
    return outside('it does not look at the From of the header');
  }
  const domains = connector.associatedAcceptedDomains;
  if (domains.length > 0 && !domains.includes(question.acceptedDomain)) {
    return outside(`it does not concern recipients in ${question.acceptedDomain}`);
  }
  const patterns = coveringPatterns(connector, question.senders);
  if (patterns.length === 0) return outside('its sender domains do not cover the sender');
  const addresses = connector.restrictDomainsToIPAddresses ? [] : connector.senderIPAddresses;
  if (addresses.length > 0 && !isInRanges(question.clientAddress, addresses)) {
    return outside(`it concerns other addresses than ${question.clientAddress}`);
  }
  const from = addresses.length === 0 ? '' : ` from ${[...addresses].sort().join(' ')}`;
  const keys = new Set(patterns.map((pattern) => `${formatDomainPattern(pattern)}${from}`));
  return { kind: 'inside', keys: [...keys] };
}

function outside(reason: string): Scope {
  return { kind: 'outside', reason };
}

/** Every pattern that covers any of the senders: each is a scope, and none speaks for another. */
function coveringPatterns(
  connector: InboundConnector,
  senders: readonly string[],
): readonly DomainPattern[] {
  const { senderDomains, exceptDomains } = connector;
  const concerned = senders.filter(
    (sender) => !exceptDomains.some((pattern) => matchesDomainPattern(pattern, sender)),
  );
  return senderDomains.filter((pattern) =>
    concerned.some((sender) => matchesDomainPattern(pattern, sender)),
  );
}

/** Whether the session meets all that the connector demands: null, or why not. Any type, any mode. */
export function judgeConnector(
  connector: InboundConnector,
  { clientAddress, evidence, nowMs }: Pick<PartnerQuestion, 'clientAddress' | 'evidence' | 'nowMs'>,
): UnmetConnector | null {
  const from = evidence.encryption === 'internal' ? (evidence.fromOrganization ?? null) : null;
  const isTrusted = from !== null && connector.trustedOrganizations.includes(from);
  if (
    connector.restrictDomainsToIPAddresses &&
    !isTrusted &&
    !isInRanges(clientAddress, connector.senderIPAddresses)
  ) {
    const who = from === null ? clientAddress : `the organization that hands it over inside`;
    const reason = `${who} is not one of its addresses`;
    return { connector, needsTls: false, isOurFault: false, reason };
  }
  const verdict = judgeTls(requirementOfInbound(connector, from), evidence, nowMs, null);
  if (verdict.kind === 'proceed') return null;
  const isEncrypted = evidence.encryption === 'established' || evidence.encryption === 'internal';
  const asksForTls = connector.requireTls || connector.postQuantum === 'require';
  const needsTls = asksForTls && !isEncrypted;
  const isOurFault = verdict.cause === 'policy' || verdict.problem === 'AnchorsUnavailable';
  return { connector, needsTls, isOurFault, reason: verdict.reason };
}
