import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeFolder, run, startFakeGateway } from '../../../test/support/command-line.ts';
import type { CliResult } from '../../../test/support/command-line.ts';
import type { DoctorQuestion, Finding } from '../offline-doctor.ts';

const ok: Finding = { area: 'disk', subject: 'disk', level: 'ok', text: 'room', whatToDo: null };
const warn: Finding = { ...ok, level: 'warn', text: 'little room', whatToDo: 'free some' };
const fail: Finding = { ...warn, level: 'fail', subject: '/data\u001b[2J' };
const broken: Finding = { ...fail, area: 'configuration' };

async function doctor(
  t: TestContext,
  findings: readonly Finding[],
  words: readonly string[] = [],
): Promise<CliResult & { readonly question: DoctorQuestion }> {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'postern.yaml'), 'broken');
  let question: DoctorQuestion | null = null;
  const examine = async (asked: DoctorQuestion) => {
    question = asked;
    return findings;
  };
  const surroundings = { offline: { examine }, io: { workingFolder: folder } };
  const result = await run(['doctor', ...words], surroundings);
  return { ...result, question: question! };
}

test('each finding with what to do, then how many there are', async (t) => {
  const { stdout, code } = await doctor(t, [ok, warn, { ...ok, level: 'unknown' }]);
  assert.equal(code, 0);
  assert.equal(
    stdout,
    'ok    disk: room\nWARN  disk: little room\n      → free some\n?     disk: room\n\n1 ok, 1 to look at, 0 failed, 1 not known\n',
  );
});

test('a failure is an exit code: 78 for the configuration, else 69', async (t) => {
  const failed = await doctor(t, [ok, fail]);
  assert.equal(failed.code, 69);
  assert.doesNotMatch(failed.stdout, /\u001b/);
  assert.equal((await doctor(t, [fail, broken])).code, 78);
  const json = await doctor(t, [fail], ['--json']);
  assert.deepEqual(JSON.parse(json.stdout), { formatVersion: 1, findings: [fail] });
  assert.equal(json.code, 69);
});

test('no gateway, or a configuration that cannot be read, is no reason to stop', async (t) => {
  const { question } = await doctor(t, []);
  assert.equal(question.gateway, null);
  const elsewhere = await doctor(t, [], ['--socket', '/nowhere/api.sock']);
  assert.equal(elsewhere.question.gateway, null);
});

test('the running gateway is asked for its status and the age of its queue', async (t) => {
  const { folder, socketPath } = await startFakeGateway(t);
  await writeFile(join(folder, 'postern.yaml'), '');
  let question: DoctorQuestion | null = null;
  const examine = async (asked: DoctorQuestion) => {
    question = asked;
    return [];
  };
  const surroundings = { offline: { examine }, io: { workingFolder: folder } };
  assert.equal((await run(['doctor', '--socket', socketPath], surroundings)).code, 0);
  const { gateway } = question!;
  assert.equal(typeof gateway!.status.hostName, 'string');
  assert.match(String(gateway!.oldestReceivedAt), /^(20|null)/);
});
