/** Checks of the hosts that the configuration names: smart hosts and delivery targets must be found. */
import { isIP } from 'node:net';
import type { Finding } from '../../cli/offline-doctor.ts';
import type { Resolver } from '../../dns/resolver.ts';
import type { Organization, Policy } from '../../policy/policy.ts';
import { tell } from './finding.ts';

const hostsMax = 100;

/** Each name once; addresses need no look-up. */
export async function checkHosts(policy: Policy, resolver: Resolver): Promise<readonly Finding[]> {
  const users = new Map<string, string[]>();
  for (const organization of policy.organizations) {
    for (const { host, user } of namedHosts(organization)) {
      const whose = policy.organizations.length > 1 ? `${user} of ${organization.id}` : user;
      users.set(host, [...(users.get(host) ?? []), whose]);
    }
  }
  const hosts = [...users].slice(0, hostsMax);
  const findings = await Promise.all(
    hosts.map(([host, by]) => checkHost(host, [...new Set(by)], resolver)),
  );
  return [...findings, ...tellRest(users.size - hosts.length)];
}

function tellRest(rest: number): Finding[] {
  return rest > 0
    ? [tell('smart-host', 'others').unknown(`${rest} more names were not looked up`)]
    : [];
}

function namedHosts(
  organization: Organization,
): { readonly host: string; readonly user: string }[] {
  const connectors = organization.outboundConnectors.flatMap(({ enabled, name, route }) =>
    enabled && route.kind === 'smart-hosts'
      ? route.hosts.map(({ host }) => ({ host, user: `outbound connector ${name}` }))
      : [],
  );
  const targets = organization.deliveryTargets.flatMap(({ name, address }) =>
    address.kind === 'host' ? [{ host: address.host, user: `delivery target ${name}` }] : [],
  );
  return [...connectors, ...targets].filter(({ host }) => isIP(host) === 0);
}

/** By its address; a name that has MX records only is one as a smart host, never as a delivery target. */
async function checkHost(
  host: string,
  users: readonly string[],
  resolver: Resolver,
): Promise<Finding> {
  const say = tell('smart-host', host);
  const by = users.slice(0, 3).join(', ');
  const addresses = await resolver.resolveAddresses(host);
  if (addresses.kind === 'found') return say.ok(`it has an address; used by ${by}`);
  if (addresses.kind === 'failed') {
    return say.unknown(`it could not be looked up: ${addresses.reason}`);
  }
  const hasTarget = users.some((user) => user.startsWith('delivery target'));
  const mx = hasTarget ? null : await resolver.resolveMx(host);
  if (mx?.kind === 'found' && mx.records.some(({ exchange }) => exchange !== '')) {
    return say.ok(`it has MX records; used by ${by}`);
  }
  const what = addresses.kind === 'no-such-domain' ? 'there is no such name' : 'it has no address';
  return say.fail(
    `${what}, so mail of ${by} waits`,
    'correct the name in the configuration, or give it an A or AAAA record',
  );
}
