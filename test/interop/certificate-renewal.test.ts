/** Certificates and anchors that change on disk under a gateway that runs. */
import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chainPem, makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewayCa, gatewayLeaf, gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { connectOpenssl } from '../support/openssl-client.ts';
import { freePort, waitFor } from '../support/ports.ts';
import { submit } from '../support/submit.ts';

const names = ['gateway.example.test'];
const ca = makeCa('Partner CA');
const strangerCa = makeCa('Stranger CA');
const partnerLeaf = makeLeaf(ca, ['mx.partner.test']);
const soon = makeLeaf(gatewayCa, names, { notAfter: new Date(Date.now() + 5 * 86_400_000) });
let gateway: RunningGateway;
let partner: FakePartner;

before(async () => {
  partner = await startFakePartner({ tls: { cert: partnerLeaf.pem, key: partnerLeaf.keyPem } });
  const connector = {
    name: 'to partner',
    recipientDomains: 'partner.test',
    tlsSettings: 'DomainValidation',
    tlsDomain: 'mx.partner.test',
    anchors: 'tls/partner.pem',
    smartHosts: smartHost(partner.port),
  };
  const setup = await gatewaySetup({
    anchors: { partner: [strangerCa] },
    peerPorts: [partner.port],
    top: { lanes: 2 },
    listeners: [
      { name: 'mx', host: '127.0.0.1', port: await freePort(), kind: 'mx' },
      { name: 'submission', host: '127.0.0.1', port: await freePort(), kind: 'submission' },
    ],
    organization: { outboundConnectors: [connector] },
  });
  gateway = await startGateway(setup);
});
after(async () => {
  await gateway?.remove();
  await partner.close();
});

const fileOf = (name: string): string => join(gateway.folder, 'tls', name);

/** What `openssl s_client` is shown, by serial number. */
async function presented(): Promise<string> {
  const { output } = await connectOpenssl(gateway.port('mx'), true, '-showcerts');
  return output;
}

const bodyOf = ({ pem }: TestCertificate): string => pem.trim().split('\n')[1]!;

async function complaints(): Promise<readonly string[]> {
  return (await gateway.status()).warnings.filter((text) => text.includes('not taken'));
}

async function waitUntilPresented(leaf: TestCertificate): Promise<number> {
  const startedAt = performance.now();
  await waitFor(
    'the new certificate',
    async () => (await presented()).includes(bodyOf(leaf)),
    10_000,
  );
  return Math.round(performance.now() - startedAt);
}

async function writePair(leaf: TestCertificate): Promise<void> {
  await writeFile(fileOf('server.pem'), chainPem(leaf, gatewayCa));
  await writeFile(fileOf('server.key'), leaf.keyPem);
}

test('a new pair is shown to new handshakes while an old session goes on', async (t) => {
  assert.ok((await presented()).includes(bodyOf(gatewayLeaf)));
  const session = await connectRaw({ port: gateway.port('mx') });
  await session.expect(220);
  await session.command('EHLO client.sender.test', 250);
  await session.startTlsByCommand();
  await session.command('EHLO client.sender.test', 250);
  await session.command('MAIL FROM:<a@sender.test>', 250);
  const leaf = makeLeaf(gatewayCa, names);
  await writePair(leaf);
  t.diagnostic(`shown after ${await waitUntilPresented(leaf)} ms`);
  await session.command('RCPT TO:<user@example.test>', 250);
  await session.command('DATA', 354);
  await session.send('From: <a@sender.test>\r\n\r\nover the old session\r\n.\r\n');
  await session.expect(250);
  await session.command('NOOP', 250);
  session.close();
});

test('a key that does not fit leaves the old pair in use, says why, and heals by itself', async () => {
  const shown = await presented();
  const leaf = makeLeaf(gatewayCa, names);
  await writeFile(fileOf('server.pem'), chainPem(leaf, gatewayCa));
  const warning = await waitFor(
    'the complaint',
    async () =>
      (await gateway.status()).warnings.find((text) => text.includes('does not fit')) ?? null,
  );
  assert.match(warning, /not taken, the old ones stay in use: certificates\.server\.key: /);
  assert.match((await gateway.run('status')).stdout, /warning: changed files are not taken/);
  await sleep(2500);
  const said = gateway.log().filter(({ msg }) => msg?.includes('does not fit') === true);
  assert.equal(said.length, 1, 'said once');
  assert.equal(bodyIn(await presented()), bodyIn(shown));
  await writeFile(fileOf('server.key'), leaf.keyPem);
  await waitUntilPresented(leaf);
  await waitFor('no complaint', async () => (await complaints()).length === 0);
});

const bodyIn = (output: string): string =>
  /-----BEGIN CERTIFICATE-----\n(.*)/.exec(output)?.[1] ?? '';

test('half a file, no file and an expired one leave the old pair in use', async () => {
  const shown = bodyIn(await presented());
  const leaf = makeLeaf(gatewayCa, names);
  await writeFile(fileOf('server.pem'), leaf.pem.slice(0, 200));
  await waitFor('the complaint', async () => (await complaints()).length > 0);
  await rm(fileOf('server.pem'));
  const old = makeLeaf(gatewayCa, names, { notAfter: new Date(Date.now() - 1000) });
  await sleep(2500);
  await writePair(old);
  await waitFor('the reason', async () =>
    (await gateway.status()).warnings.some((text) => text.includes('expired on')),
  );
  assert.equal(bodyIn(await presented()), shown);
  await writePair(leaf);
  await waitUntilPresented(leaf);
});

test('a symbolic link that is swapped, as by certbot, is seen; what expires soon is said', async () => {
  await mkdir(fileOf('archive'));
  for (const [name, text] of [
    ['server.pem', chainPem(soon, gatewayCa)],
    ['server.key', soon.keyPem],
  ] as const) {
    await writeFile(fileOf(`archive/${name}`), text, { mode: 0o600 });
    await symlink(`archive/${name}`, fileOf(`new-${name}`));
    await rename(fileOf(`new-${name}`), fileOf(name));
  }
  await waitUntilPresented(soon);
  const { warnings } = await gateway.status();
  assert.match(warnings.join(), /server\.pem \(certificates\.server\.certificate\): .* in 4 days/);
  await waitFor('the log line', () =>
    gateway.log().some(({ msg }) => msg?.includes('in 4 days') === true),
  );
});

test('a lane that starts again has the pair in use, not the broken one on disk', async () => {
  const shown = bodyIn(await presented());
  await writeFile(fileOf('archive/server.key'), 'nothing');
  for (const lane of await gateway.lanes()) process.kill(lane, 'SIGKILL');
  await waitFor('the lanes', () => gateway.status().then(Boolean, () => false));
  assert.equal(bodyIn(await presented()), shown);
  await writeFile(fileOf('archive/server.key'), soon.keyPem);
});

test('anchors that change are in force for the next attempt, without a reload', async () => {
  const id = await submit(gateway, { to: 'clerk@partner.test' });
  const row = await gateway.waitForRow(id);
  assert.match(row.lastOutcome?.reason ?? '', /UntrustedRoot/);
  await writeFile(fileOf('partner.pem'), chainPem(strangerCa, ca));
  await gateway.waitUntilGone(id);
  assert.equal(partner.messages.length, 1);
  await gateway.stop();
});
