/**
 * What a recorded message says of the domain that it came from: whether the session showed a client
 * certificate whose chain and name hold.
 */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import { parseDomain } from '../../mail/domain.ts';
import { requirementOfInbound } from '../connector-clauses.ts';
import type { InboundSession } from '../inbound-session.ts';
import { senderDomainsOf } from '../inbound-session.ts';
import { findMatchingName, presentedNames } from '../name-match.ts';
import type { RecordedMessage } from '../recorded.ts';
import type { Requirement } from '../tls-requirement.ts';
import { draftInbound } from './draft.ts';
import type { Observation, Problem, SeenPeer, Terms } from './observation.ts';
import { findProblem, peerOf } from './observation.ts';

const defaultTerms: Terms = { anchors: 'bundled', purpose: 'clientAuth' };
const termsMax = 8;

/**
 * One for each domain that a connector would look at: of MAIL FROM, or with the null reverse-path those
 * of the greeting, which are no mail of theirs and yet would be restricted.
 */
export function observeArrived(message: RecordedMessage): readonly Observation[] {
  const { arrival, source, id, organization, atMs, reversePath } = message;
  if (source.kind === 'submission' || source.kind === 'dsn') return [];
  if (arrival === null) {
    if (reversePath === null) return [];
    const problem = { kind: 'undecided', reason: 'its session is not stored any more' } as const;
    const about = { direction: 'inbound', organization, domain: reversePath.domain } as const;
    return [{ ...about, id, atMs, isMail: true, peers: [], met: [], problem }];
  }
  const { session } = arrival;
  if (session === null || session.account !== null) return [];
  return senderDomainsOf(session).map((domain) => ({
    ...observeSession(domain, session, atMs),
    direction: 'inbound',
    organization,
    domain,
    id,
    atMs,
    isMail: reversePath !== null,
  }));
}

function observeSession(
  domain: string,
  session: InboundSession,
  atMs: number,
): Pick<Observation, 'peers' | 'met' | 'problem'> {
  const { evidence, heloName } = session;
  const { tls } = evidence;
  const peer = peerOf(heloName, evidence);
  const peers = tls === null ? [] : [peer];
  if (tls !== null && tls.isCertificateRequested === false) {
    const reason = 'no client certificate was asked for in its sessions';
    return { peers, met: [], problem: { kind: 'undecided', reason } };
  }
  const named = peer.leaf === null ? null : judgeName(domain, peer);
  if (named !== null) return { peers, met: [], problem: named };
  const examined = (tls?.paths ?? []).filter(({ purpose }) => purpose !== 'serverAuth');
  const all = [defaultTerms, ...examined.slice(0, termsMax)];
  const judged = all.map(({ anchors, purpose }) => {
    const terms = { anchors, purpose };
    return { terms, problem: findProblem(trustOf(domain, terms), evidence, [atMs]) };
  });
  const met = judged.filter(({ problem }) => problem === null).map(({ terms }) => terms);
  const told = judged.find(({ problem }) => problem?.kind === 'unmet') ?? judged[0]!;
  return { peers, met, problem: met.length > 0 ? null : told.problem };
}

/** All but the name: which names are demanded is known when all were seen. */
function trustOf(domain: string, terms: Terms): Requirement {
  const names: DomainPattern[] = [{ kind: 'exact', domain }];
  const facts = { name: domain, comment: '', domain, terms, names };
  const { clauses } = requirementOfInbound(draftInbound(facts));
  return { clauses: clauses.filter(({ kind }) => kind !== 'name') };
}

/** A certificate is the sender's where it carries a name of the domain, or the one it greeted with. */
function judgeName(domain: string, { host, leaf }: SeenPeer): Problem | null {
  const presented = leaf === null ? [] : presentedNames(leaf);
  const greeted = parseDomain(host);
  const references: DomainPattern[] = [{ kind: 'wildcard', domain }];
  if (greeted !== null) references.push({ kind: 'exact', domain: greeted });
  if (findMatchingName(presented, references) !== null) return null;
  const shown = presented.slice(0, 3).join(', ');
  const reason = `its certificate (${shown === '' ? 'no name' : shown}) is neither for the name that it greeted with nor for ${domain}`;
  return { kind: 'unmet', reason };
}
