/** What the file says of the policy is in the audit log, and is not lost where a start cannot keep it. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { Failure } from '../../src/mail/failure.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { waitFor } from '../support/ports.ts';

let gateway: RunningGateway;

before(async () => {
  gateway = await startGateway(await gatewaySetup());
});
after(() => gateway?.remove());

/** Puts the file's connectors, by their domains, in the place of those before. */
async function writeConnectors(...domains: readonly string[]): Promise<void> {
  const config = JSON.parse(await readFile(gateway.configFile, 'utf8')) as {
    organizations: { outboundConnectors: object[] }[];
  };
  const connectors = domains.map((domain) => ({ name: domain, recipientDomains: domain }));
  config.organizations[0]!.outboundConnectors = connectors;
  await writeFile(gateway.configFile, JSON.stringify(config));
}

/** The newest entries, the oldest of them first, as "who: action name". */
async function newestAudit(limit: number): Promise<readonly string[]> {
  const { entries } = await gateway.api.searchAudit({ limit });
  return entries
    .map(({ actor, action, object }) => `${actor.kind}: ${action} ${object?.name ?? ''}`.trim())
    .toReversed();
}

test('what a file changes of the policy is in the audit log, by whoever had it read', async () => {
  const { configFile } = gateway;
  assert.deepEqual(await newestAudit(9), [`gateway: policy.imported ${configFile}`]);
  await writeConnectors('clinic.test');
  await gateway.api.reloadConfig({ reason: 'a new partner' });
  assert.deepEqual(await newestAudit(3), [
    `socket: policy.imported ${configFile}`,
    'socket: outbound-connector.added clinic.test',
    'socket: config.reloaded',
  ]);
  const { entries } = await gateway.api.searchAudit({ kind: 'outbound-connector' });
  assert.deepEqual(
    entries.map(({ organization, reason }) => [organization, reason]),
    [['example', 'a new partner']],
  );
  const { revisions } = await gateway.api.listRevisions({ limit: 1 });
  assert.equal(revisions[0]!.by, `administrator (socket), from ${configFile}`);

  await writeConnectors();
  process.kill(gateway.processId, 'SIGHUP');
  await waitFor('the reload', async () => (await newestAudit(1))[0] === 'gateway: config.reloaded');
  assert.deepEqual(await newestAudit(3), [
    `gateway: policy.imported ${configFile}`,
    'gateway: outbound-connector.removed clinic.test',
    'gateway: config.reloaded',
  ]);
  await gateway.api.reloadConfig();
  assert.deepEqual(await newestAudit(2), ['gateway: config.reloaded', 'socket: config.reloaded']);
});

test('what a start could not keep of the file is neither undone nor lost by the next change', async () => {
  const control = join(gateway.dataFolder, 'control.db');
  await gateway.stop();
  await writeConnectors('lab.test');
  exec(
    control,
    `CREATE TRIGGER full BEFORE INSERT ON revision BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
  );
  await gateway.start();
  const object = { kind: 'outbound-connector', organization: 'example', name: 'bank' } as const;
  const value = { recipientDomains: 'bank.test' };
  const put = () =>
    gateway.api.changePolicy({ changes: [{ kind: 'put', object, value }] }).catch(codeOf);
  assert.equal(await put(), 'store-conflict');
  assert.deepEqual(await connectorsInForce(), ['lab.test'], 'what the file says is in force');
  exec(control, 'DROP TRIGGER full');
  await put();
  assert.deepEqual(await connectorsInForce(), ['lab.test', 'bank']);
  await gateway.restart();
  assert.deepEqual(await connectorsInForce(), ['lab.test', 'bank']);
  const { revisions } = await gateway.api.listRevisions({ limit: 2 });
  assert.deepEqual(
    revisions.map(({ origin }) => origin),
    ['change', 'file'],
  );
});

function exec(file: string, sql: string): void {
  const db = new DatabaseSync(file, { timeout: 5000 });
  db.exec(sql);
  db.close();
}

function codeOf(error: unknown): string {
  assert.ok(error instanceof Failure);
  return error.code;
}

async function connectorsInForce(): Promise<readonly unknown[]> {
  const { config } = await gateway.api.readConfig({});
  const { organizations } = config as { organizations: { outboundConnectors?: object[] }[] };
  const connectors = organizations[0]!.outboundConnectors ?? [];
  return connectors.map((each) => (each as { name: unknown }).name);
}
