/**
 * From a decision to the hosts and addresses that are tried, in order.
 *
 * MX with its implicit and null forms, smart hosts, or the server that keeps mailboxes; own hosts and
 * forbidden addresses are left out.
 * @see RFC 5321 §5.1, RFC 7505 §3, RFC 8305 §4 (both families by turns)
 */
import type { AddressRules } from '../policy/address-guard.ts';
import type { Trouble } from '../policy/classify.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { DeliveryTarget, SmartHost } from '../policy/policy.ts';
import { guardHost, lookUp } from './find-host.ts';
import type { FoundHost } from './find-host.ts';
import { findMx } from './find-mx.ts';
import type { Nowhere } from './find-mx.ts';
import type { PlannedHost } from './planned-host.ts';
import type { DeliveryServices } from './services.ts';

/** `hosts` is never empty; `ttlMs` tells how long it may be used again. */
export type Plan =
  | { readonly kind: 'hosts'; readonly hosts: readonly PlannedHost[]; readonly ttlMs: number }
  | Nowhere;

/** Hosts that one plan holds; an attempt tries the first `hostsMax` of them. */
const plannedHostsMax = 64;

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
    return planOf([entryOf(services, [found], rulesOf(services, 'gateway'))]);
  }
  const addresses = [address.path];
  const refused: PlannedHost['refused'] = [];
  const host = { hostName: 'localhost', port: 0, sni: null, addresses, refused, trouble: null };
  return { kind: 'hosts', hosts: [{ ...host, entry: 0, preference: 0 }], ttlMs: Infinity };
}

async function planSmartHosts(
  services: DeliveryServices,
  smartHosts: readonly SmartHost[],
): Promise<Plan> {
  const wanted = smartHosts.slice(0, plannedHostsMax);
  const entries = await Promise.all(
    wanted.map((smartHost, entry) => planSmartHost(services, smartHost, entry)),
  );
  return planOf(entries);
}

/**
 * A name with addresses is the host; one without is looked up by MX, and what DNS names there is
 * judged as DNS's word, whoever set the smart host.
 */
async function planSmartHost(
  services: DeliveryServices,
  { host, port, setBy }: SmartHost,
  entry: number,
): Promise<Entry> {
  const found = await lookUp(services.resolver, host, port);
  const smartHostsSetBy = setBy ?? services.guard.smartHostsSetBy;
  const isNameOnly = found.trouble?.kind === 'no-such-host' && found.trouble.hasName;
  if (!isNameOnly) return entryOf(services, [found], rulesOf(services, smartHostsSetBy), entry);
  const mx = await findMx(services, host, port);
  const rules = rulesOf(services, 'dns');
  if (mx.kind === 'nowhere') {
    return entryOf(services, [{ ...found, trouble: ofSmartHost(mx.trouble) }], rules, entry);
  }
  const allowPorts = smartHostsSetBy === 'gateway' ? [...rules.allowPorts, port] : rules.allowPorts;
  return entryOf(services, mx.found, { ...rules, allowPorts }, entry, mx.ttlMs);
}

/** A smart host that leads nowhere is a mistake to mend: mail waits, and never bounces for it. */
function ofSmartHost(trouble: Trouble): Trouble {
  if (trouble.kind === 'no-such-host') return { ...trouble, isPermanent: false };
  if (trouble.kind === 'loop') return { kind: 'unroutable', reason: trouble.reason };
  if (trouble.kind !== 'null-mx') return trouble;
  return { kind: 'unroutable', reason: `${trouble.domain} takes no mail (null MX)` };
}

async function planMx(services: DeliveryServices, domain: string): Promise<Plan> {
  const mx = await findMx(services, domain, services.limits.mxPort);
  if (mx.kind === 'nowhere') return mx;
  return planOf([entryOf(services, mx.found, rulesOf(services, 'dns'), 0, mx.ttlMs)]);
}

function rulesOf(services: DeliveryServices, setBy: AddressRules['setBy']): AddressRules {
  const { allow, allowPorts } = services.guard;
  // The MX port is ours to set; whoever sets it means it.
  const ports = setBy === 'dns' ? [...allowPorts, services.limits.mxPort] : allowPorts;
  return { setBy, allow, allowPorts: ports, own: services.ownAddresses() };
}

/** The hosts that one smart host, one domain's MX or one delivery target leads to. */
interface Entry {
  readonly hosts: readonly PlannedHost[];
  readonly ttlMs: number;
}

// oxlint-disable-next-line eslint/max-params -- the last two have their usual values
function entryOf(
  services: DeliveryServices,
  found: readonly FoundHost[],
  rules: AddressRules,
  entry = 0,
  ttlMs = Infinity,
): Entry {
  const { addressesPerHostMax } = services.limits;
  return {
    hosts: found.map((host) => ({ ...guardHost(host, rules, addressesPerHostMax), entry })),
    ttlMs: Math.min(ttlMs, ...found.map((host) => host.ttlMs)),
  };
}

function planOf(entries: readonly Entry[]): Plan {
  const hosts = entries.flatMap((entry) => entry.hosts).slice(0, plannedHostsMax);
  return { kind: 'hosts', hosts, ttlMs: Math.min(...entries.map(({ ttlMs }) => ttlMs)) };
}
