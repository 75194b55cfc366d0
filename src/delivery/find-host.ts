/** A host's addresses by DNS, and which of them may be dialled. For `plan.ts`. */
import { isIP } from 'node:net';
import type { HostAddress, Resolver } from '../dns/resolver.ts';
import { judgeAddress } from '../policy/address-guard.ts';
import type { AddressRules } from '../policy/address-guard.ts';
import type { Trouble } from '../policy/classify.ts';
import type { PlannedHost, RefusedAddress } from './planned-host.ts';

/** What DNS knows of a host; `preference` of its MX record, 0 without one. */
export interface FoundHost {
  readonly hostName: string;
  readonly port: number;
  readonly preference: number;
  readonly addresses: readonly HostAddress[];
  readonly trouble: Trouble | null;
  readonly ttlMs: number;
}

/** A host by its own name, or an address as it is. Never rejects; where nothing is found it says why. */
export async function lookUp(resolver: Resolver, host: string, port: number): Promise<FoundHost> {
  const answer = await resolver.resolveAddresses(host);
  const base = { hostName: host, port, preference: 0, addresses: [], ttlMs: 0 };
  switch (answer.kind) {
    case 'found':
      return { ...base, addresses: answer.records, trouble: null, ttlMs: answer.ttlSeconds * 1000 };
    case 'failed':
      return { ...base, trouble: { kind: 'dns', reason: answer.reason } };
    case 'no-data':
    case 'no-such-domain': {
      const hasName = answer.kind === 'no-data';
      const trouble = { kind: 'no-such-host', subject: host, hasName, isPermanent: false } as const;
      return { ...base, trouble };
    }
  }
}

/** The addresses that may be dialled, both families by turns, at most `addressesMax`. */
export function guardHost(
  found: FoundHost,
  rules: AddressRules,
  addressesMax: number,
): Omit<PlannedHost, 'entry'> {
  const { hostName, port, preference, trouble } = found;
  const sni = isIP(hostName) === 0 ? hostName : null;
  const refused: RefusedAddress[] = [];
  const host = { hostName, port, sni, preference, addresses: [], refused, trouble };
  if (trouble !== null) return host;
  const allowed: HostAddress[] = [];
  for (const address of found.addresses) {
    const verdict = judgeAddress(address.address, port, rules);
    if (verdict.kind === 'allowed') allowed.push(address);
    else refused.push({ address: address.address, reason: verdict.reason });
  }
  if (allowed.length === 0) {
    const reason = refused.at(-1)?.reason ?? 'it has no address';
    return { ...host, trouble: { kind: 'unroutable', reason } };
  }
  return { ...host, addresses: interleave(allowed).slice(0, addressesMax) };
}

/** Families by turns, the first answer's family first, so that one broken family is soon passed. */
function interleave(addresses: readonly HostAddress[]): string[] {
  const first = addresses[0]!.family;
  const [same, other] = [
    addresses.filter(({ family }) => family === first),
    addresses.filter(({ family }) => family !== first),
  ];
  const ordered: string[] = [];
  for (let i = 0; i < Math.max(same.length, other.length); i++) {
    for (const list of [same, other]) if (list[i] !== undefined) ordered.push(list[i]!.address);
  }
  return ordered;
}
