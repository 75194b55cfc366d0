/** What a configuration asks less than the one in force, of its policy and of what else the file holds. */
import type { Config, ListenerConfig } from '../config/config.ts';
import type { Path } from '../config/problem.ts';
import { addedRanges } from '../policy/address-cover.ts';
import type { Policy } from '../policy/policy.ts';
import { describeWeakening, findWeakenings } from '../policy/weakening/weakening.ts';

/** In words, at the key that a reader would look at. */
export interface WeakenedKey {
  readonly path: Path;
  readonly text: string;
}

export interface Compared {
  readonly config: Pick<Config, 'domainVerification' | 'listeners'>;
  readonly policy: Policy;
}

/** Empty where the other configuration asks for at least as much of everybody. */
export function findWeaker(inForce: Compared, next: Compared): readonly WeakenedKey[] {
  const ofPolicy = findWeakenings(inForce.policy, next.policy).map((weakening) => ({
    path: ['organizations'],
    text: describeWeakening(weakening),
  }));
  return [
    ...ofPolicy,
    ...unproven(inForce.config, next.config),
    ...newProxies(inForce.config.listeners, next.config.listeners),
  ];
}

function unproven(inForce: Compared['config'], next: Compared['config']): readonly WeakenedKey[] {
  if (inForce.domainVerification !== 'txt' || next.domainVerification === 'txt') return [];
  const text = 'the gateway takes mail for domains that nobody has proven to be theirs';
  return [{ path: ['domainVerification'], text }];
}

/** Whoever speaks the PROXY protocol says which address a client has, which connectors believe. */
function newProxies(
  inForce: readonly ListenerConfig[],
  next: readonly ListenerConfig[],
): readonly WeakenedKey[] {
  const known = new Map(inForce.map((each) => [placeOf(each), each.proxyProtocol]));
  return next.flatMap((listener, place) => {
    const ranges = addedRanges(known.get(placeOf(listener)) ?? [], listener.proxyProtocol);
    if (ranges.length === 0) return [];
    const text = `the gateway believes ${ranges.join(', ')} at ${placeOf(listener)} which address a client has`;
    return [{ path: ['listeners', place, 'proxyProtocol'], text }];
  });
}

function placeOf({ host, port }: ListenerConfig): string {
  return `${host} port ${port}`;
}
