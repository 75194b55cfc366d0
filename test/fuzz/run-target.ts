/**
 * Runs one target: its corpus first, then inputs by grammar, inputs by none, and mutations of all
 * that showed something new.
 *
 * Everything follows from the seed and the corpus. A failure comes with its input made small.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { anyBytes } from './arbitraries.ts';
import { readCorpus } from './corpus.ts';
import { minimize } from './minimize.ts';
import { mutate } from './mutator.ts';
import { Random, seedOf } from './random.ts';
import type { FuzzTarget } from './target.ts';

export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  /** Called before each input: a watchdog then knows which one never ended. */
  readonly onInput?: (input: Buffer, index: number) => void;
  /** Called with each input whose outcome was not seen before. */
  readonly onNew?: (input: Buffer, outcome: string) => void;
}

export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  readonly corpus: number;
  readonly outcomes: number;
  readonly inputsPerSecond: number;
  /** Of one input, checks included. */
  readonly slowestMs: number;
  readonly slowestBytes: number;
  /** Heap and buffers at the end above those after the first tenth, both after a collection. */
  readonly heapGrowthBytes: number;
}

/** An input for which something did not hold; `input` is made small. */
export class FuzzFailure extends Error {
  readonly target: string;
  readonly input: Buffer;

  constructor(target: string, input: Buffer, cause: unknown) {
    const what = cause instanceof Error ? cause.message : String(cause);
    super(`${target}: ${what}\ninput: ${JSON.stringify(input.toString('latin1'))}`, { cause });
    this.target = target;
    this.input = input;
  }
}

/** Seeds that mutation starts from at most, and their length: a long one makes every child slow. */
const poolMax = 800;
const seedBytesMax = 8192;
const batchSize = 256;

export async function runTarget(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const run = new Run(target, options);
  return run.go();
}

/** The outcome of one input; rejects with a `FuzzFailure` whose input is made small. */
export async function checkInput(target: FuzzTarget, input: Buffer): Promise<string> {
  try {
    return await target.check(input);
  } catch (error) {
    const message = messageOf(error);
    const small = await minimize(input, async (candidate) => {
      try {
        await target.check(candidate);
        return false;
      } catch (other) {
        return messageOf(other) === message;
      }
    });
    let cause = error;
    try {
      await target.check(small);
    } catch (other) {
      cause = other;
    }
    throw new FuzzFailure(target.name, small, cause);
  }
}

/** The first line without values: a small input must fail in the same way, not with the same text. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n', 1)[0]!.replace(/\d+/g, '0') : 'thrown';
}

class Run {
  readonly #target: FuzzTarget;
  readonly #options: FuzzOptions;
  readonly #random: Random;
  readonly #tokens: readonly Buffer[];
  readonly #pool: Buffer[] = [];
  readonly #outcomes = new Set<string>();
  #index = 0;
  #slowestMs = 0;
  #slowestBytes = 0;

  constructor(target: FuzzTarget, options: FuzzOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = new Random(seedOf(target.name, options.seed));
    this.#tokens = target.tokens.map((token) => Buffer.from(token, 'latin1'));
  }

  async go(): Promise<FuzzReport> {
    const seeds = readCorpus(this.#target.name);
    for (const { bytes } of seeds) {
      this.#pool.push(bytes);
      await this.#try(bytes);
    }
    const warmUp = Math.ceil(this.#options.count / 10);
    await this.#tryUpTo(warmUp);
    const heapBefore = heapBytes();
    const startedAt = performance.now();
    const indexBefore = this.#index;
    await this.#tryUpTo(this.#options.count);
    const seconds = (performance.now() - startedAt) / 1000;
    const heapAfter = heapBytes();
    return {
      target: this.#target.name,
      inputs: this.#index,
      corpus: seeds.length,
      outcomes: this.#outcomes.size,
      inputsPerSecond: Math.round((this.#index - indexBefore) / Math.max(seconds, 0.001)),
      slowestMs: this.#slowestMs,
      slowestBytes: this.#slowestBytes,
      heapGrowthBytes: heapAfter - heapBefore,
    };
  }

  async #tryUpTo(end: number): Promise<void> {
    while (this.#index < end) {
      for (const input of this.#batch(Math.min(batchSize, end - this.#index))) {
        await this.#try(input);
      }
    }
  }

  /** A third by grammar, a tenth by none, the rest mutations; seven in eight of them of the pool. */
  #batch(size: number): Buffer[] {
    const structured = this.#sample(this.#target.structured, Math.ceil(size / 3));
    const arbitrary = this.#sample(anyBytes, Math.ceil(size / 10));
    const batch = [...structured, ...arbitrary].slice(0, size);
    const material = {
      pool: this.#pool,
      tokens: this.#tokens,
      sizeMax: this.#target.sizeBytesMax,
    };
    while (batch.length < size) {
      const from = this.#random.oneIn(8) ? structured : this.#pool;
      batch.push(mutate(this.#random.pick(from), this.#random, material));
    }
    return batch;
  }

  #sample(arbitrary: fc.Arbitrary<Buffer>, numRuns: number): Buffer[] {
    return fc.sample(arbitrary, { numRuns, seed: this.#random.next() | 0 });
  }

  async #try(input: Buffer): Promise<void> {
    this.#options.onInput?.(input, this.#index);
    this.#index++;
    const startedAt = performance.now();
    const outcome = await checkInput(this.#target, input);
    const tookMs = performance.now() - startedAt;
    if (tookMs > this.#slowestMs) [this.#slowestMs, this.#slowestBytes] = [tookMs, input.length];
    if (this.#outcomes.has(outcome)) return;
    this.#outcomes.add(outcome);
    this.#options.onNew?.(input, outcome);
    if (this.#pool.length < poolMax && input.length <= seedBytesMax) {
      // A copy with memory of its own: a view would keep a whole splice alive, or Node's 64 KiB slab.
      this.#pool.push(Buffer.from(new Uint8Array(input).buffer));
    }
  }
}

let collectGarbage: (() => void) | null = null;

/** What lives after a collection: the heap, and buffers outside of it. */
function heapBytes(): number {
  if (collectGarbage === null) {
    setFlagsFromString('--expose-gc');
    collectGarbage = runInNewContext('gc') as () => void;
  }
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
