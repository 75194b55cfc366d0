/**
 * What the rooms above ask of DNS, and what they get: values, never throws.
 *
 * For delivery, receiving and https. Two resolvers keep this contract: the real one
 * (`stub-resolver.ts`) and the shipped fake (`fake-resolver.ts`).
 *
 * Names are given in canonical form (lower-case A-labels, see `mail/domain.ts`); other spellings are
 * brought into it, and a text that is no name is `failed` with `bad-name`. An IP address, bare or as
 * an address literal in brackets, is never looked up: `resolveAddresses` returns it, the other
 * questions are `no-data`. Names under `localhost` are loopback and nothing else.
 * @see RFC 1035 §4.1, RFC 4035 §3.2.3, RFC 6761 §6.3
 */

/** No call rejects or throws, and each ends within the resolver's own bound. */
export interface Resolver {
  /** In the order of the answer; ordering and null MX are `policy/mx-order.ts`. */
  resolveMx(domain: string): Promise<DnsAnswer<readonly MxRecord[]>>;
  /**
   * A and AAAA together, each address once, in the order of the answers, IPv6 first.
   *
   * One family that fails while the other is found is `found`. `isAuthentic` only where both
   * answers were. `no-data` only where both were without error.
   */
  resolveAddresses(host: string): Promise<DnsAnswer<readonly HostAddress[]>>;
  /** One text per record, its strings joined; octets beyond ASCII are read as UTF-8. */
  resolveTxt(name: string): Promise<DnsAnswer<readonly string[]>>;
  /** `name` with port and protocol: `_25._tcp.mail.example.com`. */
  resolveTlsa(name: string): Promise<DnsAnswer<readonly TlsaRecord[]>>;
}

/** `preference` 0..65535; `exchange` canonical lower-case, '' for the root name of a null MX. */
export interface MxRecord {
  readonly preference: number;
  readonly exchange: string;
}

/** An address in the canonical text of its family; IPv6 without brackets and zone. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** @see RFC 6698 §2.1 */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  /** Certificate association data, lower-case hex. */
  readonly data: string;
}

/**
 * `found` has at least one record. `isAuthentic` is the AD bit of a resolver that we trust, over the
 * whole chain of aliases. `no-data`: the name exists without such a record.
 * `failed` says nothing about the name: try again later.
 */
export type DnsAnswer<T> =
  | {
      readonly kind: 'found';
      readonly records: T;
      readonly isAuthentic: boolean;
      readonly ttlSeconds: number;
    }
  | { readonly kind: 'no-data'; readonly isAuthentic: boolean }
  | { readonly kind: 'no-such-domain'; readonly isAuthentic: boolean }
  | DnsFailure;

/** `reason` is one English sentence without a full stop that names the question. */
export interface DnsFailure {
  readonly kind: 'failed';
  readonly code: DnsFailureCode;
  readonly reason: string;
}

/**
 * Stable words for logs and metrics. `network`: no server could be reached at all. `busy`: too many
 * questions under way here. `bad-name`: the text is no domain name (asking again will not help).
 */
export type DnsFailureCode =
  | 'timeout'
  | 'servfail'
  | 'refused'
  | 'malformed'
  | 'network'
  | 'alias-loop'
  | 'busy'
  | 'bad-name'
  | 'closed';
