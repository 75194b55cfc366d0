/** A domain that has to be proven, on a really started gateway with a DNS of its own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fakeZone } from '../../src/dns/fake-zone.ts';
import { startLoopbackServer } from '../../src/dns/loopback-server.ts';
import type { LoopbackServer } from '../../src/dns/loopback-server.ts';
import type { DomainView } from '../../src/api/contract/domains.ts';
import { Failure } from '../../src/mail/failure.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { waitFor } from '../support/ports.ts';

const zone = fakeZone({ 'contoso.com': { txt: ['v=spf1 -all'] } });
let dns: LoopbackServer;
let gateway: RunningGateway;

before(async () => {
  dns = await startLoopbackServer(zone);
  const acceptedDomains = [{ domain: 'example.test' }, { domain: 'contoso.com' }];
  const top = { dns: { servers: `127.0.0.1:${dns.port}`, timeout: '200ms' }, lanes: 2 };
  gateway = await startGateway(await gatewaySetup({ organization: { acceptedDomains }, top }));
});

after(async () => {
  await gateway?.remove();
  await dns?.close();
});

async function shown(domain: string): Promise<DomainView> {
  const { domains } = await gateway.api.listDomains();
  return domains.find((view) => view.domain === domain)!;
}

test('it is looked up at the start and said what to publish', async () => {
  const view = await waitFor('the first look', async () => {
    const seen = await shown('contoso.com');
    return seen.lastLook === null ? null : seen;
  });
  assert.equal(view.state, 'unproven');
  assert.equal(view.lastLook!.result, 'absent');
  assert.match(view.record!.text, /^postern-domain-verification=[0-9a-f]{40}$/);
  assert.equal((await shown('example.test')).state, 'not-needed');
  const { warnings } = await gateway.status();
  assert.ok(warnings.some((text) => text.includes('mail for contoso.com is put off')));
  const said = () =>
    gateway.log().filter(({ msg }) => msg?.includes('mail for contoso.com is put off') ?? false);
  await waitFor('the line in the log', () => said().length > 0);
  assert.equal(said().length, 1);
});

test('it is proven by the record, in another policy of the same file, and stays so without DNS', async () => {
  const before = await gateway.status();
  const { record } = await shown('contoso.com');
  assert.equal((await gateway.run('domain', 'verify', 'contoso.com')).code, 75);
  zone.set('contoso.com', { txt: ['v=spf1 -all', record!.text] });
  assert.equal((await gateway.api.verifyDomain('contoso.com')).state, 'proven');
  const now = await gateway.status();
  assert.notEqual(now.policyRevision, before.policyRevision);
  assert.equal(now.configRevision, before.configRevision);
  assert.ok(!now.warnings.some((text) => text.includes('put off')));
  assert.equal((await gateway.api.readConfig({})).fileState, 'same');

  zone.set('contoso.com', { failures: { TXT: 'servfail' } });
  await gateway.api.reloadConfig();
  assert.equal((await shown('contoso.com')).state, 'proven');
  await gateway.kill();
  await gateway.start();
  assert.equal((await shown('contoso.com')).state, 'proven');
  assert.equal((await gateway.status()).policyRevision, now.policyRevision);
});

test('doctor compares the policy with what is proven in it', async () => {
  const { stdout } = await gateway.run('doctor', '--json', '--config', gateway.configFile);
  assert.doesNotMatch(stdout, /another policy/);
  assert.match(stdout, /it is proven to belong to example/);
});

test('a domain that is not accepted is refused, and so is a text that is none', async () => {
  const unknown = await gateway.run('domain', 'verify', 'contoso.org');
  assert.equal(unknown.code, 66);
  assert.match(unknown.stderr, /contoso\.org is no accepted domain/);
  await assert.rejects(
    gateway.api.verifyDomain('a b'),
    (error) => error instanceof Failure && error.code === 'api-request-invalid',
  );
});
