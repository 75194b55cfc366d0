/**
 * Checks of aliases and catch-alls: each is one address of ours, leads somewhere, and never in a
 * circle.
 *
 * `checkAliases` looks at what is written; `checkReach` asks the policy that came of it, so that what
 * is checked is what will decide.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress, isSameMailbox } from '../mail/address.ts';
import type { DomainOwner } from '../policy/directory.ts';
import { findDomainOwner, findNamed, mailboxKey } from '../policy/directory.ts';
import { aliasDepthMax, aliasTargetsMax } from '../policy/expand-recipients.ts';
import { findRecipient } from '../policy/find-recipient.ts';
import type { Alias, Organization, Policy } from '../policy/policy.ts';
import { isAccepted } from './check-organization.ts';
import { findNearest } from './nearest.ts';
import type { Parts, Report } from './parts.ts';
import type { Path } from './problem.ts';

export function checkAliases(parts: Parts, report: Report): void {
  const mailboxes = new Map<string, string>();
  for (const { value } of parts.mailboxes) {
    for (const address of value.addresses) mailboxes.set(mailboxKey(address), value.account);
  }
  const seen = new Set<string>();
  for (const { value, path } of parts.aliases) {
    const { address, to } = value;
    const key = mailboxKey(address);
    const written = formatAddress(address);
    const refuse = (place: string | number, text: string): void => {
      const at = typeof place === 'number' ? ['to', place] : [place];
      report({ path: [...path, ...at], at: 'value', text });
    };
    if (seen.has(key)) refuse('address', `there is another alias ${written}; name all in one "to"`);
    seen.add(key);
    const account = mailboxes.get(key);
    if (account !== undefined) {
      const text = `${written} is an address of the mailbox "${account}": remove it there, or the alias`;
      refuse('address', text);
    }
    if (parts.acceptedDomainsAreWhole && !isAccepted(parts, address.domain)) {
      const text = `${written} is in no accepted domain: no mail for it comes here`;
      refuse('address', text);
    }
    if (to.length === 0) refuse('to', 'needs at least one address');
    to.forEach((target, place) => {
      if (isSameMailbox(target, address)) refuse(place, 'is the alias itself');
      const first = to.findIndex((other) => formatAddress(other) === formatAddress(target));
      if (first < place) refuse(place, `names ${formatAddress(target)} twice`);
    });
  }
}

/** Where aliases and catch-alls of the whole, sound configuration lead. */
export function checkReach(policy: Policy, report: Report): void {
  policy.organizations.forEach((organization, place) => {
    const at: Path = ['organizations', place];
    const walker = new Walker(policy);
    organization.aliases.forEach((alias, entry) => {
      const here = [...at, 'aliases', entry, 'to'];
      alias.to.forEach((target, i) => {
        const complaint = complainOf(policy, organization, target);
        if (complaint !== null) report({ path: [...here, i], at: 'value', ...complaint });
      });
      const text = walker.complainOf(alias);
      if (text !== null) report({ path: here, at: 'key', text });
    });
    if (organization.postmaster !== null) {
      const complaint = complainOfPostmaster(policy, organization, organization.postmaster);
      if (complaint !== null) report({ path: [...at, 'postmaster'], at: 'value', ...complaint });
    }
    organization.acceptedDomains.forEach((domain, entry) => {
      const here = [...at, 'acceptedDomains', entry];
      if (domain.catchAll !== null) {
        const complaint = complainOf(policy, organization, domain.catchAll);
        if (complaint !== null) report({ path: [...here, 'catchAll'], at: 'value', ...complaint });
      }
      warnOfHidden(policy, { organization, domain }, [...here, 'recipients'], report);
    });
  });
}

/** Answers to reports are for the organization that sent them. */
function complainOfPostmaster(
  policy: Policy,
  organization: Organization,
  address: Address,
): { readonly text: string; readonly suggestion?: string | null } | null {
  const isOwn = findDomainOwner(policy, address.domain)?.organization === organization;
  if (isOwn) return complainOf(policy, organization, address);
  return { text: `${formatAddress(address)} is in no accepted domain of this organization` };
}

