/**
 * Which addresses ranges hold together: what one list has beyond another, and single addresses that
 * stand for all.
 */
import type { AddressSpan } from './address-span.ts';
import { bitsOf, formatPoint, spanOfCidr } from './address-span.ts';

/** Those of `ranges` that are not wholly in what `known` holds together. Canonical CIDR. */
export function addedRanges(known: readonly string[], ranges: readonly string[]): string[] {
  const spans = mergedSpans(known);
  return ranges.filter((range) => {
    const span = spanOfCidr(range);
    return !spans.some((outer) => isWithin(span, outer));
  });
}

/** Whether all of the first lies in the second. */
function isWithin(inner: AddressSpan, outer: AddressSpan): boolean {
  return inner.family === outer.family && inner.first >= outer.first && inner.last <= outer.last;
}

/** Addresses that stand for all others, whatever it is that ranges decide. */
export class AddressParts {
  /** Of each family where a range begins, and where one has ended, in order. */
  readonly #limits: Readonly<Record<4 | 6, readonly bigint[]>>;
  /** Of each family the first address that none of the ranges holds; none where they hold all. */
  readonly outside: readonly string[];

  constructor(ranges: readonly string[]) {
    const spans = ranges.map(spanOfCidr);
    const limitsOf = (family: 4 | 6): bigint[] => {
      const own = spans.filter((span) => span.family === family);
      const limits = new Set(own.flatMap(({ first, last }) => [first, last + 1n]));
      return [...limits].sort(inSize);
    };
    this.#limits = { 4: limitsOf(4), 6: limitsOf(6) };
    this.outside = addressesOutside(ranges);
  }

  /** One for each part into which the ranges divide these, which are of them. */
  within(ranges: readonly string[]): readonly string[] {
    const found = new Set<string>();
    for (const { family, first, last } of mergedSpans(ranges)) {
      const limits = this.#limits[family];
      for (let at = placeOf(first, limits); at < limits.length && limits[at]! <= last; at++) {
        found.add(formatPoint(family, limits[at]!));
      }
    }
    return [...found];
  }
}

/** Where in the list, which is in order, the first number stands that is not smaller. */
function placeOf(value: bigint, list: readonly bigint[]): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (list[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

function addressesOutside(ranges: readonly string[]): readonly string[] {
  const spans = mergedSpans(ranges);
  return ([4, 6] as const).flatMap((family) => {
    const first = spans.find((span) => span.family === family && span.first === 0n);
    const value = first === undefined ? 0n : first.last + 1n;
    return value >> BigInt(bitsOf(family)) > 0n ? [] : [formatPoint(family, value)];
  });
}

/** In order; those that touch are one. */
function mergedSpans(ranges: readonly string[]): readonly AddressSpan[] {
  const spans = ranges.map(spanOfCidr).sort(inOrder);
  const merged: AddressSpan[] = [];
  for (const span of spans) {
    const before = merged.at(-1);
    if (before?.family !== span.family || span.first > before.last + 1n) merged.push(span);
    else if (span.last > before.last) merged.splice(-1, 1, { ...before, last: span.last });
  }
  return merged;
}

function inOrder(a: AddressSpan, b: AddressSpan): number {
  return a.family - b.family || inSize(a.first, b.first);
}

function inSize(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
