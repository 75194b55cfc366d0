/** Configuration put in force while the gateway runs: at once, whole, and without losing anything. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { Reloaded } from '../../src/api/contract.ts';
import { reload, reloadRefused } from '../support/gateway-reload.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import type { GatewayParts } from '../support/gateway-config.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { lastLine, startLoad } from '../support/load-client.ts';
import { freePort, waitFor } from '../support/ports.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import type { RawClient } from '../../src/testing/raw-client.ts';
import { submit } from '../support/submit.ts';

let gateway: RunningGateway;
let clear: FakePartner;

const forced = {
  name: 'to partner',
  recipientDomains: 'partner.test',
  tlsSettings: 'EncryptionOnly',
};

/** Ports that stay the same when a lane starts again. */
const ports = { mx: await freePort(), submission: await freePort() };
const [mx, submission] = (['mx', 'submission'] as const).map((kind) => ({
  name: kind,
  host: '127.0.0.1',
  port: ports[kind],
  kind,
}));

/** Two lanes and a partner without TLS. */
async function setupWith(parts: GatewayParts = {}) {
  const { organization, top, ...rest } = parts;
  const outboundConnectors = organization?.outboundConnectors ?? [
    { ...forced, smartHosts: smartHost(clear.port) },
  ];
  return gatewaySetup({
    peerPorts: [clear.port],
    listeners: [mx!, submission!],
    top: { lanes: 2, ...top },
    ...rest,
    organization: { ...organization, outboundConnectors },
  });
}

async function putInForce(parts: GatewayParts = {}): Promise<Reloaded> {
  return reload(gateway, (await setupWith(parts)).config);
}

async function openSession(port = gateway.port('mx')): Promise<RawClient> {
  const client = await connectRaw({ port });
  await client.expect(220);
  await client.command('EHLO client.sender.test', 250);
  return client;
}

before(async () => {
  clear = await startFakePartner();
  gateway = await startGateway(await setupWith());
});
after(async () => {
  await gateway?.remove();
  await clear.close();
});

test('under load nothing is lost, no session ends, and every reload acts', async (t) => {
  const port = gateway.port('mx');
  const load = startLoad({
    port,
    clients: 6,
    to: 'user@example.test',
    name: 'load',
    largeBytes: 400_000,
  });
  const tookMs: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const before = load.accepted.size;
    await waitFor('mail between two reloads', () => load.accepted.size >= before + 20);
    const view = await putInForce({ top: { hostName: `round${round}.example.test` } });
    tookMs.push(view.tookMs);
    const fresh = await connectRaw({ port });
    assert.match((await fresh.expect(220)).text, new RegExp(`round${round}\\.example\\.test`));
    fresh.close();
  }
  assert.equal(load.lost(), 0, 'clients that lost their session');
  await load.stop();
  t.diagnostic(`reloads took ${tookMs.join(', ')} ms with ${load.accepted.size} messages accepted`);
  const mails = await gateway.waitForMail('user', load.accepted.size);
  const texts = mails.map(String);
  for (const id of load.accepted) {
    assert.equal(texts.filter((text) => text.includes(id)).length, 1, id);
  }
  assert.ok(texts.every((text) => text.trimEnd().endsWith(lastLine)));
});

test('a transaction keeps the policy that it had at MAIL FROM, the next one has the new', async () => {
  await putInForce();
  const session = await openSession();
  await session.command('MAIL FROM:<a@sender.test>', 250);
  const without = [{ account: 'other', addresses: ['other@example.test'] }];
  await putInForce({ organization: { mailboxes: without } });
  await session.command('RCPT TO:<user@example.test>', 250);
  await session.command('RSET', 250);
  await session.command('MAIL FROM:<a@sender.test>', 250);
  await session.command('RCPT TO:<user@example.test>', 550);
  await session.command('RCPT TO:<other@example.test>', 250);
  session.close();
  await putInForce();
});

