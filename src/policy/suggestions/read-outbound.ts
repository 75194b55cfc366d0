/** What a recorded message says of the domains that it went to: every server that was tried counts. */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import { parseDomain } from '../../mail/domain.ts';
import { requirementOfOutbound } from '../connector-clauses.ts';
import { findMatchingName, presentedNames } from '../name-match.ts';
import type {
  RecordedCandidate,
  RecordedMessage,
  RecordedRecipient,
  RecordedRoute,
} from '../recorded.ts';
import type { Requirement } from '../tls-requirement.ts';
import { draftOutbound } from './draft.ts';
import type { Observation, Problem, SeenPeer, Terms } from './observation.ts';
import { findProblem, peerOf } from './observation.ts';

/** What mail without a connector is examined for. */
export const outboundTerms: Terms = { anchors: 'bundled', purpose: 'serverAuth' };

/** One for each domain; none where nothing was seen of it, since nothing was reached. */
export function observeSent(message: RecordedMessage): readonly Observation[] {
  const domains = new Set(message.recipients.map(({ recipient }) => recipient.domain));
  return [...domains].flatMap((domain) => observeDomain(message, domain) ?? []);
}

function observeDomain(message: RecordedMessage, domain: string): Observation | null {
  const { id, organization, routes, atMs } = message;
  const recipients = message.recipients.filter(({ recipient }) => recipient.domain === domain);
  const own = routes.filter(
    ({ decision }) => decision.recipientDomain === domain && decision.organization === organization,
  );
  const peers: SeenPeer[] = [];
  let problem: Problem | null = null;
  let isSeen = false;
  for (const route of own) {
    for (const candidate of route.candidates) {
      const seen = observeCandidate(domain, { route, candidate, recipients });
      if (seen === null) continue;
      isSeen = true;
      if (seen.peer !== null) peers.push(seen.peer);
      problem = graver(problem, seen.problem);
    }
  }
  const isLost = message.isPartial && recipients.some(({ last }) => last === null);
  if (isLost)
    problem = graver(problem, {
      kind: 'undecided',
      reason: 'its attempts are not stored any more',
    });
  if (!isSeen && !isLost) return null;
  const isMail = recipients.some(({ last }) => last?.kind === 'delivered');
  const met = problem === null ? [outboundTerms] : [];
  return { direction: 'outbound', organization, domain, id, atMs, isMail, peers, met, problem };
}

/** What is known to fail before what is not known. */
function graver(one: Problem | null, other: Problem | null): Problem | null {
  if (one === null || other === null) return one ?? other;
  return one.kind === 'undecided' ? other : one;
}

interface Tried {
  readonly route: RecordedRoute;
  readonly candidate: RecordedCandidate;
  readonly recipients: readonly RecordedRecipient[];
}

/** Null where the server was not reached, or is none of the other side. */
function observeCandidate(
  domain: string,
  { route, candidate, recipients }: Tried,
): { readonly peer: SeenPeer | null; readonly problem: Problem | null } | null {
  const { hostName, evidence, verdict } = candidate;
  const { destination, connector } = route.decision;
  if (destination.kind === 'mailbox' || destination.kind === 'hand-over') return null;
  if (evidence === null) {
    const reason = 'what was seen is not stored any more';
    return verdict === 'proceed' ? { peer: null, problem: { kind: 'undecided', reason } } : null;
  }
  if (destination.kind === 'smart-hosts') {
    const reason = `it goes by smart host (connector "${connector ?? ''}"), not by MX`;
    return { peer: null, problem: { kind: 'unmet', reason } };
  }
  const peer = peerOf(hostName, evidence);
  const times = timesOf(route, recipients);
  const problem = findProblem(trustOf(domain), evidence, times) ?? judgeName(domain, peer);
  return {
    peer,
    problem: problem === null ? null : { ...problem, reason: `${hostName}: ${problem.reason}` },
  };
}

/** When it was tried, and when each recipient of it got its outcome. */
function timesOf(route: RecordedRoute, recipients: readonly RecordedRecipient[]): number[] {
  const times = recipients.flatMap(({ last }) => (last?.route === route ? [last.atMs] : []));
  return [...new Set([route.atMs, ...times])];
}

/** All but the name: which names are demanded is known when all were seen. */
function trustOf(domain: string): Requirement {
  const names: DomainPattern[] = [{ kind: 'exact', domain }];
  const facts = { name: domain, comment: '', domain, terms: outboundTerms, names };
  const { clauses } = requirementOfOutbound(draftOutbound(facts), domain);
  return { clauses: clauses.filter(({ kind }) => kind !== 'name') };
}

/** A certificate is a server's own where it carries the host's name, or one of the domain. */
function judgeName(domain: string, { host, leaf }: SeenPeer): Problem | null {
  const presented = leaf === null ? [] : presentedNames(leaf);
  const hostDomain = parseDomain(host);
  const references: DomainPattern[] = [{ kind: 'wildcard', domain }];
  if (hostDomain !== null) references.push({ kind: 'exact', domain: hostDomain });
  if (findMatchingName(presented, references) !== null) return null;
  const shown = presented.slice(0, 3).join(', ');
  const reason = `its certificate (${shown === '' ? 'no name' : shown}) is neither for this host nor for ${domain}`;
  return { kind: 'unmet', reason };
}
