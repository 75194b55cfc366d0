/**
 * Domains whose recorded mail always had validated TLS, as drafts of connectors, and those that nearly
 * had. A draft demands no more than what every recorded message of its domain met: enforced over these
 * records it would have stopped nothing. Only what was recorded is judged.
 */
import { partnerIndexOf, outboundIndexOf } from '../connector-index.ts';
import { findDomainOwner, findOrganization, findUnprovenClaim } from '../directory.ts';
import { matchesDomainPattern } from '../../mail/domain-pattern.ts';
import { isUnderDomain, parseDomain } from '../../mail/domain.ts';
import type { Organization, Policy } from '../policy.ts';
import type { Recorded } from '../recorded.ts';
import { chooseNames } from './choose-names.ts';
import type { DraftFacts } from './draft.ts';
import { draftInbound, draftOutbound } from './draft.ts';
import type { Direction, Observation } from './observation.ts';
import { observeArrived } from './read-inbound.ts';
import { observeSent } from './read-outbound.ts';
import { SeenDomain } from './seen-domain.ts';
import type {
  NearMiss,
  SeenOfDomain,
  Suggestion,
  SuggestOptions,
  Suggestions,
} from './suggestion.ts';

const domainsMax = 20_000;
const nearMax = 200;
/** Of the messages that must be seen, and of those that were, what nearly is. */
const nearShare = 0.9;
const nameLengthMax = 64;

export class SuggestionSearch {
  readonly #policy: Policy | null;
  readonly #options: SuggestOptions;
  readonly #domains = new Map<string, SeenDomain>();
  #domainsLeftOut = 0;

  /** `policy`: today's, whose connectors and domains are left out; null where it is not known. */
  constructor(policy: Policy | null, options: SuggestOptions) {
    this.#policy = policy;
    this.#options = options;
  }

  add(recorded: Recorded): void {
    if (recorded.kind !== 'message') return;
    const { directions } = this.#options;
    if (directions.includes('outbound')) for (const each of observeSent(recorded)) this.#add(each);
    if (directions.includes('inbound'))
      for (const each of observeArrived(recorded)) this.#add(each);
  }

