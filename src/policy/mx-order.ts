/**
 * From a domain's MX answer to the hosts that are tried, in order. Pure.
 *
 * For delivery, validation and `explain`.
 * @see RFC 5321 §5.1, RFC 7505 §3
 */
import { parseDomain } from '../mail/domain.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';

/** Most hosts that one attempt tries; the rest of a longer list is left out. */
export const mxHostsMax = 10;

/**
 * The two answers that lead to hosts: records, or a domain that exists without any. A domain that
 * does not exist and a failed look-up have no plan: the caller bounces the one, defers the other.
 */
export type MxAnswer =
  | { readonly kind: 'found'; readonly records: readonly MxAnswerRecord[] }
  | { readonly kind: 'no-data' };

/** `exchange` is '' for the root name of a null MX; any other text may be no valid host name. */
export interface MxAnswerRecord {
  readonly preference: number;
  readonly exchange: string;
}

export interface MxOrderOptions {
  /** The recipient domain, canonical; it is the host of an implicit MX. */
  readonly domain: string;
  /** Every name by which we are an MX ourselves, canonical. */
  readonly ownNames: readonly string[];
  /** 0 <= x < 1; orders hosts of equal preference. */
  random(): number;
}

export interface MxHost {
  readonly hostName: string;
  readonly preference: number;
}

/**
 * `hosts` is in the order of trying, never empty, at most `mxHostsMax`. `null-mx`: the domain takes
 * no mail (556 5.1.10). `loop`: we are its best MX ourselves. `unusable`: it has MX records, and none
 * names a host. Reasons are sentences without a full stop.
 */
export type MxPlan =
  | { readonly kind: 'hosts'; readonly hosts: readonly MxHost[] }
  | { readonly kind: 'implicit'; readonly hostName: string }
  | { readonly kind: 'null-mx' }
  | { readonly kind: 'loop'; readonly reason: string }
  | { readonly kind: 'unusable'; readonly reason: string };

/**
 * Orders by preference, equal ones by chance; a host named twice counts once, at its best place.
 *
 * Where one of the hosts is ourselves, it and all of the same or a larger preference are left out.
 * The domain itself is the host (implicit MX) only where it has no MX record at all.
 */
export function orderMx(answer: MxAnswer, options: MxOrderOptions): MxPlan {
  if (answer.kind === 'no-data') return planImplicit(options);
  const { records } = answer;
  if (records.length === 0) return planImplicit(options);
  if (records.every((record) => record.exchange === '')) return { kind: 'null-mx' };
  const known = usableHosts(records);
  if (known.length === 0) {
    const names = records.slice(0, 3).map((record) => record.exchange.slice(0, 100) || '.');
    const shown = sanitizePeerText(names.join(', '));
    const reason = `no MX record of ${options.domain} names a host: ${shown}`;
    return { kind: 'unusable', reason };
  }
  const own = known.find((host) => options.ownNames.includes(host.hostName));
  const hosts =
    own === undefined ? known : known.filter((host) => host.preference < own.preference);
  if (hosts.length === 0) {
    const reason = `the best MX of ${options.domain} is this server itself (${own!.hostName})`;
    return { kind: 'loop', reason };
  }
  return { kind: 'hosts', hosts: shuffleEqual(hosts, () => options.random()).slice(0, mxHostsMax) };
}

function planImplicit({ domain, ownNames }: MxOrderOptions): MxPlan {
  if (!ownNames.includes(domain)) return { kind: 'implicit', hostName: domain };
  return { kind: 'loop', reason: `${domain} has no MX and is this server itself` };
}

/** Valid host names, each once at its best preference, best first; root names are left out. */
function usableHosts(records: readonly MxAnswerRecord[]): readonly MxHost[] {
  const preferences = new Map<string, number>();
  for (const record of records) {
    const hostName = parseDomain(record.exchange);
    if (hostName === null) continue;
    const known = preferences.get(hostName) ?? Infinity;
    preferences.set(hostName, Math.min(known, record.preference));
  }
  return Array.from(preferences, ([hostName, preference]) => ({ hostName, preference })).sort(
    (a, b) => a.preference - b.preference,
  );
}

/** Gives each host a place by chance among those of its preference. */
function shuffleEqual(sorted: readonly MxHost[], random: () => number): readonly MxHost[] {
  return sorted
    .map((host) => ({ host, place: random() }))
    .sort((a, b) => a.host.preference - b.host.preference || a.place - b.place)
    .map(({ host }) => host);
}
