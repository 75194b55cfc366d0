/** With --profile the gateway elsewhere answers what it can, and its records are read where it cannot. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { doorCa, openDoor } from '../../../test/support/api-door.ts';
import type { CliResult } from '../../../test/support/command-line.ts';
import { makeFolder, run } from '../../../test/support/command-line.ts';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import { replayedSchema } from '../../api/contract/replay.ts';
import { readinessSchema } from '../../api/contract/readiness.ts';
import type { ApiServices } from '../../api/services.ts';
import { Failure } from '../../mail/failure.ts';

type Say = (...words: readonly string[]) => Promise<CliResult>;

/** A gateway on the network, called `clinic`; here lies another configuration. */
async function elsewhere(t: TestContext, services: Partial<ApiServices>): Promise<Say> {
  const folder = await makeFolder(t);
  const door = await openDoor(t, { hostNames: ['127.0.0.1'], services });
  await writeFile(join(folder, 'token'), 'right-token\n', { mode: 0o600 });
  await writeFile(join(folder, 'ca.pem'), doorCa.pem);
  await writeFile(join(folder, 'postern.yaml'), minimalConfig());
  const io = { workingFolder: folder, env: { HOME: folder } };
  const say: Say = (...words) => run(words, { io });
  const url = `https://127.0.0.1:${door.port}`;
  const words = ['--url', url, '--token-file', 'token', '--ca-file', 'ca.pem'];
  assert.equal((await say('profile', 'add', 'clinic', ...words)).code, 0);
  return say;
}

const read = { since: '2026-11-15T00:00:00.000Z', oldestAt: null };
const tooMuch = async (): Promise<never> => {
  throw new Failure('api-timeout', 'too many days', { wireText: 'too many days' });
};

test('connector readiness', async (t) => {
  const asked: unknown[] = [];
  const result = {
    direction: 'outbound' as const,
    organization: 'contoso',
    met: 3,
    unmet: 0,
    undecided: 0,
    modes: { enforce: 0, warn: 0, observe: 3 },
    policyRevisions: 1,
    failures: [],
    failuresLeftOut: 0,
    isReady: true,
  };
  const answer = {
    formatVersion: 1 as const,
    name: 'partner',
    days: 9,
    ...read,
    results: [result],
  };
  const say = await elsewhere(t, {
    readReadiness: async (query) => {
      asked.push(query);
      return answer;
    },
  });
  const words = ['connector', 'readiness', 'partner', '--days', '9', '--profile', 'clinic'];
  const json = await say(...words, '--json');
  assert.equal(json.code, 0, json.stderr);
  assert.deepEqual(readinessSchema.parse(JSON.parse(json.stdout)), answer);
  assert.match((await say(...words)).stdout, /connector partner of contoso: 3 of 3/);
  assert.deepEqual(asked[0], { name: 'partner', days: 9 });
  const slow = await elsewhere(t, { readReadiness: tooMuch });
  // Read page by page then: there are none.
  assert.match((await slow(...words)).stderr, /there is no connector partner/);
});

test('replay', async (t) => {
  const asked: unknown[] = [];
  const view = replayedSchema.parse({
    formatVersion: 1,
    policyRevision: 'abc',
    days: 7,
    ...read,
    messages: 2,
    refusals: 0,
    changed: 1,
    undecidedOnly: 0,
    kinds: [],
    groups: [],
    groupsLeftOut: 0,
    undecided: [],
    changes: [],
    changesLeftOut: 0,
  });
  const say = await elsewhere(t, {
    replay: async ({ config, days }) => {
      asked.push([config, days]);
      return { kind: 'replayed', view };
    },
  });
  const words = ['replay', '--config', 'postern.yaml', '--profile', 'clinic'];
  const json = await say(...words, '--json');
  assert.equal(json.code, 2, json.stderr);
  const { file, ...rest } = JSON.parse(json.stdout) as { readonly file: string };
  assert.match(file, /postern\.yaml$/);
  assert.deepEqual(rest, view);
  assert.deepEqual(asked, [[minimalConfig(), 7]]);
  const slow = await elsewhere(t, {
    replay: tooMuch,
    readRecords: async () => ({ traces: [], facts: [], next: null }),
  });
  assert.match((await slow(...words)).stdout, /Nothing is recorded in this time/);
});

test('cert show, all and one', async (t) => {
  const certificate = {
    formatVersion: 1 as const,
    problem: null,
    certificates: [],
    keyFits: true,
    trustedBy: null,
    trustDetail: 'no path',
    usedBy: ['listener mx'],
  };
  const object = { kind: 'certificate' as const, organization: null, value: {}, place: 0 };
  const rest = { revision: 1, etag: '"1"', changedAt: read.since, changedBy: 'ada' };
  const say = await elsewhere(t, {
    readCertificate: async (name) => ({ ...certificate, name }),
    listObjects: async (_of, { after }) => {
      const name = after === undefined ? 'first' : 'second';
      const objects = [{ ...object, ...rest, name, effective: {} }];
      return { formatVersion: 1, revision: 1, objects, next: after === undefined ? '1' : null };
    },
  });
  const all = await say('cert', 'show', '--profile', 'clinic');
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stdout, /^first\n[^]*\nsecond\n {2}key/);
  const one = await say('cert', 'show', 'server', '--profile', 'clinic', '--json');
  assert.deepEqual(JSON.parse(one.stdout), {
    formatVersion: 1,
    certificates: [
      {
        name: 'server',
        problem: null,
        certificates: [],
        keyFits: true,
        trustedBy: null,
        trustDetail: 'no path',
        usedBy: ['listener mx'],
        file: null,
      },
    ],
  });
});
