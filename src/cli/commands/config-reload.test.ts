import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigProblem } from '../../config/problem.ts';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';

const problems: readonly ConfigProblem[] = [
  {
    file: '/etc/postern/postern.yaml',
    line: 3,
    column: 1,
    key: 'lanes',
    text: 'needs a restart: \u001b[31mit is 1',
    suggestion: null,
    severity: 'error',
  },
  {
    file: '/etc/postern/postern.yaml',
    line: 9,
    column: 5,
    key: 'dns.timeOut',
    text: 'unknown key',
    suggestion: 'timeout',
    severity: 'error',
  },
];

test('a reload says what is in force, and how long it took', async (t) => {
  const view = {
    configRevision: '5a0c11e7b2d4',
    policyRevision: '8c1f00d2a1b2',
    loadedAt: '2026-11-22T10:01:00.000Z',
    tookMs: 41,
    warnings: [{ ...problems[1]!, severity: 'warning' as const }],
  };
  const reloadConfig = async () => ({ kind: 'reloaded', view }) as const;
  const { folder } = await startFakeGateway(t, { reloadConfig });
  const io = { workingFolder: folder };
  const text = await run(['config', 'reload'], { io });
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /postern\.yaml:9:5: warning: dns\.timeOut: unknown key/);
  assert.match(text.stdout, /after 41 ms: configuration 5a0c11e7b2d4, policy 8c1f00d2a1b2/);
  const json = await run(['config', 'reload', '--json'], { io });
  assert.deepEqual(JSON.parse(json.stdout), { formatVersion: 1, kind: 'reloaded', ...view });
});

test('a refused reload exits with 78 and names every place; nothing reaches the terminal raw', async (t) => {
  const reloadConfig = async () => ({ kind: 'refused', problems }) as const;
  const { folder } = await startFakeGateway(t, { reloadConfig });
  const io = { workingFolder: folder };
  const text = await run(['config', 'reload'], { io });
  assert.equal(text.code, 78);
  assert.equal(text.stdout, '');
  assert.match(text.stderr, /postern\.yaml:3:1: lanes: needs a restart/);
  assert.match(text.stderr, /postern\.yaml:9:5: .*did you mean "timeout"/);
  assert.match(text.stderr, /refused, 2 problems; the last good configuration stays in force/);
  assert.ok(!text.stderr.includes('\u001b'));
  const json = await run(['config', 'reload', '--json'], { io });
  assert.equal(json.code, 78);
  assert.deepEqual(JSON.parse(json.stdout), { formatVersion: 1, kind: 'refused', problems });
});

test('a dry run says what a reload would do, and what it would ask a reason for', async (t) => {
  const check = {
    formatVersion: 1,
    kind: 'differs',
    policyRevision: '8c1f00d2a1b2',
    problems: [{ ...problems[1]!, severity: 'warning' }],
    weaker: ['the outbound connector "a\u001b[31m" no longer requires encryption'],
  } as const;
  const checkConfig = async () => ({
    ...check,
    problems: [...check.problems],
    weaker: [...check.weaker],
  });
  const { folder } = await startFakeGateway(t, { checkConfig });
  const io = { workingFolder: folder };
  const text = await run(['config', 'reload', '--dry-run'], { io });
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /postern\.yaml:9:5: warning: dns\.timeOut: unknown key/);
  assert.match(text.stdout, /policy 8c1f00d2a1b2, .*--reason.*\n {2}the outbound connector "a/);
  assert.ok(!text.stdout.includes('\u001b'));
  const json = await run(['config', 'reload', '--dry-run', '--json'], { io });
  assert.deepEqual(JSON.parse(json.stdout), check);
});

test('a dry run exits with 78 for what a reload would not take', async (t) => {
  for (const [kind, words] of [
    ['refused', /would refuse it/],
    ['needs-restart', /Only a restart/],
  ] as const) {
    const checkConfig = async () => ({
      formatVersion: 1 as const,
      kind,
      policyRevision: null,
      problems: [...problems],
      weaker: [],
    });
    const { folder } = await startFakeGateway(t, { checkConfig });
    const io = { workingFolder: folder };
    const text = await run(['config', 'reload', '--dry-run'], { io });
    assert.equal(text.code, 78);
    assert.match(text.stdout, words);
    const json = await run(['config', 'reload', '--dry-run', '--json'], { io });
    assert.equal(json.code, 78);
  }
});

test('status shows what is in force since when, and the reload that was refused', async (t) => {
  const { sampleStatus } = await import('../../../test/support/api-services.ts');
  const lastRefusedReload = { at: '2026-11-22T10:01:30.000Z', problems: [...problems] };
  const status = async () => ({ ...sampleStatus, lastRefusedReload });
  const { folder } = await startFakeGateway(t, { status });
  const shown = await run(['status'], { io: { workingFolder: folder } });
  assert.match(shown.stdout, /revision 5a0c11e7b2d4, .*in force since 2026-11-22T10:00:00\.000Z/);
  assert.match(shown.stdout, /the reload of 2026-11-22T10:01:30\.000Z was refused/);
  assert.match(shown.stdout, /postern\.yaml:3:1: lanes/);
});
