/** Whether an address lies in any of the CIDR ranges; v4-mapped IPv6 counts as IPv4. */
import ipaddr from 'ipaddr.js';

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

const ranges = new WeakMap<readonly string[], readonly Range[]>();

/** `cidrs` are canonical, as the configuration stores them; a malformed one matches nothing. */
export function isInRanges(address: string, cidrs: readonly string[]): boolean {
  if (cidrs.length === 0 || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return rangesOf(cidrs).some(
    ([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits),
  );
}

function rangesOf(cidrs: readonly string[]): readonly Range[] {
  const known = ranges.get(cidrs);
  if (known !== undefined) return known;
  const parsed = cidrs.filter((cidr) => ipaddr.isValidCIDR(cidr)).map((c) => ipaddr.parseCIDR(c));
  ranges.set(cidrs, parsed);
  return parsed;
}
