/** Checks between keys: accepted domains and mailboxes of one organization. */
import { formatAddress } from '../mail/address.ts';
import { matchesDomainPattern } from '../mail/domain-pattern.ts';
import { isUnderDomain } from '../mail/domain.ts';
import type { Located, Parts, Report } from './parts.ts';
import type { ParsedMailbox } from './schema-organization.ts';

export function checkOrganization(parts: Parts, report: Report): void {
  checkAcceptedDomains(parts, report);
  const accounts = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const mailbox of parts.mailboxes)
    checkMailbox(parts, mailbox, { accounts, addresses, report });
}

function checkAcceptedDomains(parts: Parts, report: Report): void {
  if (parts.acceptedDomains.length === 0 && parts.acceptedDomainsAreWhole) {
    const text = 'holds no domain: until it does, no mail is taken for this organization';
    const path = [...parts.organizationPath, 'acceptedDomains'];
    report({ path, at: 'key', text, severity: 'warning' });
  }
  const seen = new Set<string>();
  for (const { value, path } of parts.acceptedDomains) {
    if (seen.has(value.domain)) {
      const text = `${value.domain} is listed twice; keep one of them`;
      report({ path: [...path, 'domain'], at: 'value', text });
    }
    seen.add(value.domain);
    if (value.matchSubDomains && value.type === 'Authoritative') {
      const text =
        'needs type: InternalRelay, since the mailboxes of every subdomain cannot be known; or list each subdomain';
      report({ path: [...path, 'matchSubDomains'], at: 'value', text });
    }
    if (value.type === 'InternalRelay') checkRelay(parts, { value, path }, report);
  }
}

function checkRelay(
  parts: Parts,
  { value, path }: Pick<Parts['acceptedDomains'][number], 'value' | 'path'>,
  report: Report,
): void {
  const isCovered = parts.outbound.some(
    ({ value: connector }) =>
      connector.enabled &&
      !connector.isTransportRuleScoped &&
      (connector.allAcceptedDomains ||
        connector.recipientDomains.some((pattern) => matchesDomainPattern(pattern, value.domain))),
  );
  if (isCovered || !parts.outboundAreWhole) return;
  const text = `no outbound connector covers ${value.domain}: mail to recipients without a mailbox cannot go anywhere`;
  report({ path: [...path, 'type'], at: 'value', text, severity: 'warning' });
}

interface Seen {
  readonly accounts: Map<string, string>;
  readonly addresses: Map<string, string>;
  readonly report: Report;
}

function checkMailbox(parts: Parts, { value, path }: Located<ParsedMailbox>, seen: Seen): void {
  const account = value.account.toLowerCase();
  if (seen.accounts.has(account)) {
    const text = `there is another mailbox with the account "${value.account}" (case is ignored)`;
    seen.report({ path: [...path, 'account'], at: 'value', text });
  }
  seen.accounts.set(account, value.account);
  if (value.addresses.length === 0) {
    const text = 'needs at least one address, as in user@contoso.com';
    seen.report({ path: [...path, 'addresses'], at: 'value', text });
  }
  value.addresses.forEach((address, place) => {
    const here = [...path, 'addresses', place];
    const written = formatAddress(address);
    const owner = seen.addresses.get(written.toLowerCase());
    if (owner !== undefined) {
      const text = `${written} belongs to the mailbox "${owner}" already`;
      seen.report({ path: here, at: 'value', text });
    }
    seen.addresses.set(written.toLowerCase(), value.account);
    if (!parts.acceptedDomainsAreWhole || isAccepted(parts, address.domain)) return;
    const text = `${written} is in no accepted domain: add ${address.domain} to acceptedDomains`;
    seen.report({ path: here, at: 'value', text });
  });
  checkAccountName(parts, { value, path }, seen.report);
}

/**
 * The account names a folder: it must lead to none elsewhere. One that looks like another mailbox's
 * address would make signing in ambiguous.
 */
function checkAccountName(
  parts: Parts,
  { value, path }: Pick<Located<ParsedMailbox>, 'value' | 'path'>,
  report: Report,
): void {
  const account = value.account.toLowerCase();
  if (account.includes('/') || account === '.' || account === '..') {
    const text = 'names the folder of the mailbox: it takes no "/" and is not "." or ".."';
    report({ path: [...path, 'account'], at: 'value', text });
    return;
  }
  if (!account.includes('@')) return;
  const other = parts.mailboxes.find(
    (mailbox) =>
      mailbox.value.account.toLowerCase() !== account &&
      mailbox.value.addresses.some((address) => formatAddress(address).toLowerCase() === account),
  );
  if (other === undefined) return;
  const text = `is an address of the mailbox "${other.value.account}"; choose another name`;
  report({ path: [...path, 'account'], at: 'value', text });
}

export function isAccepted(parts: Parts, domain: string): boolean {
  return parts.acceptedDomains.some(({ value }) =>
    value.matchSubDomains ? isUnderDomain(domain, value.domain) : domain === value.domain,
  );
}
