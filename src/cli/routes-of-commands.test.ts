/** docs/api.md says of every command which route it is, or why it is none. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const docs = join(import.meta.dirname, '../../docs');
const read = (name: string): Promise<string> => readFile(join(docs, name), 'utf8');

test('every command stands in the table, and every route of it exists', async () => {
  const commands = [...(await read('cli.md')).matchAll(/^## postern (.+)$/gm)].map(([, it]) => it!);
  const page = await read('api.md');
  const [, section = ''] = page.split('## What the command line does, as routes');
  const rows = [...section.matchAll(/^\| (`.*?) +\| (.*?) +\|$/gm)].slice(1);
  const listed = rows.flatMap(([, cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map(([, it]) => it!));
  // The help of `export` is that of the group it stands for.
  assert.deepEqual(listed.toSorted(), [...commands, 'export'].toSorted());
  const document = JSON.parse(await read('openapi.json')) as { readonly paths: object };
  const paths = new Set(Object.keys(document.paths));
  const routes = rows.flatMap(([, , cell]) =>
    [...cell!.matchAll(/\/v1\/[^\s`]+/g)].map(([it]) => it),
  );
  assert.ok(routes.length > 40);
  assert.deepEqual(
    routes.filter((route) => !paths.has(route)),
    [],
  );
});
