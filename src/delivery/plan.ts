/**
 * From a decision to the hosts and addresses that are tried, in order.
 *
 * MX with its implicit and null forms, smart hosts, or the server that keeps mailboxes; own hosts and
 * forbidden addresses are left out.
 * @see RFC 5321 §5.1, RFC 7505 §3, RFC 8305 §4 (both families by turns)
 */
import { isIP } from 'node:net';
import type { HostAddress, Resolver } from '../dns/resolver.ts';
import { judgeAddress } from '../policy/address-guard.ts';
import type { AddressRules } from '../policy/address-guard.ts';
import type { Trouble } from '../policy/classify.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import { orderMx } from '../policy/mx-order.ts';
import type { MxHost } from '../policy/mx-order.ts';
import type { DeliveryTarget, SmartHost } from '../policy/policy.ts';
import type { DeliveryServices } from './services.ts';

/** A host to try. `trouble` tells why it has no address to dial; null where `addresses` has some. */
export interface PlannedHost {
  readonly hostName: string;
  /** 0 for a Unix socket, whose path is the one address. */
  readonly port: number;
  /** The name for SNI; null where the host is given by its address. */
  readonly sni: string | null;
  readonly addresses: readonly string[];
  readonly trouble: Trouble | null;
}

/** `hosts` is never empty; `ttlMs` tells how long it may be used again. */
export type Plan =
  | { readonly kind: 'hosts'; readonly hosts: readonly PlannedHost[]; readonly ttlMs: number }
  | { readonly kind: 'nowhere'; readonly trouble: Trouble };

/** For a decision whose destination is `mx`, `smart-hosts` or `hand-over`. Never rejects. */
export async function planRoute(
  services: DeliveryServices,
  { destination, recipientDomain }: OutboundDecision,
): Promise<Plan> {
  switch (destination.kind) {
    case 'smart-hosts':
      return planSmartHosts(services, destination.hosts);
    case 'hand-over':
      return planHandOver(services, destination.target);
    case 'mx':
      return planMx(services, recipientDomain);
    case 'mailbox':
    case 'organization':
    case 'none':
      throw new Error(`no route leads to the destination ${destination.kind}`);
  }
}

/** The static file set the address: it may be an inner one, and never a listener of our own. */
async function planHandOver(
  services: DeliveryServices,
  { address }: DeliveryTarget,
): Promise<Plan> {
  if (address.kind === 'host') {
    const found = await lookUp(services.resolver, address.host, address.port);
    return hostsPlan(services, [found], rulesOf(services, 'gateway'));
  }
  const addresses = [address.path];
  const host = { hostName: 'localhost', port: 0, sni: null, addresses, trouble: null };
  return { kind: 'hosts', hosts: [host], ttlMs: Infinity };
}

async function planSmartHosts(
  services: DeliveryServices,
  smartHosts: readonly SmartHost[],
): Promise<Plan> {
  const wanted = smartHosts.slice(0, services.limits.hostsMax);
  const found = await Promise.all(
    wanted.map(({ host, port }) => lookUp(services.resolver, host, port)),
  );
  const rules = rulesOf(services, services.guard.smartHostsSetBy);
  return hostsPlan(services, found, rules);
}

async function planMx(services: DeliveryServices, domain: string): Promise<Plan> {
  const { resolver, limits } = services;
  const answer = await resolver.resolveMx(domain);
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
    case 'unusable':
      return nowhere({
        kind: ordered.kind === 'loop' ? 'loop' : 'unroutable',
        reason: ordered.reason,
      });
    case 'implicit':
    case 'hosts': {
      const isImplicit = ordered.kind === 'implicit';
      const hosts = isImplicit
        ? [{ hostName: ordered.hostName, preference: 0 }]
        : ordered.hosts.slice(0, limits.hostsMax);
      const found = await Promise.all(
        hosts.map(({ hostName }) => lookUp(resolver, hostName, limits.mxPort)),
      );
      const mxTtlMs = answer.kind === 'found' ? answer.ttlSeconds * 1000 : Infinity;
      return planFound(services, { domain, isImplicit, hosts, found, mxTtlMs });
    }
  }
}

interface FoundHost {
  readonly hostName: string;
  readonly port: number;
  readonly addresses: readonly HostAddress[];
  readonly trouble: Trouble | null;
  readonly ttlMs: number;
}

interface FoundMx {
  readonly domain: string;
  readonly isImplicit: boolean;
  readonly hosts: readonly MxHost[];
  readonly found: readonly FoundHost[];
  readonly mxTtlMs: number;
}

