/** What `doctor` says of domains. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  domain,
  newFolder,
  organization,
  startDomainRig,
  startProven,
} from '../../../test/support/domain-rig.ts';
import type { DomainRig } from '../../../test/support/domain-rig.ts';
import type { Finding } from '../../cli/offline-doctor.ts';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import { foldersOf } from '../data-folder.ts';
import { openProvenBook } from '../domains/proven-book.ts';
import { checkDomains } from './check-domains.ts';
import { examine } from './doctor.ts';

async function check(rig: DomainRig): Promise<readonly Finding[]> {
  const book = await openProvenBook(rig.folder);
  return checkDomains({ ...rig.reloader.inForce, book });
}

const levels = (findings: readonly Finding[]): string[] => findings.map(({ level }) => level);

test('an unproven domain fails with what to publish, and before the others', async (t) => {
  const findings = await check(await startDomainRig(t));
  assert.deepEqual(levels(findings), ['fail', 'ok']);
  assert.match(findings[0]!.text, /mail for it is put off/);
  assert.match(findings[0]!.whatToDo!, /postern domain list/);
});

test('a proven domain is well, and so is each where nothing is asked', async (t) => {
  assert.deepEqual(levels(await check(await startProven(t))), ['ok', 'ok']);
  assert.deepEqual(levels(await check(await startDomainRig(t, { verification: 'off' }))), [
    'ok',
    'ok',
  ]);
});

test('a damaged file of what was proven fails', async (t) => {
  const rig = await startDomainRig(t);
  await writeFile(foldersOf(rig.folder).provenDomains, '{');
  assert.deepEqual(levels(await check(rig)), ['fail', 'fail', 'ok']);
});

async function examineWhole(folder: string): Promise<readonly Finding[]> {
  const configFile = join(folder, 'postern.yaml');
  const text = minimalConfig(folder)
    .replaceAll('example.test', domain)
    .replace('id: example', `id: ${organization}`)
    .replace('organizations:', 'dns: { servers: 127.0.0.1:9, timeout: 100ms }\norganizations:');
  await writeFile(configFile, text);
  return examine({ configFile, gateway: null }, () => undefined);
}

test('the whole examination reads what was proven from the data folder', async (t) => {
  const unproven = await examineWhole(await newFolder(t));
  const of = (found: readonly Finding[]): string[] =>
    levels(found.filter(({ area }) => area === 'domain'));
  assert.deepEqual(of(unproven), ['fail']);
  const { folder } = await startProven(t);
  assert.deepEqual(of(await examineWhole(folder)), ['ok']);
});
