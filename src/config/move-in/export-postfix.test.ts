import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { chooseOutbound } from '../../policy/choose-outbound.ts';
import type { Policy } from '../../policy/policy.ts';
import { composePolicy } from '../compose-policy.ts';
import type { ConfigValues } from '../effective-config.ts';
import { parseConfig } from '../load.ts';
import type { PolicyObject } from '../policy-object.ts';
import { splitPolicy } from '../split-policy.ts';
import { exportPostfix, formatPostfixExport } from './export-postfix.ts';
import { importPostfix } from './import-postfix.ts';

const pin = 'A'.repeat(43) + '=';

function objectsOf(connectors: readonly ConfigValues[]): readonly PolicyObject[] {
  return splitPolicy({
    organizations: [
      {
        id: 'fabrikam',
        acceptedDomains: [{ domain: 'fabrikam.com' }],
        outboundConnectors: connectors,
      },
    ],
  });
}

const policyOf = (connectors: readonly ConfigValues[]): string =>
  exportPostfix(objectsOf(connectors)).policyMap;

test('each setting has its level', () => {
  const hex = Array.from({ length: 32 }, () => '00').join(':');
  for (const [keys, expected] of [
    [{}, 'may'],
    [{ tlsSettings: 'EncryptionOnly' }, 'encrypt'],
    [{ tlsSettings: 'EncryptionOnly', minVersion: 'TLSv1.3' }, 'encrypt protocols=>=TLSv1.3'],
    [{ tlsSettings: 'CertificateValidation' }, 'secure'],
    [{ tlsSettings: 'DomainValidation' }, 'secure'],
    [{ tlsSettings: 'DomainValidation', tlsDomain: 'mx.b.org' }, 'secure match=mx.b.org'],
    [
      { tlsSettings: 'DomainValidation', tlsDomain: ['*.b.org'], anchors: '/etc/ca.pem' },
      'secure match=b.org:.b.org tafile=/etc/ca.pem',
    ],
    [{ tlsSettings: 'Pinned', pins: pin }, `fingerprint match=${hex}`],
  ] as const) {
    const map = policyOf([{ name: 'x', recipientDomains: 'a.com', ...keys }]);
    assert.equal(map.replace(/^#.*\n/gm, ''), `a.com ${expected}\n`);
  }
});

test('a wildcard is the domain and all below it, unless the domain has its own', () => {
  const wild = { name: 'w', recipientDomains: '*.a.com', tlsSettings: 'EncryptionOnly' };
  assert.equal(policyOf([wild]), 'a.com  encrypt\n.a.com encrypt\n');
  const own = { name: 'o', recipientDomains: 'a.com' };
  assert.equal(policyOf([wild, own]), '.a.com encrypt\na.com  may\n');
});

test('smart hosts are a transport, and their policy is that of the next hop', () => {
  const { policyMap, transportMap } = exportPostfix(
    objectsOf([
      {
        name: 'h',
        recipientDomains: '*',
        smartHosts: ['mail.b.org:587', '192.0.2.1'],
        tlsSettings: 'EncryptionOnly',
      },
      { name: 'm', recipientDomains: 'a.com' },
    ]),
  );
  assert.equal(transportMap, '*     smtp:[mail.b.org]:587, [192.0.2.1]\na.com smtp:\n');
  assert.equal(
    policyMap,
    '[mail.b.org]:587 encrypt\n[192.0.2.1]      encrypt\na.com            may\n',
  );
});

test('what Postfix cannot say is said in comments', () => {
  const exported = exportPostfix(
    objectsOf([
      {
        name: 'a',
        recipientDomains: 'a.com',
        tlsSettings: 'EncryptionOnly',
        postQuantum: 'require',
        clientCertificate: 'own',
      },
      { name: 'b', enabled: false, recipientDomains: 'b.com', tlsSettings: 'EncryptionOnly' },
      { name: 'c', isTransportRuleScoped: true, tlsSettings: 'EncryptionOnly' },
      { name: 'd', recipientDomains: 'd.com', tlsSettings: 'EncryptionOnly', mode: 'observe' },
    ]),
  );
  assert.equal(exported.remarks.length, 5);
  assert.match(
    exported.policyMap,
    /# "a": a post-quantum key exchange cannot be demanded\na.com encrypt/,
  );
  assert.match(exported.policyMap, /# "d": what it demands is only watched.*\nd.com may\n/);
  assert.match(formatPostfixExport(exported), /# "b" is off\n/);
});

test('of two connectors for one next hop the stricter policy holds', () => {
  const hosts = { smartHosts: 'h.b.org' };
  const { policyMap } = exportPostfix(
    objectsOf([
      {
        name: 'a',
        recipientDomains: 'a.com',
        ...hosts,
        tlsSettings: 'DomainValidation',
        tlsDomain: 'h.b.org',
      },
      { name: 'c', recipientDomains: 'c.com', ...hosts },
    ]),
  );
  assert.match(policyMap, /^# "c" asks for may here.*\n\[h\.b\.org\] secure match=h\.b\.org\n$/);
});

function load(flow: ConfigValues): Policy {
  const text = JSON.stringify({
    hostName: 'mx.fabrikam.com',
    listeners: [{ name: 'mx', host: '127.0.0.1', port: 25, kind: 'mx' }],
    certificates: { own: { certificate: 'a', key: 'b' } },
    serverCertificates: 'own',
    domainVerification: 'off',
    ...flow,
  });
  const result = parseConfig(text, 'flow.yaml');
  assert.equal(
    result.kind,
    'loaded',
    JSON.stringify(result.kind === 'refused' ? result.problems : ''),
  );
  return result.policy;
}

function wayOf(policy: Policy, domain: string): unknown {
  const { destination, requirement } = chooseOutbound(policy, 'fabrikam', {
    localPart: 'x',
    domain,
  });
  const kinds = [...new Set(requirement.clauses.map(({ kind }) => kind))].toSorted();
  return { kinds, destination };
}

const connector = fc.record({
  pattern: fc.constantFrom('a.com', '*.a.com', 'b.a.com', '*.b.a.com', '*', '*.d.org', 'x.d.org'),
  tls: fc.constantFrom<ConfigValues>(
    {},
    { tlsSettings: 'EncryptionOnly' },
    { tlsSettings: 'EncryptionOnly', minVersion: 'TLSv1.3' },
    { tlsSettings: 'DomainValidation', tlsDomain: ['mx.b.net'] },
    { tlsSettings: 'DomainValidation', tlsDomain: ['*.b.net'] },
  ),
  host: fc.constantFrom<string | null>(null, null, 'numbered'),
});

test('what is exported and moved in again leads the same mail the same way under the same TLS', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(connector, { maxLength: 6, selector: ({ pattern }) => pattern }),
      (list) => {
        const connectors = list.map(({ pattern, tls, host }, place) => ({
          name: `c${place}`,
          recipientDomains: [pattern],
          ...tls,
          ...(host === null ? {} : { smartHosts: [`h${place}.b.net:2525`] }),
        }));
        const before = load(composePolicy({}, objectsOf(connectors)).value);
        const { mainCf, transportMap, policyMap } = exportPostfix(objectsOf(connectors));
        const content = `mydestination = fabrikam.com\n${mainCf}transport_maps = hash:/t\nsmtp_tls_policy_maps = hash:/p\n`;
        const { objects } = importPostfix(
          {
            mainCf: { name: 'main.cf', content },
            files: [
              { name: '/t', content: transportMap },
              { name: '/p', content: policyMap },
            ],
          },
          'fabrikam',
        );
        const after = load(composePolicy({}, objects).value);
        for (const domain of ['a.com', 'b.a.com', 'c.b.a.com', 'd.org', 'x.d.org', 'other.net']) {
          assert.deepEqual(wayOf(after, domain), wayOf(before, domain), domain);
        }
      },
    ),
    { numRuns: 300 },
  );
});
