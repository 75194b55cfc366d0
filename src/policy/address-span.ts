/** Arithmetic on ranges of IP addresses: from-to as CIDR, CIDR as its addresses, what overlaps what. */
import ipaddr from 'ipaddr.js';

/** From and to, of one family; both ends belong to it. */
export interface AddressSpan {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** `192.0.2.1-192.0.2.9`, blanks around the dash allowed; null where it is none, or runs backwards. */
export function parseSpan(text: string): AddressSpan | null {
  const [from, to, ...rest] = text.split('-').map((part) => part.trim());
  if (from === undefined || to === undefined || rest.length > 0) return null;
  const [first, last] = [parsePoint(from), parsePoint(to)];
  if (first === null || last === null || first.family !== last.family) return null;
  if (first.value > last.value) return null;
  return { family: first.family, first: first.value, last: last.value };
}

/** Of a canonical CIDR, as `addressRange` reads it. */
export function spanOfCidr(cidr: string): AddressSpan {
  const [address = '', bits = ''] = cidr.split('/');
  const point = parsePoint(address)!;
  const size = 1n << BigInt(bitsOf(point.family) - Number(bits));
  return { family: point.family, first: point.value, last: point.value + size - 1n };
}

/** The fewest CIDR ranges that make up the span, in its order. */
export function expandRange({ family, first, last }: AddressSpan): readonly string[] {
  const ranges: string[] = [];
  let from = first;
  while (from <= last) {
    let free = 0;
    const bits = bitsOf(family);
    while (free < bits && fits(from, free + 1, last)) free++;
    ranges.push(`${formatPoint(family, from)}/${bits - free}`);
    from += 1n << BigInt(free);
  }
  return ranges;
}

/** Whether a block of 2^free addresses begins at `from` and ends by `last`. */
function fits(from: bigint, free: number, last: bigint): boolean {
  const size = 1n << BigInt(free);
  return from % size === 0n && from + size - 1n <= last;
}

/** Every address of a canonical CIDR; null where there are more than `max`. */
export function addressesOf(cidr: string, max: number): readonly string[] | null {
  const { family, first, last } = spanOfCidr(cidr);
  if (last - first >= BigInt(max)) return null;
  return Array.from({ length: Number(last - first) + 1 }, (_, place) =>
    formatPoint(family, first + BigInt(place)),
  );
}

/** Private networks, those behind the NAT of carriers, loopback, link-local, unique local. */
const privateSpans = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
].map(spanOfCidr);

export function overlapsPrivate(cidr: string): boolean {
  const span = spanOfCidr(cidr);
  return privateSpans.some((other) => overlaps(span, other));
}

export function overlaps(a: AddressSpan, b: AddressSpan): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** How many bits an address of the family has. */
export function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** Four decimal parts or IPv6 without zone; an IPv4-mapped address is the IPv4 one. */
function parsePoint(text: string): { readonly family: 4 | 6; readonly value: bigint } | null {
  const isV4 = ipaddr.IPv4.isValidFourPartDecimal(text);
  if (!isV4 && (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)))
    return null;
  const address = ipaddr.process(text);
  const value = address.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { family: address.kind() === 'ipv4' ? 4 : 6, value };
}

/** The address as text; `value` as a span holds it. */
export function formatPoint(family: 4 | 6, value: bigint): string {
  const count = bitsOf(family) / 8;
  const bytes = Array.from({ length: count }, (_, place) =>
    Number((value >> BigInt(8 * (count - 1 - place))) & 0xffn),
  );
  return ipaddr.fromByteArray(bytes).toString();
}
