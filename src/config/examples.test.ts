import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import type { InboundConnector } from '../policy/policy.ts';

const folder = fileURLToPath(new URL('../../examples/', import.meta.url));

async function load(name: string) {
  const result = await loadConfig(`${folder}${name}`);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  return result;
}

async function inboundOf(name: string): Promise<InboundConnector> {
  const { policy } = await load(name);
  const [connector, ...rest] = policy.organizations[0]!.inboundConnectors;
  assert.equal(rest.length, 0);
  return connector!;
}

test('every configuration in examples/ loads', async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  assert.ok(names.length >= 6);
  for (const name of names) await load(name);
});

test('the minimal one draws no warning', async () => {
  const { warnings } = await load('minimal.yaml');
  assert.deepEqual(warnings.map(formatProblem), []);
});

test('the forced-TLS partner has both halves: only revocation is warned of', async () => {
  const { policy, warnings } = await load('forced-tls-partner.yaml');
  assert.ok(warnings.every((warning) => /revocation is not checked/.test(warning.text)));
  assert.equal(warnings.length, 2);
  assert.equal(policy.organizations[0]!.outboundConnectors[0]!.tlsSettings, 'DomainValidation');
  assert.equal(policy.organizations[0]!.inboundConnectors[0]!.restrictDomainsToCertificate, true);
});

test('partner example 1 demands TLS from a sender domain', async () => {
  const connector = await inboundOf('partner-1-tls.yaml');
  assert.equal(connector.requireTls, true);
  assert.equal(connector.restrictDomainsToCertificate, false);
});

test('partner example 2 demands TLS and a certificate name', async () => {
  const connector = await inboundOf('partner-2-certificate.yaml');
  assert.equal(connector.requireTls, true);
  assert.equal(connector.restrictDomainsToCertificate, true);
  assert.deepEqual(connector.tlsSenderCertificateNames, [
    { kind: 'exact', domain: 'contosobank.com' },
  ]);
});

test('partner example 3 demands addresses and no TLS', async () => {
  const connector = await inboundOf('partner-3-addresses.yaml');
  assert.equal(connector.requireTls, false);
  assert.equal(connector.restrictDomainsToIPAddresses, true);
  assert.deepEqual(connector.senderIPAddresses, ['192.0.2.0/24', '2001:db8:12::/48']);
});

test('partner example 5 demands TLS from addresses, whoever sends', async () => {
  const connector = await inboundOf('partner-5-addresses-tls.yaml');
  assert.deepEqual(connector.senderDomains, [{ kind: 'any' }]);
  assert.equal(connector.restrictDomainsToIPAddresses, false);
  assert.equal(connector.requireTls, true);
});

test('the example in front of mailbox servers asks, lists, and forces TLS across the network', async () => {
  const { policy, warnings } = await load('behind-postern.yaml');
  assert.deepEqual(warnings.map(formatProblem), []);
  const [organization] = policy.organizations;
  const [dovecot, building] = organization!.deliveryTargets;
  assert.deepEqual([dovecot!.tlsSettings, building!.tlsSettings], [null, 'DomainValidation']);
  assert.deepEqual(
    organization!.acceptedDomains.map(({ recipients }) => recipients.kind),
    ['verify', 'list'],
  );
  assert.deepEqual(organization!.aliases[0]!.to.length, 2);
});

test('the hybrid example: own servers by certificate and by address, and the way back to them', async () => {
  const { policy } = await load('hybrid.yaml');
  const [organization] = policy.organizations;
  const [server, scanner] = organization!.inboundConnectors;
  assert.deepEqual([server!.connectorType, server!.requireTls], ['OnPremises', true]);
  assert.deepEqual([scanner!.connectorType, scanner!.requireTls], ['OnPremises', false]);
  const [back] = organization!.outboundConnectors;
  assert.deepEqual([back!.connectorType, back!.tlsSettings], ['OnPremises', 'DomainValidation']);
});

test('the example of two organizations: one partner, a certificate name of its own for each', async () => {
  const { policy } = await load('two-organizations.yaml');
  const [fabrikam, adatum] = policy.organizations;
  const names = [fabrikam!, adatum!].map(
    ({ inboundConnectors }) => inboundConnectors[0]!.tlsSenderCertificateNames,
  );
  assert.deepEqual(names, [
    [{ kind: 'exact', domain: 'mail.contosobank.com' }],
    [{ kind: 'exact', domain: 'partners.contosobank.com' }],
  ]);
  assert.equal(fabrikam!.retry.expiryMs, 2 * 86_400_000);
  assert.deepEqual(adatum!.inboundConnectors[1]!.trustedOrganizations, ['fabrikam']);
});

test('the example of rules requires TLS, routes and rejects, and draws no warning about them', async () => {
  const { policy, warnings } = await load('rules.yaml');
  assert.ok(warnings.every(({ key }) => !/rules|isTransportRuleScoped/.test(key)));
  const { rules } = policy.organizations[0]!;
  assert.deepEqual(
    rules.map(({ mode, actions }) => [mode, ...actions.map(({ kind }) => kind)]),
    [
      ['Enforce', 'reject'],
      ['Enforce', 'require-tls'],
      ['Enforce', 'route-to-connector'],
      ['Audit', 'prepend-subject'],
    ],
  );
});
