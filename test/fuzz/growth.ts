/**
 * How the time of a parser grows with its input: each token of the grammar and each seed, repeated,
 * at one size and at four times that size.
 *
 * No limit in milliseconds, which would say more of the machine than of the parser: four times the
 * input may take about four times as long, in processor time. What looks too slow is measured again.
 */
import { readCorpus } from './corpus.ts';
import type { FuzzTarget } from './target.ts';

/** Four times the input in more than this many times the time: quadratic would be 16. */
const ratioMax = 9;
/** Below this nothing is told from noise, and nobody can be kept busy either. */
const floorMs = 4;
const usualBytes = 16_384;
const seedsMax = 40;
const seedsAroundMax = 4;
const attemptsMax = 5;
const measuredMs = 20;
const runsMax = 100;

/**
 * What grows too fast: which repetition and by how much; empty where nothing does. `isThorough` also
 * repeats each token in the middle of some seeds.
 */
export function findGrowth(target: FuzzTarget, isThorough: boolean): string[] {
  const seeds = readCorpus(target.name).slice(0, seedsMax);
  const found: string[] = [];
  const measure = (what: string, make: (size: number) => Buffer): void => {
    const ratio = ratioOf(target, make);
    if (ratio > ratioMax) found.push(`${what}: ${ratio.toFixed(1)} times as long`);
  };
  for (const token of target.tokens) {
    const unit = Buffer.from(token, 'latin1');
    measure(`${JSON.stringify(token)} repeated`, (size) => repeat(unit, size));
    for (const { name, bytes } of isThorough ? seeds.slice(0, seedsAroundMax) : []) {
      measure(`${JSON.stringify(token)} repeated in ${name}`, (size) => within(bytes, unit, size));
    }
  }
  for (const { name, bytes } of seeds) {
    if (bytes.length > 0) measure(`seed ${name} repeated`, (size) => repeat(bytes, size));
  }
  return found;
}

/** How many times as long four times the input takes; 0 where that is no time worth a word. */
function ratioOf(target: FuzzTarget, make: (size: number) => Buffer): number {
  const size = target.growthBytes ?? usualBytes;
  const [small, large] = [make(size), make(4 * size)];
  const startedAt = performance.now();
  target.parse(large);
  if (performance.now() - startedAt < floorMs) return 0;
  let ratio = Infinity;
  for (let attempt = 0; attempt < attemptsMax && ratio > ratioMax; attempt++) {
    const [largeMs, smallMs] = [cpuMs(target, large), cpuMs(target, small)];
    if (largeMs < floorMs) return 0;
    ratio = Math.min(ratio, largeMs / Math.max(smallMs, floorMs / 16));
  }
  return ratio;
}

/** Of this thread, which other programs do not lengthen; the mean of enough runs for a coarse clock. */
function cpuMs(target: FuzzTarget, input: Buffer): number {
  const before = process.threadCpuUsage();
  let ms = 0;
  let runs = 0;
  while (ms < measuredMs && runs < runsMax) {
    target.parse(input);
    runs++;
    const { user, system } = process.threadCpuUsage(before);
    ms = (user + system) / 1000;
  }
  return ms / runs;
}

function repeat(unit: Buffer, size: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(size / unit.length) }, () => unit));
}

/** The unit repeated in the middle of a seed. */
function within(seed: Buffer, unit: Buffer, size: number): Buffer {
  const middle = seed.length >> 1;
  return Buffer.concat([seed.subarray(0, middle), repeat(unit, size), seed.subarray(middle)]);
}