function planFound(services: DeliveryServices, mx: FoundMx): Plan {
  const { domain, isImplicit, hosts, found } = mx;
  const implicit = found[0]!;
  if (isImplicit && implicit.trouble !== null && implicit.trouble.kind === 'no-such-host') {
    return nowhere({ kind: 'no-such-host', subject: domain, hasName: true, isPermanent: true });
  }
  const limit = ownPreference(services, hosts, found);
  const usable = found.filter((_, i) => hosts[i]!.preference < limit);
  if (usable.length === 0) {
    const reason = `the best host of ${domain} has an address of this server itself`;
    return nowhere({ kind: 'loop', reason });
  }
  const plan = hostsPlan(services, usable, rulesOf(services, 'dns'));
  if (plan.kind === 'nowhere') return plan;
  return { ...plan, ttlMs: Math.min(plan.ttlMs, mx.mxTtlMs) };
}

/** The best preference at which a listener of ours stands; only better hosts are tried. */
function ownPreference(
  services: DeliveryServices,
  hosts: readonly MxHost[],
  found: readonly FoundHost[],
): number {
  const own = new Set(services.ownAddresses().map(({ address, port }) => `${address} ${port}`));
  let best = Infinity;
  for (const [i, { addresses, port }] of found.entries()) {
    if (addresses.some(({ address }) => own.has(`${address} ${port}`))) {
      best = Math.min(best, hosts[i]!.preference);
    }
  }
  return best;
}

async function lookUp(resolver: Resolver, host: string, port: number): Promise<FoundHost> {
  const answer = await resolver.resolveAddresses(host);
  const base = { hostName: host, port, addresses: [], ttlMs: 0 };
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

function rulesOf(services: DeliveryServices, setBy: AddressRules['setBy']): AddressRules {
  const { allow, allowPorts } = services.guard;
  // The MX port is ours to set; whoever sets it means it.
  const ports = setBy === 'dns' ? [...allowPorts, services.limits.mxPort] : allowPorts;
  return { setBy, allow, allowPorts: ports, own: services.ownAddresses() };
}

function hostsPlan(
  services: DeliveryServices,
  found: readonly FoundHost[],
  rules: AddressRules,
): Plan {
  const hosts = found.map((host) => guardHost(host, rules, services.limits.addressesPerHostMax));
  const ttlMs = Math.min(...found.map((host) => host.ttlMs));
  return { kind: 'hosts', hosts, ttlMs };
}

function guardHost(found: FoundHost, rules: AddressRules, addressesMax: number): PlannedHost {
  const { hostName, port, trouble } = found;
  const sni = isIP(hostName) === 0 ? hostName : null;
  const host = { hostName, port, sni, addresses: [], trouble };
  if (trouble !== null) return host;
  const allowed: HostAddress[] = [];
  let refusal = '';
  for (const address of found.addresses) {
    const verdict = judgeAddress(address.address, port, rules);
    if (verdict.kind === 'allowed') allowed.push(address);
    else refusal = verdict.reason;
  }
  if (allowed.length === 0) return { ...host, trouble: { kind: 'unroutable', reason: refusal } };
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

function nowhere(trouble: Trouble): Plan {
  return { kind: 'nowhere', trouble };
}

/** Plans that are still good, by decision; many messages to one destination share one. */
export class PlanCache {
  readonly #services: DeliveryServices;
  readonly #plans = new Map<string, { readonly untilMs: number; readonly plan: Promise<Plan> }>();
  readonly #known = new WeakMap<OutboundDecision, string>();

  constructor(services: DeliveryServices) {
    this.#services = services;
  }

  planFor(decision: OutboundDecision): Promise<Plan> {
    const key = this.#keyOf(decision);
    const kept = this.#plans.get(key);
    if (kept !== undefined && performance.now() < kept.untilMs) return kept.plan;
    const plan = planRoute(this.#services, decision);
    this.#keep(key, { untilMs: Infinity, plan });
    void plan.then((result) => {
      const ttlMs = result.kind === 'hosts' && isWhole(result) ? result.ttlMs : 0;
      const untilMs = performance.now() + Math.min(ttlMs, this.#services.limits.planMs);
      if (this.#plans.get(key)?.plan === plan) this.#plans.set(key, { untilMs, plan });
    });
    return plan;
  }

  #keep(key: string, entry: { readonly untilMs: number; readonly plan: Promise<Plan> }): void {
    if (this.#plans.size >= plansMax && !this.#plans.has(key)) {
      this.#plans.delete(this.#plans.keys().next().value!);
    }
    this.#plans.set(key, entry);
  }

  #keyOf(decision: OutboundDecision): string {
    const known = this.#known.get(decision);
    if (known !== undefined) return known;
    const { policyRevision, organization, destination, recipientDomain } = decision;
    const to = destination.kind === 'mx' ? recipientDomain : JSON.stringify(destination);
    const key = `${policyRevision}\n${organization}\n${destination.kind}\n${to}`;
    this.#known.set(decision, key);
    return key;
  }
}

const plansMax = 10_000;

function isWhole(plan: Plan & { readonly kind: 'hosts' }): boolean {
  return plan.hosts.every((host) => host.trouble === null);
}
