/** The events of a trace in words: what was decided, required, seen and answered. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Considered, OutboundDecision } from '../policy/decision.ts';
import type { Evidence, TlsEvidence } from '../policy/evidence.ts';
import type { HeaderChanges, MessageSource } from '../policy/delivery.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { describeDemand } from '../policy/tls-requirement.ts';
import type {
  AttemptEvent,
  MissingFact,
  ReceivedEvent,
  RefusedEvent,
  ShownOutcome,
  ShownReply,
  ShownRoute,
  TraceEvent,
} from './trace-event.ts';

const recipientsShownMax = 5;

/** Lines without line ends; the first begins with the time, the others are indented. */
export function formatEventText(event: TraceEvent): string[] {
  const [head, ...details] = describeEvent(event);
  return [`${event.at}  ${head ?? ''}`, ...details.map((line) => `    ${line}`)].map(
    sanitizePeerText,
  );
}

function describeEvent(event: TraceEvent): string[] {
  switch (event.kind) {
    case 'received':
      return describeReceived(event);
    case 'refused':
      return describeRefused(event);
    case 'attempt':
      return describeAttempt(event);
    case 'held':
      return [`held: delivery ${event.ordinal} waits until it is released`, event.reason];
    case 'released':
      return [
        `released: delivery ${event.ordinal}, by ${event.by}`,
        ...(event.lost ?? []).map((demand) => `no longer demanded, by their word: ${demand}`),
      ];
    case 'retried':
      return [`retried: delivery ${event.ordinal} is due at once, by ${event.by}`];
    case 'expired':
      return [`given up: delivery ${event.ordinal}`, ...event.outcomes.flatMap(describeOutcome)];
    case 'dsn':
      return describeDsn(event);
    case 'unreadable':
      return [
        event.version === null
          ? 'a record that is damaged in the store'
          : `a record of format version ${event.version}, which this version cannot read`,
      ];
  }
}

function describeDsn(event: TraceEvent & { readonly kind: 'dsn' }): string[] {
  const { action = 'failed', told = [] } = event;
  const byAction = Map.groupBy(told, (each) => each.action);
  return [
    `told the sender: ${action}, by DSN ${event.dsn} to ${listSome(event.recipients)}`,
    ...Array.from(byAction, ([word, each]) => {
      return `${word}: ${listSome(each.map(({ recipient }) => recipient))}`;
    }),
  ];
}

function describeReceived(event: ReceivedEvent): string[] {
  const sender = event.reversePath === '' ? '<>' : event.reversePath;
  return [
    `received from ${sender}, ${event.sizeBytes} bytes`,
    describeSource(event.source),
    ...describeHeaderChanges(event.headerChanges),
    ...describeEvidence('session with', event.evidence),
    ...findConsidered(event.decision).map(describeConsidered),
    ...describeClauses('brings along:', event.clauses),
    ...event.deliveries.flatMap((delivery) => [
      `delivery ${delivery.ordinal} to ${listSome(namesIn(delivery))} (${delivery.routeKey})`,
      ...describeClauses('  never with less than', delivery.floor),
    ]),
  ];
}

function describeHeaderChanges(changes: HeaderChanges | undefined): string[] {
  if (changes === undefined) return [];
  const removed = Object.entries(changes.removed).map(([family, count]) =>
    count === 1 ? family : `${count} × ${family}`,
  );
  return [
    ...(removed.length === 0 ? [] : [`removed from the header: ${removed.join(', ')}`]),
    ...(changes.added.length === 0 ? [] : [`added to the header: ${changes.added.join(', ')}`]),
  ];
}

function describeSource(source: MessageSource): string {
  switch (source.kind) {
    case 'mx': {
      const names = source.inboundConnectors.map((name) => `"${name}"`).join(', ');
      const own =
        source.ownServer === undefined ? '' : `, from our own server by "${source.ownServer}"`;
      const by = names === '' ? '' : `, inbound connector ${names}`;
      return `on the MX port${by}${own}`;
    }
    case 'organization':
      return `inside this gateway, from the organization ${source.organization}`;
    case 'submission':
      return `submitted by account ${source.account}`;
    case 'dsn':
      return source.isRehearsal === true
        ? `the answer to the rehearsal ${source.about}`
        : `a DSN about ${source.about}`;
  }
}

