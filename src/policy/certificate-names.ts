/**
 * Which names of a certificate may speak for an organization where others are on the same gateway.
 *
 * A connector's wildcard reaches far: the server of whoever has a domain below it must not become
 * somebody else's by that.
 */
import { parseDomain } from '../mail/domain.ts';
import { withAncestors } from '../mail/pattern-index.ts';
import type { Organization, Policy } from './policy.ts';

/** Whose the proven accepted domains are, by name, and by every name above one. */
interface Owners {
  readonly at: ReadonlyMap<string, Organization>;
  /** Null where domains of several organizations lie there or below. */
  readonly below: ReadonlyMap<string, Organization | null>;
}

const known = new WeakMap<Policy, Owners>();

/**
 * Whether no other organization has a claim to the presented name. A name belongs to the closest
 * accepted domain above it, whether or not that accepts mail for what is below; a presented wildcard
 * to nobody once domains of several lie where it reaches.
 */
export function isOpenTo(policy: Policy, organization: Organization, presented: string): boolean {
  if (policy.organizations.length < 2) return true;
  const { at, below } = ownersOf(policy);
  const isWildcard = presented.startsWith('*.');
  const domain = parseDomain(isWildcard ? presented.slice(2) : presented);
  if (domain === null) return false;
  const closest = withAncestors(domain).find((each) => at.has(each));
  if (closest !== undefined && at.get(closest) !== organization) return false;
  if (!isWildcard) return true;
  const reached = below.get(domain);
  return reached === undefined || reached === organization;
}

function ownersOf(policy: Policy): Owners {
  const made = known.get(policy) ?? buildOwners(policy);
  known.set(policy, made);
  return made;
}

function buildOwners({ organizations }: Policy): Owners {
  const at = new Map<string, Organization>();
  const below = new Map<string, Organization | null>();
  for (const organization of organizations) {
    for (const { domain, isProven } of organization.acceptedDomains) {
      if (!isProven) continue;
      at.set(domain, organization);
      for (const name of withAncestors(domain)) {
        const other = below.get(name);
        below.set(name, other === undefined || other === organization ? organization : null);
      }
    }
  }
  return { at, below };
}
