/**
 * Values under address ranges, found by address. The cost depends on the number of different prefix
 * lengths, not on the number of ranges.
 */
import ipaddr from 'ipaddr.js';

/** `ranges` are canonical CIDR; a malformed one holds nothing. */
export interface RangeEntry<Value> {
  readonly ranges: readonly string[];
  readonly value: Value;
}

interface Found<Value> {
  readonly value: Value;
  readonly bits: number;
}

export class AddressIndex<Value> {
  /** By family and prefix length, then by the bytes of the network. */
  readonly #lengths = new Map<string, { bits: number; networks: Map<string, Value[]> }>();

  constructor(entries: Iterable<RangeEntry<Value>>) {
    for (const { ranges, value } of entries) {
      for (const range of ranges) this.#add(range, value);
    }
  }

  #add(range: string, value: Value): void {
    if (!ipaddr.isValidCIDR(range)) return;
    const [address, bits] = ipaddr.parseCIDR(range);
    const length = `${address.kind()} ${bits}`;
    const known = this.#lengths.get(length) ?? { bits, networks: new Map<string, Value[]>() };
    this.#lengths.set(length, known);
    const network = networkOf(address.toByteArray(), bits);
    const values = known.networks.get(network) ?? [];
    known.networks.set(network, values);
    if (!values.includes(value)) values.push(value);
  }

  /** Longest prefix first; a value once for each range that holds the address. */
  containing(address: string): readonly Found<Value>[] {
    if (this.#lengths.size === 0 || !ipaddr.isValid(address)) return [];
    const parsed = ipaddr.process(address);
    const bytes = parsed.toByteArray();
    const found: Found<Value>[] = [];
    for (const [length, { bits, networks }] of this.#lengths) {
      if (!length.startsWith(parsed.kind())) continue;
      for (const value of networks.get(networkOf(bytes, bits)) ?? []) found.push({ value, bits });
    }
    return found.sort((a, b) => b.bits - a.bits);
  }
}

/** The first `bits` of the address as text. */
function networkOf(bytes: readonly number[], bits: number): string {
  const whole = bits >> 3;
  const rest = bits & 7;
  const kept = bytes.slice(0, whole);
  if (rest > 0) kept.push(bytes[whole]! & (0xff << (8 - rest)) & 0xff);
  return kept.join('.');
}
