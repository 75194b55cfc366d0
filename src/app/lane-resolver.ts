/** How a lane comes by its resolver: as configured, or as a rehearsal brings it. */
import type { Config } from '../config/config.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { StubResolver } from '../dns/stub-resolver.ts';
import { createStubResolver } from '../dns/stub-resolver.ts';
import type { DnsServer } from '../dns/system-servers.ts';
import { readSystemServers } from '../dns/system-servers.ts';
import type { AnswerEvents } from '../dns/watch-answers.ts';
import { watchAnswers } from '../dns/watch-answers.ts';

/** A rehearsal brings one that answers from its own zone. */
export type OpenResolver = (config: Config, dns: DnsEvents) => Promise<ClosableResolver>;
export type DnsEvents = AnswerEvents & { readonly hostName: string };
export type ClosableResolver = Resolver & Pick<StubResolver, 'close'>;

/** The configured resolvers, or the system's. */
export async function openStubResolver(
  config: Config,
  dns: DnsEvents | null = null,
): Promise<StubResolver> {
  const configured = config.dns.servers.map(parseServer);
  const servers = configured.length > 0 ? configured : await readSystemServers();
  const resolver = createStubResolver({
    observe: (answer) => watch?.observe(answer),
    servers,
    timeoutMs: config.dns.timeoutMs,
    trustsLoopback: true,
    trustedServers: config.dns.trustAd ? servers.map((server) => server.address) : [],
  });
  const watch =
    dns === null
      ? null
      : watchAnswers(() => resolver.probe(dns.hostName), {
          isOut: dns.isOut === true,
          began: (failure) => dns.began(failure),
          ended: () => {
            resolver.forgetFailures();
            dns.ended();
          },
        });
  const close = (): void => {
    watch?.close();
    resolver.close();
  };
  return { ...resolver, close };
}

/** The schema has checked the form: address, `address:port` or `[IPv6]:port`. */
export function parseServer(text: string): DnsServer {
  const match = /^\[?([^\]]+?)\]?(?::(\d+))?$/.exec(text);
  const isBareV6 = !text.startsWith('[') && text.split(':').length > 2;
  if (isBareV6 || match === null) return { address: text, port: 53 };
  return { address: match[1]!, port: Number(match[2] ?? 53) };
}