function describeRefused(event: RefusedEvent): string[] {
  const { reversePath, recipient } = event;
  const sender =
    reversePath === undefined ? '' : `, from ${reversePath === '' ? '<>' : reversePath}`;
  const what = whatWasDone(event);
  return [
    `${what} ${event.clientAddress}${sender}${recipient === null ? '' : `, to ${recipient}`}`,
    ...describeReply('answered', event.reply),
    ...describeReason(event.decision),
    ...describeEvidence('session with', event.evidence),
    ...findConsidered(event.decision).map(describeConsidered),
  ];
}

/** A rule's deletion and a rehearsal have the form of a refusal, and were answered 250. */
function whatWasDone({ reply, decision }: RefusedEvent): string {
  if (reply.code >= 300) return 'refused';
  const { result } = (decision ?? {}) as { readonly result?: unknown };
  return result === 'rehearsed' ? 'a rehearsal, from client' : 'taken and deleted, from client';
}

/** The sentence that a refusing decision gives, whatever else it holds. */
function describeReason(decision: unknown): string[] {
  const { reason } = (decision ?? {}) as { readonly reason?: unknown };
  return typeof reason === 'string' ? [`reason: ${reason}`] : [];
}

function describeAttempt(event: AttemptEvent): string[] {
  const next = event.nextAttemptAt === null ? [] : [`next attempt ${event.nextAttemptAt}`];
  return [
    `attempt ${event.attempt} of delivery ${event.ordinal}, begun ${event.startedAt}`,
    ...event.routes.flatMap(describeRoute),
    ...next,
  ];
}

function describeRoute(route: ShownRoute): string[] {
  return [
    ...describeDecision(route.decision),
    ...describeRequired(route.clauses),
    ...route.candidates.flatMap(describeCandidate),
    ...route.outcomes.flatMap(describeOutcome),
  ];
}

function describeDecision(decision: OutboundDecision | MissingFact): string[] {
  if ('missing' in decision) return ['the decision is no longer stored'];
  const { recipientDomain, destination, policyRevision } = decision;
  return [
    `route for ${recipientDomain}: ${describeDestination(destination)} (policy ${policyRevision})`,
    ...decision.considered.map(describeConsidered),
  ];
}

function describeDestination(destination: OutboundDecision['destination']): string {
  switch (destination.kind) {
    case 'mx':
      return 'MX';
    case 'smart-hosts': {
      const hosts = destination.hosts.map(({ host, port }) => `${host} port ${port}`);
      return `smart host ${hosts.join(', then ')}`;
    }
    case 'hand-over':
      return `the delivery target "${destination.target.name}"`;
    case 'organization':
      return `inside this gateway, the organization ${destination.organization}`;
    case 'mailbox':
      return 'a mailbox here';
    case 'none':
      return `none, ${destination.reason}`;
  }
}

function describeConsidered({ connector, result, reason }: Considered): string {
  return `connector "${connector}" ${result}: ${reason}`;
}

/** Whatever the decision's shape: the connectors that it says were considered. */
function findConsidered(decision: unknown, depth = 0): Considered[] {
  if (typeof decision !== 'object' || decision === null || depth > 5) return [];
  if (isConsidered(decision)) return [decision];
  return Object.values(decision).flatMap((part) => findConsidered(part, depth + 1));
}

function isConsidered(value: object): value is Considered {
  const { connector, result, reason } = value as Partial<Record<keyof Considered, unknown>>;
  return (
    typeof connector === 'string' &&
    (result === 'chosen' || result === 'lost') &&
    typeof reason === 'string'
  );
}

function describeCandidate(candidate: ShownRoute['candidates'][number]): string[] {
  const { hostName, address, port, verdict } = candidate;
  return [
    `host ${hostName}${address === null ? '' : ` [${address}]`} port ${port}`,
    ...candidate.addedClauses.map((clause) => `  required here: ${describeClause(clause)}`),
    ...describeEvidence('seen:', candidate.evidence).map((line) => `  ${line}`),
    `  verdict: ${describeVerdict(verdict)}`,
  ];
}

