/** A start cannot be asked why the policy is to ask for less: it says that it does. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { minimalConfig } from '../../test/support/sample-config.ts';
import { parseConfig } from '../config/load.ts';
import type { Log } from '../report/log.ts';
import { silentLog } from '../report/log.ts';
import type { Configuration } from './configuration.ts';
import type { KeptRevisions } from './last-in-force.ts';
import { openLastInForce } from './last-in-force.ts';
import type { PolicyObject } from '../config/policy-object.ts';
import { splitPolicy } from '../config/split-policy.ts';

const file = '/etc/postern/postern.yaml';

function configuration(connector: string): Configuration {
  const yaml = `${minimalConfig()}    outboundConnectors:\n      - { name: bank, recipientDomains: bank.test${connector} }\n`;
  const loaded = parseConfig(yaml, file);
  assert.equal(loaded.kind, 'loaded', JSON.stringify(loaded));
  const { config, policy, raw } = loaded;
  const problemAt = () => assert.fail('nothing is wrong');
  const objects = splitPolicy(raw);
  const kept = { text: yaml, objects, fileDigest: null, files: new Map() };
  return { config, policy, raw, ...kept, revision: 'x', warnings: [], problemAt };
}

const forced = configuration(', tlsSettings: EncryptionOnly');
const loose = configuration(', smartHosts: relay.test');

async function openIn(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-last-'));
  t.after(() => rm(folder, { recursive: true }));
  const warnings: { readonly fields: object; readonly text: string }[] = [];
  const warn = (fields: object, text: string): void => void warnings.push({ fields, text });
  const log: Log = { ...silentLog, warn };
  const kept = join(folder, 'last-in-force.json');
  // As the policy book has them: each configuration that is put in force makes a revision.
  const made: (readonly PolicyObject[])[] = [];
  const revisions: KeptRevisions = {
    newest: () => made.length,
    objectsAt: (revision) => made[revision - 1] ?? [],
  };
  const opened = openLastInForce(folder, { log, revisions, prove: (policy) => policy });
  const keep = (inForce: Configuration): Promise<void> => {
    made.push(inForce.objects);
    return opened.keep(inForce);
  };
  return { warnings, kept, last: { ...opened, keep } };
}

test('what asks for less than when the gateway last ran is named at the start', async (t) => {
  const { last, warnings } = await openIn(t);
  await last.tellStart(loose);
  assert.equal(warnings.length, 0, 'nothing ran before');
  await last.keep(forced);
  await last.tellStart(forced);
  assert.equal(warnings.length, 0);
  await last.tellStart(loose);
  assert.match(warnings[0]!.text, /asks for less than when the gateway last ran/);
  assert.match(JSON.stringify(warnings[0]!.fields), /bank.*encryption/);
  await last.keep(loose);
  await last.tellStart(loose);
  assert.equal(warnings.length, 1, 'said once');
});

test('the last of several reloads is what counts, and nobody else reads it', async (t) => {
  const { last, kept, warnings } = await openIn(t);
  await Promise.all([last.keep(loose), last.keep(forced)]);
  await last.tellStart(loose);
  assert.equal(warnings.length, 1);
  assert.equal((await stat(kept)).mode & 0o777, 0o600);
  assert.doesNotMatch(await readFile(kept, 'utf8'), /bank|argon2id/, 'the policy is kept once');
});

test('a file that is damaged or of another version is said to be so, and stops nothing', async (t) => {
  const { last, kept, warnings } = await openIn(t);
  for (const text of [
    '{',
    '{}',
    `{"formatVersion":1,"file":"x","revision":1,"config":{"unknown":1}}`,
  ]) {
    await writeFile(kept, text);
    await last.tellStart(forced);
  }
  assert.equal(warnings.length, 3);
  assert.ok(
    warnings.every((each) => /whether the policy asks for less is not known/.test(each.text)),
  );
  await last.keep(forced);
  await last.tellStart(loose);
  assert.match(warnings[3]!.text, /asks for less/);
});
