/** The hosts that a policy names, smart hosts and delivery targets, and whether DNS knows them. */
import { isIP } from 'node:net';
import type { Path } from '../../config/problem.ts';
import type { Resolver } from '../../dns/resolver.ts';
import type { Organization, Policy } from '../../policy/policy.ts';

/** Who names a host. `path`: where, in the configuration. */
export interface HostUser {
  readonly organization: string;
  readonly kind: 'outbound connector' | 'delivery target';
  readonly name: string;
  readonly path: Path;
}

export interface NamedHost {
  readonly host: string;
  readonly users: readonly HostUser[];
}

/** `unknown`: DNS did not say. */
export type HostState =
  | { readonly kind: 'found'; readonly by: 'an address' | 'MX records' }
  | { readonly kind: 'missing'; readonly text: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Each name once; addresses need no look-up, and connectors that are off none yet. */
export function namedHosts({ organizations }: Policy): readonly NamedHost[] {
  const byHost = new Map<string, HostUser[]>();
  organizations.forEach((organization, place) => {
    for (const { host, ...user } of hostsOf(organization, place)) {
      const users = byHost.get(host) ?? [];
      byHost.set(host, users);
      const isNew = !users.some(
        (each) =>
          each.organization === user.organization &&
          each.kind === user.kind &&
          each.name === user.name,
      );
      if (isNew) users.push(user);
    }
  });
  return [...byHost].filter(([host]) => isIP(host) === 0).map(([host, users]) => ({ host, users }));
}

function hostsOf(
  { id, outboundConnectors, deliveryTargets }: Organization,
  place: number,
): readonly (HostUser & { readonly host: string })[] {
  const smartHosts = outboundConnectors.flatMap(({ enabled, name, route }, at) => {
    if (!enabled || route.kind !== 'smart-hosts') return [];
    const path = ['organizations', place, 'outboundConnectors', at, 'smartHosts'];
    const user = { organization: id, kind: 'outbound connector', name, path } as const;
    return route.hosts.map(({ host }) => ({ host, ...user }));
  });
  const targets = deliveryTargets.flatMap(({ name, address }, at) => {
    if (address.kind !== 'host') return [];
    const path = ['organizations', place, 'deliveryTargets', at, 'address'];
    return [{ host: address.host, organization: id, kind: 'delivery target', name, path } as const];
  });
  return [...smartHosts, ...targets];
}

/** By its address; a name that has MX records only is one as a smart host, never as a delivery target. */
export async function lookUpHost(
  { host, users }: NamedHost,
  resolver: Resolver,
): Promise<HostState> {
  const addresses = await resolver.resolveAddresses(host);
  if (addresses.kind === 'found') return { kind: 'found', by: 'an address' };
  if (addresses.kind === 'failed') return { kind: 'unknown', reason: addresses.reason };
  const hasTarget = users.some(({ kind }) => kind === 'delivery target');
  const mx = hasTarget ? null : await resolver.resolveMx(host);
  if (mx?.kind === 'found' && mx.records.some(({ exchange }) => exchange !== '')) {
    return { kind: 'found', by: 'MX records' };
  }
  if (mx?.kind === 'failed') return { kind: 'unknown', reason: mx.reason };
  const isNobody = addresses.kind === 'no-such-domain';
  return { kind: 'missing', text: isNobody ? 'there is no such name' : 'it has no address' };
}
