/** Checks of the hosts that the configuration names: smart hosts and delivery targets must be found. */
import type { Finding } from '../../cli/offline-doctor.ts';
import type { Resolver } from '../../dns/resolver.ts';
import type { Policy } from '../../policy/policy.ts';
import type { HostUser, NamedHost } from '../hosts/named-hosts.ts';
import { lookUpHost, namedHosts } from '../hosts/named-hosts.ts';
import { tell } from './finding.ts';

const hostsMax = 100;

export async function checkHosts(policy: Policy, resolver: Resolver): Promise<readonly Finding[]> {
  const all = namedHosts(policy);
  const hosts = all.slice(0, hostsMax);
  const isShared = policy.organizations.length > 1;
  const nameOf = ({ kind, name, organization }: HostUser): string =>
    isShared ? `${kind} ${name} of ${organization}` : `${kind} ${name}`;
  const findings = await Promise.all(
    hosts.map((host) => checkHost(host, host.users.slice(0, 3).map(nameOf).join(', '), resolver)),
  );
  return [...findings, ...tellRest(all.length - hosts.length)];
}

function tellRest(rest: number): Finding[] {
  return rest > 0
    ? [tell('smart-host', 'others').unknown(`${rest} more names were not looked up`)]
    : [];
}

async function checkHost(host: NamedHost, by: string, resolver: Resolver): Promise<Finding> {
  const say = tell('smart-host', host.host);
  const state = await lookUpHost(host, resolver);
  switch (state.kind) {
    case 'found':
      return say.ok(`it has ${state.by}; used by ${by}`);
    case 'unknown':
      return say.unknown(`it could not be looked up: ${state.reason}`);
    case 'missing':
      return say.fail(
        `${state.text}, so mail of ${by} waits`,
        'correct the name in the configuration, or give it an A or AAAA record',
      );
  }
}