test('what is wrong is refused as a whole, with every place, and the last good one stays', async () => {
  const good = await putInForce();
  const { config } = await setupWith();
  const bad = {
    ...config,
    hostName: 'bad.example.test',
    serverCertificates: 'sever',
    dns: { timeOut: '5s' },
  };
  await writeFile(gateway.configFile, `${JSON.stringify(bad, null, 2)}\n`);
  const result = await gateway.run('config', 'reload');
  assert.equal(result.code, 78);
  assert.match(result.stderr, /postern\.yaml:\d+:\d+: .*did you mean "server"/);
  assert.match(result.stderr, /postern\.yaml:\d+:\d+: .*timeOut.*did you mean "timeout"/);
  assert.match(result.stderr, /refused, \d problems; the last good configuration stays in force/);
  const asJson = await gateway.run('config', 'reload', '--json');
  assert.equal(asJson.code, 78);
  assert.equal((JSON.parse(asJson.stdout) as { kind: string }).kind, 'refused');
  const status = await gateway.status();
  assert.equal(status.hostName, 'gateway.example.test');
  assert.equal(status.configRevision, good.configRevision);
  assert.ok((status.lastRefusedReload?.problems.length ?? 0) >= 2);
  assert.match((await gateway.run('status')).stdout, /was refused, and this configuration stayed/);
  const said = gateway.log().filter(({ msg }) => msg?.includes('last good one stays in force'));
  assert.match(JSON.stringify(said.at(-1)), /postern\.yaml:\d+:\d+/);
  await putInForce();
  assert.equal((await gateway.status()).lastRefusedReload, null);
});

test('what only a restart can change is refused in these words', async () => {
  const { config } = await setupWith({ top: { lanes: 3, trace: { retention: '60d' } } });
  const problems = await reloadRefused(gateway, config);
  assert.deepEqual(
    problems.map(({ key }) => key),
    ['lanes', 'trace.retention'],
  );
  for (const { text, line } of problems) {
    assert.match(text, /^needs a restart: /);
    assert.ok(line > 1);
  }
});

test('a file that is named and cannot be used refuses the reload', async () => {
  const { config } = await setupWith({
    organization: {
      outboundConnectors: [
        { ...forced, tlsSettings: 'CertificateValidation', anchors: 'tls/nowhere.pem' },
      ],
    },
  });
  const problems = await reloadRefused(gateway, config);
  assert.match(problems[0]!.key, /outboundConnectors\[0\]\.anchors/);
  assert.match(problems[0]!.text, /nowhere\.pem does not exist/);
});

test('listeners: new ones open, changed ones serve new sessions, removed ones are drained', async () => {
  await putInForce();
  const port = await freePort();
  const second = { name: 'second', host: '127.0.0.1', port, kind: 'mx' };
  await putInForce({ listeners: [mx!, submission!, second] });
  const waiting = await openSession(port);
  const busy = await openSession(port);
  await busy.command('MAIL FROM:<a@sender.test>', 250);
  await busy.command('RCPT TO:<user@example.test>', 250);
  const limits = { messageSize: '1MB' };
  await putInForce({
    listeners: [mx!, { ...second, name: 'renamed' }, submission!],
    top: { limits },
  });
  const listed = await gateway.status();
  assert.deepEqual(
    listed.listeners.map(({ name }) => name),
    ['mx', 'renamed', 'submission'],
  );
  const changed = await connectRaw({ port });
  await changed.expect(220);
  assert.match((await changed.command('EHLO client.sender.test', 250)).text, /SIZE 1000000/);
  await changed.startTlsByCommand();
  changed.close();
  await waiting.command('NOOP', 250);
  await putInForce({ listeners: [mx!, submission!] });
  await waiting.expect(421);
  await assert.rejects(openSession(port));
  await busy.command('DATA', 354);
  await busy.send('From: <a@sender.test>\r\n\r\nfrom a drained listener\r\n.\r\n');
  await busy.expect(250);
  await busy.expect(421);
  busy.close();
  waiting.close();
  await putInForce();
});

test('a port that somebody else has refuses the reload on all lanes', async () => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const free = await freePort();
  const added = [free, port].map((number) => ({
    name: `port ${number}`,
    host: '127.0.0.1',
    port: number,
    kind: 'mx',
  }));
  const { config } = await setupWith();
  const listeners = [...(config as { listeners: object[] }).listeners, ...added];
  const [problem] = await reloadRefused(gateway, { ...config, listeners });
  assert.equal(problem?.key, 'listeners[3]');
  assert.match(problem.text, new RegExp(`port ${port} of 127\\.0\\.0\\.1 is taken by process`));
  await assert.rejects(connectRaw({ port: free }), 'the other new port must be closed again');
  taken.close();
});

