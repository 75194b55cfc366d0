/** What a look at a partner's servers showed of their certificates: proposals, never proof. Pure. */
import { matchesDomainPattern } from '../../mail/domain-pattern.ts';
import { presentedNames } from '../../policy/name-match.ts';
import type { HostVerdict, ValidationRun } from '../../policy/validation/run.ts';
import type { SeenServer } from './answers.ts';
import { complaintOf } from './read-answer.ts';

const namesMax = 9;

/** Those that got as far as a certificate. */
export function seenServersOf({ hosts }: ValidationRun): readonly SeenServer[] {
  return hosts.flatMap(toSeen);
}

function toSeen({ host, address, evidence }: HostVerdict): SeenServer[] {
  const leaf = evidence?.tls?.chain[0];
  if (leaf === undefined) return [];
  const { issuer, notAfter, spki256 } = leaf;
  const isTrusted = evidence?.tls?.paths.some(({ kind }) => kind === 'reached') === true;
  const names = presentedNames(leaf);
  return [{ host, address, names, issuer, notAfter, spki256, isTrusted }];
}

/**
 * Names that a connector can demand, of certificates whose chain holds, each once and the partner's own
 * first. A name of a chain that leads nowhere is worth nothing: anybody could have written it.
 */
export function namesToPropose(seen: readonly SeenServer[], domain: string): readonly string[] {
  const names = seen.filter(({ isTrusted }) => isTrusted).flatMap((each) => each.names);
  const usable = [...new Set(names)].filter(
    (name) => complaintOf({ kind: 'outbound-connector', key: 'tlsDomain' }, [name]) === null,
  );
  const isOwn = (name: string): boolean => isUnder(name, domain);
  return [...usable.filter(isOwn), ...usable.filter((name) => !isOwn(name))].slice(0, namesMax);
}

/** The keys that were shown, each once. */
export function keysToPropose(seen: readonly SeenServer[]): readonly string[] {
  return [...new Set(seen.map(({ spki256 }) => spki256))].slice(0, namesMax);
}

/** Whether each certificate that was shown is trusted and names the partner's own domain. */
export function nameThePartner(seen: readonly SeenServer[], domain: string): boolean {
  return (
    seen.length > 0 &&
    seen.every(({ isTrusted, names }) => isTrusted && names.some((name) => isUnder(name, domain)))
  );
}

/** `*.clinic.example` and all names below are the partner's own. */
export function isUnder(name: string, domain: string): boolean {
  const bare = name.startsWith('*.') ? name.slice(2) : name;
  return matchesDomainPattern({ kind: 'wildcard', domain }, bare);
}
