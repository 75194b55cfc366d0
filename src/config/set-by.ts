/**
 * Who named the smart hosts of a connector: the gateway's administrator, or one of the organization, whose
 * word reaches no inner network (`policy/address-guard.ts`).
 */
import type { Policy } from '../policy/policy.ts';
import type { PolicyObject } from './policy-object.ts';
import { textOfKey } from './policy-object.ts';
import { revisionOf } from './to-policy.ts';

/** The policy with what organizations' administrators named marked as such; the same value where nothing is. */
export function markSetBy(policy: Policy, objects: readonly PolicyObject[]): Policy {
  const marked = new Set(
    objects
      .filter(({ kind, setBy }) => kind === 'outbound-connector' && setBy === 'organization')
      .map(textOfKey),
  );
  if (marked.size === 0) return policy;
  const organizations = policy.organizations.map((organization) => ({
    ...organization,
    outboundConnectors: organization.outboundConnectors.map((connector) => {
      const { name } = connector;
      const key = textOfKey({ kind: 'outbound-connector', organization: organization.id, name });
      const { route } = connector;
      if (!marked.has(key) || route.kind !== 'smart-hosts') return connector;
      const hosts = route.hosts.map((host) => ({ ...host, setBy: 'organization' as const }));
      return { ...connector, route: { ...route, hosts } };
    }),
  }));
  const { revision: _revision, ...content } = { ...policy, organizations };
  return { ...content, revision: revisionOf(content) };
}