test('queued mail under a weaker policy is held, through a reload as through a restart', async () => {
  await putInForce();
  const id = await submit(gateway, { to: 'clerk@partner.test', text: 'must not leave in clear' });
  await gateway.waitForRow(id, (row) => row.lastOutcome?.cause === 'tls-not-offered');
  const loose = { ...forced, tlsSettings: null, smartHosts: smartHost(clear.port) };
  const { tlsSettings: _none, ...opportunistic } = loose;
  await putInForce({ organization: { outboundConnectors: [opportunistic] } });
  const row = await gateway.waitForRow(id, ({ state }) => state === 'held');
  assert.equal(row.lastOutcome?.cause, 'policy-weakened');
  assert.equal(clear.messages.length, 0);
  await submit(gateway, { to: 'clerk@partner.test', text: 'accepted under the new policy' });
  await clear.waitUntil(({ messages }) => messages.length === 1);
  assert.match(clear.messages[0]!.content.toString(), /accepted under the new policy/);
  await putInForce();
});

test('SIGHUP reloads, and reloads at the same time come one after the other', async () => {
  const { config } = await setupWith({ top: { hostName: 'hup.example.test' } });
  await writeFile(gateway.configFile, JSON.stringify(config));
  process.kill(gateway.processId, 'SIGHUP');
  await waitFor('the reload', async () => (await gateway.status()).hostName === 'hup.example.test');
  const { config: last } = await setupWith({ top: { hostName: 'last.example.test' } });
  await writeFile(gateway.configFile, JSON.stringify(last));
  const views = await Promise.all(Array.from({ length: 8 }, () => gateway.api.reloadConfig()));
  assert.equal(new Set(views.map(({ configRevision }) => configRevision)).size, 1);
  assert.equal((await gateway.status()).hostName, 'last.example.test');
});

test('what a reload would find is told beforehand, the same as by config check, and changes nothing', async () => {
  await putInForce();
  const { policyRevision } = await gateway.status();
  const loose = { name: forced.name, recipientDomains: forced.recipientDomains };
  const unused = { name: 'unused', isTransportRuleScoped: true };
  const outboundConnectors = [{ ...loose, smartHosts: smartHost(clear.port) }, unused];
  const { config } = await setupWith({ organization: { outboundConnectors } });
  const text = JSON.stringify(config, null, 2);
  const check = await gateway.api.checkConfig({ text });
  assert.equal(check.kind, 'differs');
  assert.match(check.weaker.join('\n'), /"to partner".* encryption/);
  assert.match(check.problems.map((problem) => problem.text).join('\n'), /no rule/);
  assert.equal((await gateway.api.checkConfig()).kind, 'same', 'the file is another');

  await writeFile(gateway.configFile, text);
  const byCommand = await gateway.run('config', 'check', gateway.configFile, '--json');
  const told = JSON.parse(byCommand.stdout) as { problems: unknown; policyRevision: string };
  assert.deepEqual(told.problems, check.problems);
  assert.equal(told.policyRevision, check.policyRevision);
  const dryRun = await gateway.run('config', 'reload', '--dry-run');
  assert.equal(dryRun.code, 0, dryRun.stderr);
  assert.match(dryRun.stdout, /--reason.*asks for less:\n.*"to partner"/);

  const broken = await gateway.api.checkConfig({ text: text.replace('hostName', 'hostname') });
  assert.equal(broken.kind, 'refused');
  assert.match(broken.problems.map(({ suggestion }) => suggestion).join(' '), /hostName/);
  const after = await gateway.status();
  assert.equal(after.policyRevision, policyRevision);
  assert.equal(after.lastRefusedReload, null);
  await putInForce();
});

test('a lane that is down during a reload starts with the newest good configuration', async () => {
  await putInForce();
  const lanes = await gateway.lanes();
  process.kill(lanes[0]!, 'SIGKILL');
  await waitFor('the lane to be missed', () =>
    gateway.status().then(
      () => false,
      () => true,
    ),
  );
  await putInForce({ top: { hostName: 'newest.example.test' } });
  await waitFor('both lanes', () =>
    gateway.status().then(
      () => true,
      () => false,
    ),
  );
  const greetings = new Set<string>();
  for (let count = 0; count < 20; count += 1) {
    const client = await connectRaw({ port: gateway.port('submission') });
    greetings.add((await client.expect(220)).lines[0]!.split(' ')[0]!);
    client.close();
  }
  assert.deepEqual([...greetings], ['newest.example.test']);
  await gateway.stop();
});
