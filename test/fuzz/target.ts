/** What is fuzzed: a parser, what it reads, and what must hold for every input. */
import type * as fc from 'fast-check';

/**
 * What happened, in a few words: kind of result, reason of a refusal. An input whose outcome is new
 * becomes a seed of further mutations, so there should be tens of outcomes, not thousands.
 */
export type Outcome = string;

export interface FuzzTarget {
  /** Names the folder of its corpus. */
  readonly name: string;
  /** The files under test, from the root of the checkout. */
  readonly files: readonly string[];
  /** Inputs by the grammar, most of them right. */
  readonly structured: fc.Arbitrary<Buffer>;
  /** Words of the grammar, in latin1: inserted where they do not belong, repeated to find slow ones. */
  readonly tokens: readonly string[];
  /** Longest input that is mutated; above what the product reads where that is bounded. */
  readonly sizeBytesMax: number;
  /** Throws where something does not hold. */
  check(input: Buffer): Outcome | Promise<Outcome>;
  /** The size, and four times it, at which the growth of time is measured; absent: 16 KiB. */
  readonly growthBytes?: number;
  /** The product's part of `check` alone, for measuring how time grows with the input. */
  parse(input: Buffer): unknown;
}
