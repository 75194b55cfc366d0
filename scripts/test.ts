/**
 * Runs the test suite: `npm test`, or `npm test -- src/smtp` for a part.
 *
 * Tests whose peer (Postfix, Exim, swaks …) is missing on this machine skip with a reason. With
 * POSTERN_NO_SKIPS=1, as in CI, a skipped test fails the run.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(`Postern's tests need Node 24.15 or newer; this is ${process.versions.node}.`);
  console.error('Run `npm ci` first: it brings Node 24 for the npm scripts of this checkout.');
  process.exit(1);
}

// Some thousand processes load the same sources: they are stripped of types and compiled once.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/compile');

const parts = process.argv.slice(2);
const roots = parts.length > 0 ? parts : ['src', 'test', 'scripts', 'benchmarks'];
const patterns = roots.map((root) => (root.endsWith('.ts') ? root : `${root}/**/*.test.ts`));
const skipped: string[] = [];
let failed = 0;
let passed = 0;

const events = run({
  globPatterns: patterns,
  // Many tests wait for a peer or for a time to pass: one more than there are processors.
  concurrency: availableParallelism() + 1,
  timeout: 10 * 60_000,
});
events.on('test:pass', ({ name, skip, todo, details }) => {
  if (details.type === 'suite') return;
  if (skip !== undefined || todo !== undefined) skipped.push(`${name}: ${String(skip ?? todo)}`);
  else passed += 1;
});
events.on('test:fail', () => {
  failed += 1;
});
events.on('end', () => {
  if (skipped.length > 0) {
    console.log(`\n${skipped.length} skipped:`);
    for (const line of skipped) console.log(`  ${line}`);
  }
  if (passed === 0 && failed === 0) console.error('No test was found.');
  const mayNotSkip = process.env['POSTERN_NO_SKIPS'] === '1' && skipped.length > 0;
  if (mayNotSkip) console.error('POSTERN_NO_SKIPS=1: skipped tests fail this run.');
  if (failed > 0 || passed === 0 || mayNotSkip) process.exitCode = 1;
});
events.compose(spec).pipe(process.stdout);
