import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { foldersOf } from '../data-folder.ts';
import { listOthers } from './what-to-copy.ts';

test('what was proven of domains, and the secret of their tokens, belong into a backup', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-copy-'));
  t.after(() => rm(folder, { recursive: true }));
  const { provenDomains, verificationSecret, crashNote } = foldersOf(folder);
  for (const file of [provenDomains, verificationSecret, crashNote(0)]) await writeFile(file, '');
  const found: string[] = [];
  for await (const { path } of listOthers(folder)) found.push(path);
  assert.deepEqual(found.sort(), ['data/domain-verification.key', 'data/proven-domains.json']);
});
