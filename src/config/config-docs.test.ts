import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { renderConfigDocs } from './config-docs.ts';
import { schemaKeys } from './schema-walk.ts';

test('docs/config.md is current: node scripts/write-config-docs.ts writes it', async () => {
  const written = await readFile(new URL('../../docs/config.md', import.meta.url), 'utf8');
  assert.equal(written, renderConfigDocs());
});

test('every key says what it means and how its value is written', () => {
  for (const { path, kind, meta } of schemaKeys) {
    assert.ok(meta.description?.endsWith('.'), path);
    assert.ok(kind !== 'value' || (meta.form ?? '').length > 3, path);
  }
});

test('every key of a section is in the document under its name', () => {
  const text = renderConfigDocs();
  for (const { key } of schemaKeys) assert.ok(text.includes(`- \`${key}\`:`), key);
});
