/** The rules by which an arriving header is read, made of the policy's judgement on who brings it. */
import type { Arrival, HeaderTrust } from '../policy/arrival.ts';
import type { HeaderFamily } from '../policy/header-family.ts';
import type { FirewallRules } from './header-firewall.ts';
import { strangersFamilies, submittersFamilies } from './header-firewall.ts';

const withoutOriginator: ReadonlySet<HeaderFamily> = new Set(
  [...strangersFamilies].filter((family) => family !== 'X-OriginatorOrg'),
);

/** The rules for `readArrivingHeader`. */
export function rulesOfArrival(hostName: string, arrival: Arrival): FirewallRules {
  const { trust, keepsOriginatorOrg } = arrival;
  const promotes = trust === 'cross-premises';
  return { hostName, forbids: forbiddenTo(trust, keepsOriginatorOrg), promotes };
}

function forbiddenTo(trust: HeaderTrust, keepsOriginatorOrg: boolean): ReadonlySet<HeaderFamily> {
  if (trust === 'submitter') return submittersFamilies;
  return trust === 'cross-premises' && keepsOriginatorOrg ? withoutOriginator : strangersFamilies;
}
