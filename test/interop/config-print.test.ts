/** `config print` on a started gateway: what it prints is what is in force, and starts another one. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';

let gateway: RunningGateway;

before(async () => {
  gateway = await startGateway(await gatewaySetup());
});
after(() => gateway?.remove());

test('what is in force is told from the file, until a reload makes them one', async () => {
  const first = await gateway.run('config', 'print');
  assert.deepEqual([first.code, first.stderr], [0, '']);
  const { configRevision } = await gateway.status();
  assert.match(first.stdout, new RegExp(`^# In force since .*: configuration ${configRevision}, `));
  assert.match(first.stdout, /^ +passwordHash: \(redacted by config print\)$/m);
  assert.doesNotMatch(first.stdout, /argon2id/);

  const text = await readFile(gateway.configFile, 'utf8');
  await writeFile(gateway.configFile, text.replace('"1h"', '"2h"'));
  const changed = await gateway.run('config', 'print');
  assert.match(changed.stderr, /was changed since and is not in force: `postern config reload`/);
  assert.match(changed.stdout, /^ {2}expiry: 1h$/m);

  await writeFile(gateway.configFile, text.replace('{', '{ "nonsense": 1,'));
  const broken = await gateway.run('config', 'print');
  assert.equal(broken.code, 0, broken.stderr);
  assert.match(broken.stderr, /cannot be put in force/);

  await writeFile(gateway.configFile, text.replace('"1h"', '"2h"'));
  assert.equal((await gateway.run('config', 'reload')).code, 0);
  const reloaded = await gateway.run('config', 'print', '--json');
  assert.equal(reloaded.stderr, '');
  const view = JSON.parse(reloaded.stdout) as { config: { queue: object }; fileState: string };
  assert.deepEqual(view.config.queue, { retryFirst: '1s', retryMax: '2s', expiry: '2h' });
});

test('what is printed of a file, defaults and secrets too, is the same configuration', async () => {
  const { configRevision } = await gateway.status();
  const words = ['config', 'print', 'postern.yaml', '--defaults', '--with-secrets'];
  const { code, stdout } = await gateway.run(...words);
  assert.equal(code, 0);
  await writeFile(gateway.configFile, stdout);
  const { stderr, code: reloadCode } = await gateway.run('config', 'reload');
  assert.deepEqual([reloadCode, stderr], [0, '']);
  assert.equal((await gateway.status()).configRevision, configRevision);
});

test('without a gateway the file is shown, and it is said', async () => {
  await gateway.stop();
  const { code, stdout } = await gateway.run('config', 'print');
  assert.equal(code, 0);
  const head = stdout.slice(0, stdout.indexOf('\n'));
  assert.ok(head.startsWith(`# ${join(gateway.folder, 'postern.yaml')}, policy `), head);
  assert.match(head, /\(no gateway runs\)$/);
});
