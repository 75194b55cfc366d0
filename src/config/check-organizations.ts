/**
 * Checks between organizations: what may belong to one of them only.
 *
 * Whose mail something is, and who signs in, is decided by domain and by name across the gateway; so
 * neither may be in two hands.
 */
import { formatAddress } from '../mail/address.ts';
import { findNearest } from './nearest.ts';
import type { AllParts, Located, Parts, Report } from './parts.ts';
import { parentDomains } from './pattern-cover.ts';
import type { ParsedAcceptedDomain, ParsedMailbox } from './schema-organization.ts';

export function checkOrganizations({ organizations }: AllParts, report: Report): void {
  checkIds(organizations, report);
  checkDomains(organizations, report);
  checkSignIn(organizations, report);
  checkTrusted(organizations, report);
}

/** Whom connectors trust must be here, and be somebody else. */
function checkTrusted(organizations: readonly Parts[], report: Report): void {
  const ids = organizations.flatMap(({ organizationId }) => organizationId ?? []);
  const areKnown = ids.length === organizations.length;
  for (const { organizationId, inbound, outbound } of organizations) {
    for (const { value, path } of [...inbound, ...outbound]) {
      value.trustedOrganizations.forEach((id, place) => {
        const here = [...path, 'trustedOrganizations', place];
        if (id === organizationId) {
          report({
            path: here,
            at: 'value',
            text: 'is this organization itself, which needs no trust',
          });
        } else if (areKnown && !ids.includes(id)) {
          const others = ids.filter((each) => each !== organizationId);
          const known =
            others.length === 0 ? 'there is no other' : `there are: ${others.join(', ')}`;
          const text = `names the organization "${id}", which this gateway does not have; ${known}`;
          report({ path: here, at: 'value', text, suggestion: findNearest(id, others) });
        }
      });
    }
  }
}

function checkIds(organizations: readonly Parts[], report: Report): void {
  const seen = new Set<string>();
  for (const { organizationId: id, organizationPath } of organizations) {
    if (id === null) continue;
    if (seen.has(id.toLowerCase())) {
      const text = `there is another organization "${id}"; each needs an id of its own`;
      report({ path: [...organizationPath, 'id'], at: 'value', text });
    }
    seen.add(id.toLowerCase());
  }
}

/** An organization as it is called in messages. */
export function nameOf({ organizationId, organizationPath }: Parts): string {
  return organizationId === null
    ? `the organization at place ${Number(organizationPath[1]) + 1}`
    : `the organization "${organizationId}"`;
}

/** A domain's place in the file, and whose it is. */
interface Owned {
  readonly parts: Parts;
  readonly domain: Located<ParsedAcceptedDomain>;
}

function checkDomains(organizations: readonly Parts[], report: Report): void {
  const owners = new Map<string, Owned>();
  for (const parts of organizations) {
    for (const domain of parts.acceptedDomains) {
      const owner = owners.get(domain.value.domain);
      if (owner === undefined) owners.set(domain.value.domain, { parts, domain });
      else if (owner.parts !== parts) {
        const text = `${domain.value.domain} belongs to ${nameOf(owner.parts)} already; a domain belongs to one organization`;
        report({ path: [...domain.path, 'domain'], at: 'value', text });
      }
    }
  }
  for (const owned of owners.values()) checkAbove(owners, owned, report);
}

/** A domain under one that another organization accepts with all below it. */
function checkAbove(
  owners: ReadonlyMap<string, Owned>,
  { parts, domain }: Owned,
  report: Report,
): void {
  for (const above of parentDomains(domain.value.domain)) {
    const owner = owners.get(above);
    if (owner === undefined || owner.parts === parts || !owner.domain.value.matchSubDomains) {
      continue;
    }
    const text = `${domain.value.domain} lies under ${above}, all of which belongs to ${nameOf(owner.parts)} (matchSubDomains): list its subdomains there one by one, or give up this one`;
    report({ path: [...domain.path, 'domain'], at: 'value', text });
    return;
  }
}

/** Accounts sign in by name or primary address, without saying whose they are. */
function checkSignIn(organizations: readonly Parts[], report: Report): void {
  if (organizations.length < 2) return;
  const accounts = new Map<string, Parts>();
  const domains = new Map<string, Parts>();
  for (const parts of organizations) {
    for (const { value } of parts.acceptedDomains) {
      if (!domains.has(value.domain)) domains.set(value.domain, parts);
    }
  }
  for (const parts of organizations) {
    for (const mailbox of parts.mailboxes) {
      const account = mailbox.value.account.toLowerCase();
      const refuse = (text: string): void =>
        report({ path: [...mailbox.path, 'account'], at: 'value', text });
      const other = accounts.get(account);
      if (other === undefined) accounts.set(account, parts);
      else if (other !== parts) {
        refuse(
          `${nameOf(other)} has the account "${mailbox.value.account}" already (case is ignored); whoever signs in names no organization`,
        );
      }
      const owner = ownerOf(domains, account);
      if (owner !== null && owner !== parts) refuse(explainForeign(mailbox, owner));
    }
  }
}

function explainForeign({ value }: Located<ParsedMailbox>, owner: Parts): string {
  const [primary] = value.addresses;
  const hint = primary === undefined ? '' : `, or ${formatAddress(primary)}`;
  return `looks like an address of ${nameOf(owner)}; choose a name without "@"${hint}`;
}

function ownerOf(domains: ReadonlyMap<string, Parts>, account: string): Parts | null {
  const at = account.lastIndexOf('@');
  if (at === -1) return null;
  const domain = account.slice(at + 1);
  const found = [domain, ...parentDomains(domain)].find((each) => domains.has(each));
  return found === undefined ? null : domains.get(found)!;
}
