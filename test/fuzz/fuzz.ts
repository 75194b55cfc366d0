#!/usr/bin/env node
/**
 * `npm run fuzz`: every parser with many inputs, one target after the other, and a table of what was
 * seen. README.md beside it says more.
 *
 *   npm run fuzz -- --count 200000 --target command --target reply --seed 7 --keep 20
 */
import { parseArgs } from 'node:util';
import { keepInput } from './corpus.ts';
import { findGrowth } from './growth.ts';
import type { FuzzReport } from './run-target.ts';
import { allTargets, findTarget } from './targets/all-targets.ts';
import type { FuzzTarget } from './target.ts';
import { runWatched } from './watched-run.ts';

const heapGrowthBytesMax = 16 * 1024 * 1024;
const keptInputBytesMax = 512;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200000' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 1000)) },
    target: { type: 'string', multiple: true },
    keep: { type: 'string', default: '0' },
    list: { type: 'boolean', default: false },
  },
});

function chooseTargets(): readonly FuzzTarget[] {
  if (values.target === undefined) return allTargets;
  return values.target.map((name) => {
    const target = findTarget(name);
    if (target !== null) return target;
    const names = allTargets.map((each) => each.name).join(', ');
    console.error(`no target ${name}; there are: ${names}`);
    process.exit(64);
  });
}

function numberOf(option: 'count' | 'seed' | 'keep', min: number): number {
  const number = Number(values[option]);
  if (Number.isSafeInteger(number) && number >= min) return number;
  console.error(`--${option} is a whole number from ${min}, not ${values[option]}`);
  return process.exit(64);
}

const row = (...cells: string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(11))).join('');

function describe(report: FuzzReport): string {
  return row(
    report.target,
    String(report.inputs),
    String(report.inputsPerSecond),
    String(report.corpus),
    String(report.outcomes),
    `${report.slowestMs.toFixed(1)} ms`,
    `${report.slowestBytes} B`,
    `${(report.heapGrowthBytes / 1024).toFixed(0)} KiB`,
  );
}

/** False where something does not hold. */
async function fuzz(target: FuzzTarget, count: number, seed: number): Promise<boolean> {
  let left = numberOf('keep', 0);
  const result = await runWatched({ name: target.name, count, seed }, (input) => {
    if (left-- > 0 && input.length <= keptInputBytesMax) keepInput(target.name, 'seen', input);
  });
  if (result.kind !== 'done') {
    console.error(`${target.name} ${result.kind}: ${result.text}`);
    console.error(`kept as ${keepInput(target.name, 'found', result.input)}; seed ${seed}`);
    return false;
  }
  console.log(describe(result.report));
  const problems = findGrowth(target, true).map((text) => `time grows too fast: ${text}`);
  if (result.report.heapGrowthBytes > heapGrowthBytesMax) problems.push('the heap grows');
  for (const problem of problems) console.error(`${target.name}: ${problem}`);
  return problems.length === 0;
}

const targets = chooseTargets();
const [count, seed] = [numberOf('count', 1), numberOf('seed', 0)];
if (values.list) {
  for (const { name, files } of targets) console.log(`${name.padEnd(20)} ${files.join(' ')}`);
} else {
  console.log(`seed ${seed}`);
  console.log(row('target', 'inputs', 'per second', 'corpus', 'outcomes', 'slowest', 'of', 'heap'));
  let isSound = true;
  for (const target of targets) isSound = (await fuzz(target, count, seed)) && isSound;
  if (!isSound) process.exitCode = 1;
}