/** Null where the address is somebody: here, at another server, or elsewhere. */
function complainOf(
  policy: Policy,
  organization: Organization,
  address: Address,
): { readonly text: string; readonly suggestion: string | null } | null {
  const found = findRecipient(policy, address);
  const isNobody =
    found.kind === 'unknown' || (found.kind === 'alias' && found.via === 'catch-all');
  if (!isNobody) return null;
  const text = `${formatAddress(address)} is no mailbox, no alias and no known recipient`;
  return {
    text,
    suggestion: findNearest(formatAddress(address), namesNear(organization, address)),
  };
}

const namesMax = 5000;

function namesNear(organization: Organization, { domain }: Address): readonly string[] {
  const { mailboxes, aliases } = organization;
  return [
    ...mailboxes.flatMap(({ addresses }) => addresses),
    ...aliases.map((each) => each.address),
  ]
    .filter((address) => address.domain === domain)
    .slice(0, namesMax)
    .map(formatAddress);
}

/** A list entry that a mailbox or an alias here has taken. */
function warnOfHidden(policy: Policy, owner: DomainOwner, path: Path, report: Report): void {
  const { domain, recipients } = owner.domain;
  if (recipients.kind !== 'list') return;
  const hidden = recipients.localParts.filter((localPart) => {
    const kind = findNamed(policy, { localPart, domain })?.kind;
    return kind === 'mailbox' || kind === 'alias';
  });
  if (hidden.length === 0) return;
  const rest = hidden.length === 1 ? '' : ` and ${hidden.length - 1} more`;
  const text = `${hidden[0]!}@${domain}${rest} are mailboxes or aliases here too, which win over the list`;
  report({ path, at: 'value', text, severity: 'warning' });
}

/** How deep an alias goes, and to how many addresses. */
interface Extent {
  readonly depth: number;
  readonly targets: number;
}

const stepsMax = 20_000;

/** Follows aliases; remembers what each one leads to, so that a large file costs little. */
class Walker {
  readonly #policy: Policy;
  readonly #extents = new Map<string, Extent>();
  #steps = 0;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  /** What is wrong with where it leads; null where nothing is. */
  complainOf(alias: Alias): string | null {
    this.#steps = 0;
    const found = this.#extentOf(alias.address, []);
    if (typeof found === 'string') return found;
    if (found.targets <= aliasTargetsMax) return null;
    return `leads to more than ${aliasTargetsMax} addresses; use the mailing list of a server for that`;
  }

  #extentOf(address: Address, trail: readonly string[]): Extent | string {
    const key = mailboxKey(address);
    const known = this.#extents.get(key);
    if (known !== undefined) return known;
    const isOurs = findDomainOwner(this.#policy, address.domain) !== null;
    const found = isOurs ? findRecipient(this.#policy, address) : null;
    if (found?.kind !== 'alias') return { depth: 0, targets: 1 };
    if (trail.includes(key)) {
      return `leads in a circle: ${[...trail.slice(trail.indexOf(key)), key].join(' → ')}`;
    }
    this.#steps += found.to.length;
    if (trail.length >= aliasDepthMax || this.#steps > stepsMax) {
      return `leads through more than ${aliasDepthMax} aliases: ${[...trail.slice(0, 3), '…'].join(' → ')}`;
    }
    let [depth, targets] = [0, 0];
    for (const target of found.to) {
      const inner = this.#extentOf(target, [...trail, key]);
      if (typeof inner === 'string') return inner;
      depth = Math.max(depth, inner.depth);
      targets += inner.targets;
    }
    const extent = { depth: depth + 1, targets };
    if (trail.length + extent.depth > aliasDepthMax) {
      return `leads through more than ${aliasDepthMax} aliases`;
    }
    this.#extents.set(key, extent);
    return extent;
  }
}
