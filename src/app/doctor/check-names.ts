/** Checks of DNS: the resolvers and their AD bit, our MX records, our own name and its way back. */
import { Resolver as NodeResolver } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { Finding } from '../../cli/offline-doctor.ts';
import type { Config } from '../../config/config.ts';
import type { Resolver } from '../../dns/resolver.ts';
import { createStubResolver, isTrustedServer } from '../../dns/stub-resolver.ts';
import type { DnsServer } from '../../dns/system-servers.ts';
import type { Policy } from '../../policy/policy.ts';
import { tell } from './finding.ts';

/** A name that is signed, and one that is signed wrongly on purpose: what a validator tells apart. */
const truth = { signed: 'ietf.org', bogus: 'dnssec-failed.org' };
const questionTimeoutMs = 2500;

/** Each resolver by itself: the others would answer in its place. */
export function checkResolvers(
  { dns }: Config,
  servers: readonly DnsServer[],
): Promise<readonly Finding[]> {
  return Promise.all(servers.map((server) => checkResolver(server, dns.trustAd)));
}

async function checkResolver(server: DnsServer, trustAd: boolean): Promise<Finding> {
  const say = tell(
    'resolver',
    server.port === 53 ? server.address : `${server.address}:${server.port}`,
  );
  const resolver = createStubResolver({
    servers: [server],
    trustedServers: [server.address],
    timeoutMs: questionTimeoutMs,
    rounds: 1,
  });
  try {
    const [signed, bogus] = await Promise.all([
      resolver.resolveMx(truth.signed),
      resolver.resolveAddresses(truth.bogus),
    ]);
    if (signed.kind === 'failed') {
      return say.fail(
        `does not answer: ${signed.reason}`,
        'correct dns.servers, or start the resolver',
      );
    }
    const trust = { trustsLoopback: true, trustedServers: trustAd ? [server.address] : [] };
    const isTrusted = isTrustedServer(server.address, trust);
    if (bogus.kind === 'found' && signed.isAuthentic) {
      const text = `says that it validates DNSSEC (AD), and answers for the broken zone ${truth.bogus} all the same`;
      return isTrusted
        ? say.fail(text, 'use a resolver that validates, or take dns.trustAd away')
        : say.warn(text, 'use a resolver that validates');
    }
    if (!signed.isAuthentic) return say.ok('answers; it does not validate DNSSEC (no AD)');
    const belief = isTrusted
      ? 'and is believed'
      : 'and is not believed: it is not on loopback, and dns.trustAd is not set';
    return say.ok(`answers and validates DNSSEC (AD), ${belief}`);
  } finally {
    resolver.close();
  }
}

/** Whether mail for our domains comes here; another host in front of us may be meant so. */
export function checkMx(policy: Policy, resolver: Resolver): Promise<readonly Finding[]> {
  const domains = policy.organizations.flatMap(({ acceptedDomains }) => acceptedDomains);
  return Promise.all(
    domains.slice(0, 50).map(({ domain }) => checkMxOf(domain, policy.hostName, resolver)),
  );
}

async function checkMxOf(domain: string, hostName: string, resolver: Resolver): Promise<Finding> {
  const say = tell('mx', domain);
  const mend = `let an MX record of ${domain} name ${hostName}, if other servers shall bring mail here`;
  const answer = await resolver.resolveMx(domain);
  if (answer.kind === 'failed')
    return say.unknown(`its MX could not be looked up: ${answer.reason}`);
  if (answer.kind !== 'found') return say.warn('it has no MX record', mend);
  const hosts = answer.records.map(({ exchange }) => exchange);
  if (hosts.includes(hostName)) return say.ok(`its MX names this gateway (${hostName})`);
  const own = ownAddresses();
  for (const host of hosts.slice(0, 10)) {
    const addresses = await resolver.resolveAddresses(host);
    const isOurs =
      addresses.kind === 'found' && addresses.records.some(({ address }) => own.has(address));
    if (isOurs) return say.ok(`its MX ${host} is this machine`);
  }
  return say.warn(`its MX leads elsewhere: ${hosts.slice(0, 3).join(', ') || 'nowhere'}`, mend);
}

function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(all.filter(({ internal }) => !internal).map(({ address }) => address));
}

/** Other servers look whether our address leads back to the name that we greet with. */
export async function checkReverse(
  hostName: string,
  resolver: Resolver,
  servers: readonly DnsServer[],
): Promise<readonly Finding[]> {
  const say = tell('reverse-dns', hostName);
  const found = await resolver.resolveAddresses(hostName);
  if (found.kind === 'failed') return [say.unknown(`it could not be looked up: ${found.reason}`)];
  if (found.kind !== 'found') {
    const text = 'our own name has no address; servers that check the greeting refuse our mail';
    return [say.warn(text, 'give hostName an A or AAAA record with our public address')];
  }
  const asker = new NodeResolver({ timeout: questionTimeoutMs, tries: 1 });
  asker.setServers(
    servers.map(({ address, port }) => `[${address}]:${port}`.replace(/^\[([\d.]+)\]/, '$1')),
  );
  return Promise.all(
    found.records.slice(0, 4).map(async ({ address }) => {
      const names = await asker.reverse(address).catch(() => [] as string[]);
      if (names.some((name) => name.toLowerCase().replace(/\.$/, '') === hostName)) {
        return say.ok(`${address} leads back to it`);
      }
      const text = `${address} leads back to ${names.slice(0, 2).join(', ') || 'no name'}`;
      return say.warn(text, 'ask whoever gave you the address for a PTR record with hostName');
    }),
  );
}
