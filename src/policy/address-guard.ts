/**
 * Judges each address that is about to be dialled, by the purpose and by who set its name. Pure.
 *
 * For delivery, https and validation: whoever controls a zone or a connector must not reach our
 * loopback, our inner networks or our own listeners through us.
 * @see RFC 6890, RFC 4291 §2.5, RFC 6052 §2.1, RFC 3056 §2, RFC 4380 §4
 */
import ipaddr from 'ipaddr.js';
import { isInRanges } from './ip-match.ts';

/** Ports of mail: SMTP, submissions, submission, LMTP. */
export const mailPorts: readonly number[] = [25, 465, 587, 24];

export interface AddressRules {
  /** `dns`: an MX host; `organization`: its administrator's smart host; `gateway`: the static file. */
  readonly setBy: 'dns' | 'organization' | 'gateway';
  /** `network.allow`: CIDR as the configuration validated it; any other text allows nothing. */
  readonly allow: readonly string[];
  /** Ports allowed besides `mailPorts`. */
  readonly allowPorts: readonly number[];
  /**
   * Every address and port that we listen on. For a listener on all addresses the caller lists each
   * of the machine; an unspecified one here stands for loopback.
   */
  readonly own: readonly { readonly address: string; readonly port: number }[];
}

/** `reason` is a sentence without a full stop that names the address. */
export type AddressVerdict =
  { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly reason: string };

type Address = ReturnType<typeof ipaddr.parse>;

/**
 * Refuses what is not a public unicast address on a mail port, unless the static file allows it or
 * set it itself. Our own listeners are refused in any case, and so is text that is no plain address.
 */
export function judgeAddress(text: string, port: number, rules: AddressRules): AddressVerdict {
  const address = parseAddressText(text);
  if (address === null) return refuse(`${quote(text)} is not an IP address`);
  if (!Number.isInteger(port) || port < 1 || port > 65535) return refuse(`${port} is not a port`);
  const where = `${text} port ${port}`;
  if (rules.own.some((own) => own.port === port && reaches(address, own.address))) {
    return refuse(`${where} is a listener of this server itself`);
  }
  if (rules.setBy === 'gateway') return { kind: 'allowed' };
  if (!mailPorts.includes(port) && !rules.allowPorts.includes(port)) {
    return refuse(`${where} is not a port for mail and network.allowPorts does not list it`);
  }
  const problem = problemOf(address, rules.allow);
  if (problem === null) return { kind: 'allowed' };
  return refuse(`${text} is ${problem} and network.allow does not list it`);
}

function refuse(reason: string): AddressVerdict {
  return { kind: 'refused', reason };
}

/** Enough of an odd text to recognize it by; it may come from a peer. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?'));
}

/** Plain forms only: no octal, hex or short IPv4, no zone; they mean other things elsewhere. */
function parseAddressText(text: string): Address | null {
  if (text.length > 45) return null;
  if (!text.includes(':')) {
    return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : null;
  }
  const tail = text.slice(text.lastIndexOf(':') + 1);
  if (text.includes('%') || (tail.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(tail))) {
    return null;
  }
  return ipaddr.IPv6.isValid(text) ? unwrap(ipaddr.IPv6.parse(text)) : null;
}

/** The IPv4 address inside v4-mapped text: the kernel dials that one. */
function unwrap(address: Address): Address {
  if (!(address instanceof ipaddr.IPv6) || !address.isIPv4MappedAddress()) return address;
  return address.toIPv4Address();
}

/** Whether dialling `address` ends at a listener on `own`. An unspecified one is loopback. */
function reaches(address: Address, own: string): boolean {
  const listener = parseAddressText(own);
  if (listener === null) return false;
  if (address.toString() === listener.toString()) return true;
  const isAnywhere = listener.range() === 'unspecified';
  if (isAnywhere) return isOfThisHost(address);
  return address.range() === 'unspecified' && isOfThisHost(listener);
}

function isOfThisHost(address: Address): boolean {
  const range = address.range();
  return range === 'loopback' || range === 'unspecified';
}

const words: Readonly<Record<string, string>> = {
  unspecified: 'the unspecified address',
  broadcast: 'the broadcast address',
  multicast: 'a multicast address',
  linkLocal: 'a link-local address',
  loopback: 'a loopback address',
  carrierGradeNat: 'a carrier-grade NAT address',
  private: 'a private address',
  uniqueLocal: 'a unique-local address',
  deprecatedSiteLocal: 'a site-local address',
  benchmarking: 'a benchmarking address',
};

/** What is wrong with the address in words, or null where it is public or allowed. */
function problemOf(address: Address, allow: readonly string[]): string | null {
  if (isInRanges(address.toString(), allow)) return null;
  const embedded = embeddedIn(address);
  if (embedded.length > 0) {
    const inner = embedded.find((candidate) => problemOf(candidate, allow) !== null);
    return inner === undefined
      ? null
      : `a wrapping of ${inner.toString()}, ${problemOf(inner, allow)!},`;
  }
  const range = address.range();
  // Whatever lies outside 2000::/3 is not global unicast, also where no list names it yet.
  const isPublic =
    range === 'unicast' &&
    (address instanceof ipaddr.IPv4 || (address.parts[0]! & 0xe000) === 0x2000);
  return isPublic ? null : (words[range] ?? 'a reserved address');
}

/** The IPv4 addresses that an IPv6 address leads to by NAT64, 6to4, Teredo or old v4 forms. */
function embeddedIn(address: Address): readonly Address[] {
  if (address instanceof ipaddr.IPv4) return [];
  const bytes = address.toByteArray();
  const inner = (at: number, mask = 0): Address =>
    new ipaddr.IPv4(bytes.slice(at, at + 4).map((byte) => byte ^ mask));
  if (hasPrefix(address, '64:ff9b::/96') || hasPrefix(address, '::ffff:0:0:0/96')) {
    return [inner(12)];
  }
  if (hasPrefix(address, '2002::/16')) return [inner(2)];
  if (hasPrefix(address, '2001::/32')) return [inner(4), inner(12, 0xff)];
  const isCompatible = hasPrefix(address, '::/96') && !isOfThisHost(address);
  return isCompatible ? [inner(12)] : [];
}

function hasPrefix(address: Address, cidr: string): boolean {
  const [prefix, bits] = ipaddr.parseCIDR(cidr);
  return address.kind() === prefix.kind() && address.match(prefix, bits);
}
