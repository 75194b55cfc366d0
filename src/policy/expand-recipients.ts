/**
 * From the recipients that a sender named to final ones: aliases, catch-all and postmaster expanded,
 * once, when the message is accepted.
 *
 * Mail that did not come in clear leaves encrypted where an alias leads out of our domains (ADR 11).
 * @see RFC 5321 §3.9.1 (alias), RFC 3461 §5.2.7 (what becomes of NOTIFY and ORCPT)
 */
import type { Address } from '../mail/address.ts';
import { formatAddress, needsSmtpUtf8 } from '../mail/address.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { IncomingMessage } from './delivery.ts';
import { findDomainOwner, mailboxKey } from './directory.ts';
import { findRecipient } from './find-recipient.ts';
import type { Policy } from './policy.ts';
import type { Clause } from './tls-requirement.ts';
import { joinRequirements } from './tls-requirement.ts';

export type ExpandableMessage = Pick<
  IncomingMessage,
  'organization' | 'recipients' | 'clauses' | 'source' | 'evidence' | 'ruling'
>;

/** `clauses` hold for this recipient besides those of the message. */
export interface FinalRecipient {
  readonly recipient: Recipient;
  readonly clauses: readonly Clause[];
}

/** Bounds of one alias with all that it leads to; `config` refuses what is beyond. */
export const aliasDepthMax = 10;
export const aliasTargetsMax = 1000;

const none: readonly Clause[] = [];

/** Never empty; names each address once. */
export function expandRecipients(
  policy: Policy,
  message: ExpandableMessage,
): readonly FinalRecipient[] {
  const targets = message.recipients.map((named) => targetsOf(policy, message, named));
  if (targets.every((found) => found === null)) {
    return message.recipients.map((recipient) => ({ recipient, clauses: none }));
  }
  const finals = new Map<string, FinalRecipient>();
  // Who was named directly keeps what was asked for it, whatever aliases lead there too.
  message.recipients.forEach((recipient, i) => {
    if (targets[i] !== null) return;
    finals.set(directKeyOf(policy, recipient, finals), { recipient, clauses: none });
  });
  message.recipients.forEach((named, i) => {
    const found = targets[i]!;
    if (found === null) return;
    const isOne = found.length === 1;
    for (const address of found) {
      const clauses = clausesFor(policy, message, address, named);
      addFinal(finals, addressKeyOf(policy, address), {
        recipient: aliased(named, address, isOne),
        clauses,
      });
    }
  });
  return [...finals.values()];
}

function addFinal(finals: Map<string, FinalRecipient>, key: string, added: FinalRecipient): void {
  const known = finals.get(key);
  if (known === undefined) {
    finals.set(key, added);
    return;
  }
  const { clauses } = joinRequirements(known, added);
  finals.set(key, { recipient: known.recipient, clauses });
}

/** Case counts in domains that are not ours. */
function addressKeyOf(policy: Policy, address: Address): string {
  const isOurs = findDomainOwner(policy, address.domain) !== null;
  return isOurs ? mailboxKey(address) : formatAddress(address);
}

/** Two spellings that the sender named are two recipients, each with an outcome of its own. */
function directKeyOf(
  policy: Policy,
  recipient: Recipient,
  known: ReadonlyMap<string, unknown>,
): string {
  const key = addressKeyOf(policy, recipient);
  return known.has(key) ? `${key} ${formatAddress(recipient)} ${known.size}` : key;
}

/** The final addresses in place of a named recipient, each once; null where it is final itself. */
function targetsOf(
  policy: Policy,
  { organization }: ExpandableMessage,
  named: Recipient,
): readonly Address[] | null {
  if (named.aliasedFrom !== undefined || !isOf(policy, organization, named)) return null;
  if (findRecipient(policy, named).kind !== 'alias') return null;
  const finals = new Map<string, Address>();
  const seen = new Set<string>();
  let level: readonly Address[] = [named];
  for (let depth = 0; depth < aliasDepthMax && level.length > 0; depth++) {
    const next: Address[] = [];
    for (const address of level) {
      const key = addressKeyOf(policy, address);
      if (seen.has(key)) continue;
      seen.add(key);
      const found = isOf(policy, organization, address) ? findRecipient(policy, address) : null;
      if (found?.kind === 'alias' && seen.size <= aliasTargetsMax) next.push(...found.to);
      else finals.set(key, address);
    }
    level = next;
  }
  for (const address of level) finals.set(addressKeyOf(policy, address), address);
  // A chain without an end leads nowhere: the name itself is tried, and its sender is told.
  return finals.size === 0 ? null : [...finals.values()];
}

function isOf(policy: Policy, organization: string, address: Address): boolean {
  return findDomainOwner(policy, address.domain)?.organization.id === organization;
}

/**
 * What was asked passes on. Of several nobody can tell that "it" was delivered: SUCCESS is left out,
 * and the queue tells the sender of the expansion.
 */
function aliased(named: Recipient, address: Address, isOne: boolean): Recipient {
  const { localPart, domain, notify, originalRecipient } = named;
  const text = formatAddress(named);
  const type = needsSmtpUtf8(named) ? 'utf-8' : 'rfc822';
  return {
    localPart: address.localPart,
    domain: address.domain,
    ...(notify === undefined
      ? {}
      : { notify: isOne ? notify : notify.filter((kind) => kind !== 'success') }),
    originalRecipient: originalRecipient ?? { type, text },
    aliasedFrom: { localPart, domain },
  };
}

function clausesFor(
  policy: Policy,
  message: ExpandableMessage,
  address: Address,
  named: Recipient,
): readonly Clause[] {
  const isOurs = isOf(policy, message.organization, address);
  if (isOurs || !wasUnreadable(message)) return none;
  return [{ kind: 'encrypted', origin: { kind: 'alias', name: formatAddress(named) } }];
}

/**
 * It crossed no network in clear so far: it came under TLS, or through the socket of the API. A DSN
 * of ours brings its own clauses.
 */
function wasUnreadable({ evidence, source }: ExpandableMessage): boolean {
  if (evidence !== null) {
    return evidence.encryption === 'established' || evidence.encryption === 'internal';
  }
  return source.kind !== 'dsn';
}
