import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { renderCmdletDocs } from './cmdlets-manual.ts';

const file = new URL('../../../docs/cmdlets.md', import.meta.url);

test('docs/cmdlets.md says what the tables of the cmdlets say', async () => {
  const manual = renderCmdletDocs();
  if (process.env['POSTERN_WRITE_DOCS'] === '1') await writeFile(file, manual);
  assert.equal(await readFile(file, 'utf8'), manual);
});
