/**
 * Checks between keys about who exists: each accepted domain's recipients, target and catch-all.
 *
 * Whatever would take mail that nobody can deliver, or would have no effect, is refused.
 */
import { formatAddress } from '../mail/address.ts';
import { isAccepted } from './check-organization.ts';
import { findNearest } from './nearest.ts';
import type { Located, Parts, Report } from './parts.ts';
import type { ParsedAcceptedDomain } from './schema-organization.ts';

type Domain = Located<ParsedAcceptedDomain>;

export function checkRecipients(parts: Parts, report: Report): void {
  for (const domain of parts.acceptedDomains) {
    checkTargetName(parts, domain, report);
    checkKnown(domain, report);
    checkListedDomains(domain, report);
    checkCatchAll(parts, domain, report);
    warnOfAny(domain, report);
    warnOfPostmaster(parts, domain, report);
  }
}

function checkTargetName(parts: Parts, { value, path }: Domain, report: Report): void {
  const name = value.deliveryTarget;
  if (name === null) return;
  if (value.type === 'InternalRelay') {
    const text =
      'is for Authoritative domains; recipients of an InternalRelay domain go by outbound connector. Keep one of the two';
    report({ path: [...path, 'deliveryTarget'], at: 'key', text });
  }
  if (!parts.deliveryTargetsAreWhole) return;
  const names = parts.deliveryTargets.map((target) => target.value.name);
  if (names.includes(name)) return;
  const known = names.length === 0 ? 'there are none yet' : `there are: ${names.join(', ')}`;
  const text = `names the delivery target "${name}", which deliveryTargets does not hold; ${known}`;
  const suggestion = findNearest(name, names);
  report({ path: [...path, 'deliveryTarget'], at: 'value', text, suggestion });
}

/** Recipients that nobody keeps, or a keeper that nothing reaches. */
function checkKnown({ value, path }: Domain, report: Report): void {
  const kind = value.recipients?.kind;
  if (kind === undefined) return;
  const refuse = (text: string): void =>
    report({ path: [...path, 'recipients'], at: 'value', text });
  const isKept = value.deliveryTarget !== null || value.type === 'InternalRelay';
  if (kind !== 'none' && !isKept) {
    const what = kind === 'list' ? 'a list' : kind;
    refuse(
      `${what} needs a deliveryTarget, the server that keeps these recipients (or type: InternalRelay and an outbound connector)`,
    );
  }
  if (kind !== 'none' || !isKept) return;
  refuse(
    value.deliveryTarget !== null
      ? 'none contradicts deliveryTarget: no mail would ever reach it'
      : 'none contradicts type: InternalRelay, whose recipients are elsewhere; write Authoritative',
  );
}

function checkListedDomains({ value, path }: Domain, report: Report): void {
  const { recipients } = value;
  if (recipients?.kind !== 'list') return;
  const other = recipients.domains.find((domain) => domain !== value.domain);
  if (other === undefined) return;
  const text = `holds an address in ${other}, but this is the list of ${value.domain}`;
  report({ path: [...path, 'recipients'], at: 'value', text });
}

function checkCatchAll(parts: Parts, { value, path }: Domain, report: Report): void {
  const { catchAll } = value;
  if (catchAll === null) return;
  const refuse = (text: string): void => report({ path: [...path, 'catchAll'], at: 'value', text });
  const isKept = value.deliveryTarget !== null || value.type === 'InternalRelay';
  const kind = value.recipients?.kind ?? (isKept ? 'verify' : 'none');
  if (kind === 'any') refuse('has no effect with recipients: any, where every address exists');
  if (kind === 'verify') {
    refuse(
      'cannot be with recipients: verify, where the server that is asked decides; list the recipients instead',
    );
  }
  if (!parts.acceptedDomainsAreWhole || isAccepted(parts, catchAll.domain)) return;
  refuse(
    `${formatAddress(catchAll)} is in no accepted domain: a catch-all stays with us, since it takes whatever strangers invent`,
  );
}

function warnOfAny({ value, path }: Domain, report: Report): void {
  if (value.recipients?.kind !== 'any') return;
  const text = `takes mail for addresses that do not exist; what the server of ${value.domain} refuses later is returned to senders who may be forged (backscatter). verify or a list avoids it`;
  report({ path: [...path, 'recipients'], at: 'value', text, severity: 'warning' });
}

/** @see RFC 5321 §4.5.1 */
function warnOfPostmaster(parts: Parts, { value, path }: Domain, report: Report): void {
  const isKept = value.deliveryTarget !== null || value.type === 'InternalRelay';
  const hasPlace =
    isKept || value.catchAll !== null || parts.mailboxes.length > 0 || !parts.mailboxesAreWhole;
  if (hasPlace || !parts.aliasesAreWhole) return;
  const isPostmaster = parts.aliases.some(
    ({ value: { address } }) =>
      address.domain === value.domain && address.localPart.toLowerCase() === 'postmaster',
  );
  if (isPostmaster) return;
  const text = `mail to postmaster@${value.domain} has nowhere to go, and every domain must take it: add a mailbox or an alias for it`;
  report({ path: [...path, 'domain'], at: 'value', text, severity: 'warning' });
}
