import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { describeApi } from './openapi.ts';

const file = new URL('../../docs/openapi.json', import.meta.url);

// POSTERN_WRITE_DOCS=1 node --test src/api/openapi.test.ts && npx prettier --write docs/openapi.json
test('docs/openapi.json is the document that the gateway serves', async () => {
  const document = JSON.parse(JSON.stringify(describeApi())) as unknown;
  if (process.env['POSTERN_WRITE_DOCS'] === '1') {
    await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  }
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), document);
});

test('what may be absent is not required, such as what mail of an earlier program lacks', () => {
  const may = new Set(['ownServer', 'isForced', 'fromOrganization', 'isCertificateRequested']);
  const required: string[] = [];
  JSON.stringify(describeApi(), (key, value: unknown) => {
    if (key === 'required' && Array.isArray(value)) required.push(...(value as string[]));
    return value;
  });
  assert.ok(required.length > 100);
  assert.deepEqual(
    required.filter((name) => may.has(name)),
    [],
  );
});

test('every operation has an id, a summary and says how it fails', () => {
  for (const [path, methods] of Object.entries(describeApi().paths ?? {})) {
    for (const operation of [methods.get, methods.post]) {
      if (operation === undefined) continue;
      assert.ok(operation.operationId && operation.summary, path);
      assert.ok(operation.responses?.['default'], path);
    }
  }
});

test('a named schema that may be null says so in a way that null meets', () => {
  // allOf with { type: [object, null] } is what the generator makes of nullable(), and refuses null.
  const text = JSON.stringify(describeApi());
  assert.doesNotMatch(text, /"allOf":\[\{"\$ref":[^\]]*"null"/);
  assert.match(
    text,
    /"outbound":\{"anyOf":\[\{"\$ref":"#\/components\/schemas\/OutboundDecision"\}/,
  );
});

test('a name stands for one schema: what keeps mailboxes as a hop is no object of the policy', () => {
  const { schemas = {} } = describeApi().components ?? {};
  const keysOf = (name: string): string[] => {
    const { properties = {} } = schemas[name] as { readonly properties?: object };
    return Object.keys(properties);
  };
  assert.ok(keysOf('DeliveryTarget').includes('tlsDomain'));
  assert.ok(keysOf('HandOverTarget').includes('tlsDomains'));
});
