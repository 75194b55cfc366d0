/** What moves in from Exchange and from Postfix goes into a running gateway as the import made it, and comes out the same. */
import assert from 'node:assert/strict';
import { cp, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { chainPem } from '../../src/testing/certificates.ts';
import { run } from '../support/command-line.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewayCa, gatewayLeaf, gatewaySetup } from '../support/gateway-config.ts';

const fixtures = fileURLToPath(new URL('../support/move-in/', import.meta.url));

let gateway: RunningGateway;

before(async () => {
  // Nobody answers there: what is named need not be found.
  const dns = { servers: '127.0.0.1:9', timeout: '100ms' };
  const { config, files } = await gatewaySetup({ top: { dns } });
  const { organizations: _organizations, ...bare } = config as Record<string, unknown>;
  gateway = await startGateway({ config: bare, files });
});
after(() => gateway?.remove());

/** In this process: the gateway is asked by its socket, as any command asks it. */
async function postern(expected: number, ...words: readonly string[]): Promise<string> {
  const io = { workingFolder: gateway.folder, nowMs: Date.now };
  const { code, stdout, stderr } = await run(words, { io });
  assert.equal(code, expected, `${words.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** Applied, nothing is left to change, whether or not what the file lacks is to go. */
async function applies(file: string, ...words: readonly string[]): Promise<void> {
  const applied = await postern(0, 'apply', '-f', file, '--yes', ...words);
  assert.match(applied, /^In force as revision /m);
  await changesNothing(file);
  const exported = await postern(0, 'export');
  const imported = await readFile(join(gateway.folder, file), 'utf8');
  assert.deepEqual(organizationsOf(exported), organizationsOf(imported));
  await writeFile(join(gateway.folder, 'exported.yaml'), exported);
  await changesNothing('exported.yaml');
  assert.match(await postern(0, 'apply', '-f', 'exported.yaml'), /^Nothing to change; /m);
  assert.equal(await postern(0, 'export'), exported);
}

async function changesNothing(file: string): Promise<void> {
  for (const prune of [[], ['--prune', '--prune-organizations']]) {
    const planned = await postern(0, 'plan', '-f', file, ...prune);
    assert.match(planned, /^Nothing would change\.$/m);
  }
}

function organizationsOf(flow: string): unknown {
  return (parse(flow) as { readonly organizations: unknown }).organizations;
}

test('an import from Exchange is applied, and then nothing would change', async () => {
  const folder = join(fixtures, 'exchange');
  const names = (await readdir(folder)).filter((name) => !/^(?:report|flow)\./.test(name));
  const files = names.map((name) => join(folder, name));
  await postern(2, 'import', 'exchange', ...files, '--output', 'exchange.yaml');
  await applies('exchange.yaml', '--reason', 'these servers may relay');
});

test('an import from Postfix takes its place, with its certificates, and then nothing would change', async () => {
  const folder = join(gateway.folder, 'postfix');
  await cp(join(fixtures, 'postfix'), folder, { recursive: true });
  // The files that it names lie elsewhere here.
  await replaceIn(join(folder, 'main.cf'), /^cert = .*$/m, `cert = ${folder}`);
  await replaceIn(join(folder, 'tls_policy'), /\/etc\/postfix\/partners\//g, `${folder}/`);
  await writeFile(join(folder, 'fullchain.pem'), chainPem(gatewayLeaf, gatewayCa));
  await writeFile(join(folder, 'privkey.pem'), gatewayLeaf.keyPem, { mode: 0o600 });
  await writeFile(join(folder, 'ca.pem'), chainPem(gatewayCa));
  const file = join(folder, 'main.cf');
  await postern(2, 'import', 'postfix', file, '--organization', 'north', '--output', 'north.yaml');
  await applies('north.yaml', '--prune', '--prune-organizations', '--reason', 'Postfix counts');
});

async function replaceIn(file: string, what: RegExp, by: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const replaced = text.replace(what, by);
  assert.notEqual(replaced, text, file);
  await writeFile(file, replaced);
}
