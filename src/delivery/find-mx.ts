/**
 * The hosts that take a domain's mail by MX, with its implicit and null forms. For `plan.ts`.
 * @see RFC 5321 §5.1, RFC 7505 §3
 */
import type { Trouble } from '../policy/classify.ts';
import { orderMx } from '../policy/mx-order.ts';
import type { MxHost } from '../policy/mx-order.ts';
import { lookUp } from './find-host.ts';
import type { FoundHost } from './find-host.ts';
import type { DeliveryServices } from './services.ts';

/** There is no host to try, and why. */
export interface Nowhere {
  readonly kind: 'nowhere';
  readonly trouble: Trouble;
}

/** `found` is never empty and in the order of trying. */
export type FoundMx =
  | { readonly kind: 'found'; readonly found: readonly FoundHost[]; readonly ttlMs: number }
  | Nowhere;

/** The hosts that MX names, in order, without those that are no better than ourselves. */
export async function findMx(
  services: DeliveryServices,
  domain: string,
  port: number,
): Promise<FoundMx> {
  const answer = await services.resolver.resolveMx(domain);
  if (answer.kind === 'failed') return nowhere({ kind: 'dns', reason: answer.reason });
  if (answer.kind === 'no-such-domain') {
    return nowhere({ kind: 'no-such-host', subject: domain, hasName: false, isPermanent: true });
  }
  const ownNames = [services.policy().hostName];
  const ordered = orderMx(answer, { domain, ownNames, random: () => services.random() });
  switch (ordered.kind) {
    case 'null-mx':
      return nowhere({ kind: 'null-mx', domain });
    case 'loop':
      return nowhere({ kind: 'loop', reason: ordered.reason });
    case 'unusable':
      return nowhere({ kind: 'unroutable', reason: ordered.reason });
    case 'implicit': {
      const host = await lookUp(services.resolver, ordered.hostName, port);
      if (host.trouble?.kind === 'no-such-host') {
        return nowhere({ kind: 'no-such-host', subject: domain, hasName: true, isPermanent: true });
      }
      return betterThanOurselves(services, domain, [host], Infinity);
    }
    case 'hosts': {
      const found = await Promise.all(
        ordered.hosts
          .slice(0, services.limits.hostsMax)
          .map((host) => lookUpMxHost(services, host, port)),
      );
      const ttlMs = answer.kind === 'found' ? answer.ttlSeconds * 1000 : Infinity;
      return betterThanOurselves(services, domain, found, ttlMs);
    }
  }
}

async function lookUpMxHost(
  { resolver }: DeliveryServices,
  { hostName, preference }: MxHost,
  port: number,
): Promise<FoundHost> {
  return { ...(await lookUp(resolver, hostName, port)), preference };
}

function betterThanOurselves(
  services: DeliveryServices,
  domain: string,
  all: readonly FoundHost[],
  ttlMs: number,
): FoundMx {
  const limit = ownPreference(services, all);
  const found = all.filter(({ preference }) => preference < limit);
  if (found.length > 0) return { kind: 'found', found, ttlMs };
  const reason = `the best host of ${domain} has an address of this server itself`;
  return nowhere({ kind: 'loop', reason });
}

/** The best preference at which a listener of ours stands; only better hosts are tried. */
function ownPreference(services: DeliveryServices, found: readonly FoundHost[]): number {
  const own = new Set(services.ownAddresses().map(({ address, port }) => `${address} ${port}`));
  let best = Infinity;
  for (const { addresses, port, preference } of found) {
    if (addresses.some(({ address }) => own.has(`${address} ${port}`))) {
      best = Math.min(best, preference);
    }
  }
  return best;
}

function nowhere(trouble: Trouble): Nowhere {
  return { kind: 'nowhere', trouble };
}