  #add(seen: Observation): void {
    const { direction, organization, domain } = seen;
    // An address literal, or a greeting that is no name, is no partner.
    if (parseDomain(domain) === null) return;
    const key = `${direction} ${organization} ${domain}`;
    let known = this.#domains.get(key);
    if (known === undefined) {
      if (this.#domains.size >= domainsMax) {
        this.#domainsLeftOut++;
        return;
      }
      known = new SeenDomain(seen);
      this.#domains.set(key, known);
    }
    known.add(seen);
  }

  result(): Suggestions {
    const suggestions: Suggestion[] = [];
    const near: NearMiss[] = [];
    const names = new NamePool(this.#policy);
    let [covered, others] = [0, 0];
    const all = [...this.#domains.values()]
      .map((seen) => ({ seen, view: seen.view() }))
      .filter(({ view }) => view.messages > 0 && !isOurs(this.#policy, view.domain))
      .sort(
        (a, b) => b.view.messages - a.view.messages || (a.view.domain < b.view.domain ? -1 : 1),
      );
    for (const { seen, view } of all) {
      if (isCovered(this.#policy, view)) {
        covered++;
        continue;
      }
      const suggestion = this.#suggest(seen, view, names);
      if (suggestion !== null) suggestions.push(suggestion);
      else if (this.#isNear(seen)) near.push(this.#describeNear(seen, view));
      else others++;
    }
    return {
      suggestions,
      near: near.slice(0, nearMax),
      nearLeftOut: Math.max(0, near.length - nearMax),
      covered,
      others,
      domainsLeftOut: this.#domainsLeftOut,
    };
  }

  #suggest(seen: SeenDomain, view: SeenOfDomain, pool: NamePool): Suggestion | null {
    const terms = seen.termsOfAll();
    if (terms === null || this.#whyTooFew(view) !== null) return null;
    const names = chooseNames(view.domain, seen.leaves());
    if (names === null) return null;
    const { domain, direction } = view;
    const name = pool.take(view);
    const facts: DraftFacts = { name, comment: commentOf(view), domain, terms, names };
    const remarks = remarksOn(facts);
    return direction === 'outbound'
      ? { ...view, remarks, direction, connector: draftOutbound(facts) }
      : { ...view, remarks, direction, connector: draftInbound(facts) };
  }

  #whyTooFew({ messages, days }: SeenOfDomain): string | null {
    const { minMessages, minDays } = this.#options;
    if (messages < minMessages) return `${messages} of ${minMessages} messages`;
    return days < minDays ? `on ${days} of ${minDays} days` : null;
  }

  #isNear(seen: SeenDomain): boolean {
    const { met, judged } = seen;
    return met >= this.#options.minMessages / 2 && met >= judged * nearShare;
  }

  #describeNear(seen: SeenDomain, view: SeenOfDomain): NearMiss {
    const missing = [...seen.missing()];
    if (missing.length === 0 && chooseNames(view.domain, seen.leaves()) === null) {
      const reason = 'its certificates have too many names, and none in common';
      const { judged: messages } = seen;
      missing.push({ kind: 'unmet', reason, messages, id: '', atMs: view.lastAtMs });
    }
    return { ...view, met: seen.met, tooFew: this.#whyTooFew(view), missing };
  }
}

/** Mail between domains of this gateway is no partner's. */
function isOurs(policy: Policy | null, domain: string): boolean {
  if (policy === null) return false;
  return findDomainOwner(policy, domain) !== null || findUnprovenClaim(policy, domain) !== null;
}

/**
 * By a connector that is off as well. Of an outbound one `*` covers it, since a closer one would take the
 * mail away from it; of an inbound one `*` goes on beside the draft.
 */
function isCovered(policy: Policy | null, { organization: id, direction, domain }: SeenOfDomain) {
  const organization = policy === null ? null : findOrganization(policy, id);
  if (organization === null) return false;
  if (direction === 'outbound') {
    return outboundIndexOf(organization).byRecipient.covering(domain).length > 0;
  }
  return partnerIndexOf(organization)
    .bySender.covering(domain)
    .some(
      ({ pattern, value: { exceptDomains } }) =>
        pattern.kind !== 'any' && !exceptDomains.some((each) => matchesDomainPattern(each, domain)),
    );
}

/** Names that no connector of the direction has. */
class NamePool {
  readonly #taken = new Set<string>();

  constructor(policy: Policy | null) {
    for (const organization of policy?.organizations ?? []) this.#takeAll(organization);
  }

  #takeAll({ id, inboundConnectors, outboundConnectors }: Organization): void {
    for (const { name } of inboundConnectors) this.#taken.add(keyOf('inbound', id, name));
    for (const { name } of outboundConnectors) this.#taken.add(keyOf('outbound', id, name));
  }

  take({ direction, organization, domain }: SeenOfDomain): string {
    for (let place = 1; ; place++) {
      const suffix = place === 1 ? '' : ` ${place}`;
      const name = `${domain.slice(0, nameLengthMax - suffix.length)}${suffix}`;
      const key = keyOf(direction, organization, name);
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      return name;
    }
  }
}

function keyOf(direction: Direction, organization: string, name: string): string {
  return `${direction} ${organization} ${name.toLowerCase()}`;
}

function commentOf({ messages, days, firstAtMs, lastAtMs }: SeenOfDomain): string {
  const [first, last] = [firstAtMs, lastAtMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
  return `suggested: all of ${messages} messages on ${days} days, ${first} to ${last}`;
}

function remarksOn({ domain, names, terms }: DraftFacts): string[] {
  const isForeign = names.every(
    (each) => each.kind !== 'any' && !isUnderDomain(each.domain, domain),
  );
  const remarks: string[] = [];
  if (isForeign) {
    remarks.push(
      `no name is of ${domain}: whoever runs its mail servers has these, and other customers of theirs may as well`,
    );
  }
  if (terms.purpose === 'either') {
    remarks.push('its client certificate is for servers only, which acceptServerAuthOnly permits');
  }
  return remarks;
}