function describeVerdict(verdict: ShownRoute['candidates'][number]['verdict']): string {
  switch (verdict.kind) {
    case 'proceed':
      return verdict.met.length === 0 ? 'proceed' : `proceed, met: ${verdict.met.join('; ')}`;
    case 'refuse':
      return `refuse ${verdict.status}, ${verdict.reason}`;
    case 'not-judged':
      return `not judged, ${verdict.reason}`;
  }
}

function describeRequired(clauses: readonly Clause[] | MissingFact): string[] {
  const isNothing = !('missing' in clauses) && clauses.length === 0;
  if (isNothing) return ['required: nothing (opportunistic TLS)'];
  return describeClauses('required:', clauses);
}

function describeClauses(label: string, clauses: readonly Clause[] | MissingFact): string[] {
  if ('missing' in clauses) return [`${label} clauses that are no longer stored`];
  return clauses.map((clause) => `${label} ${describeClause(clause)}`);
}

function describeClause(clause: Clause): string {
  return `${describeDemand(clause)} (${clause.origin.kind} "${clause.origin.name}")`;
}

function describeEvidence(label: string, evidence: Evidence | MissingFact | null): string[] {
  if (evidence === null) return [];
  if ('missing' in evidence) return [`${label} evidence that is no longer stored`];
  const peer = `${evidence.peer.address} port ${evidence.peer.port}`;
  const failure = evidence.failure === null ? '' : `: ${evidence.failure.text}`;
  const { encryption, tls } = evidence;
  if (encryption === 'internal') {
    return [`${label} the organization ${evidence.fromOrganization ?? '?'}, inside this gateway`];
  }
  if (tls === null) return [`${label} ${peer}, TLS ${encryption.replace('-', ' ')}${failure}`];
  return [`${label} ${peer}, ${describeTls(tls)}`, ...describeCertificate(tls)];
}

function describeTls(tls: TlsEvidence): string {
  const group = tls.group === null ? '' : `, group ${tls.group}`;
  const resumed = tls.resumedFrom === null ? '' : `, resumed from ${tls.resumedFrom}`;
  return `${tls.protocol} ${tls.cipherStandardName}${group} (${tls.mode})${resumed}`;
}

function describeCertificate(tls: TlsEvidence): string[] {
  const leaf = tls.chain[0];
  if (leaf === undefined) return ['  no certificate shown'];
  const names = leaf.dnsNames.length > 0 ? leaf.dnsNames : [leaf.commonName ?? 'no name'];
  return [
    `  certificate of ${listSome(names)}, issued by ${leaf.issuer}, until ${leaf.notAfter}`,
    `  key SHA-256 ${leaf.spki256}, revocation ${tls.revocation}`,
    ...tls.paths.map((path) =>
      path.kind === 'reached'
        ? `  leads to a CA of ${path.anchors} (${path.purpose})`
        : `  leads to no CA of ${path.anchors} (${path.purpose}): ${path.problem}, ${path.detail}`,
    ),
  ];
}

function describeOutcome(outcome: ShownOutcome): string[] {
  const head = `${outcome.recipient}: ${outcome.kind} ${outcome.status}, ${outcome.reason}`;
  return outcome.reply === null ? [head] : [head, ...describeReply('  answer', outcome.reply)];
}

function describeReply(label: string, reply: ShownReply): string[] {
  const status = reply.status === null ? '' : `${reply.status} `;
  return reply.lines.map((line) => `${label} ${reply.code} ${status}${line}`);
}

/** With the alias that led to each, where one did. */
function namesIn({ recipients, aliasedFrom }: ReceivedEvent['deliveries'][number]): string[] {
  return recipients.map((recipient) => {
    const alias = aliasedFrom?.[recipient];
    return alias === undefined ? recipient : `${recipient} (by ${alias})`;
  });
}

function listSome(texts: readonly string[]): string {
  const shown = texts.slice(0, recipientsShownMax).join(', ');
  const others = texts.length - recipientsShownMax;
  return others > 0 ? `${shown} and ${others} more` : shown;
}
