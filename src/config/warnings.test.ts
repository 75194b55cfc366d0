import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, inbound, inOrganization, outbound, problemsOf } from './config-sample.ts';
import { formatProblem } from './problem.ts';

const one = 'organizations[0].outboundConnectors[0]';
const two = 'organizations[0].inboundConnectors[0]';

/** Legal, and yet worth a word: what is written, the key, the words. */
const warnings: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'an InternalRelay domain that leads nowhere',
    inOrganization('acceptedDomains: [{ domain: fabrikam.com, type: InternalRelay }]'),
    'organizations[0].acceptedDomains[0].type',
    /no outbound connector covers/,
  ],
  [
    'revocation not checked outbound',
    outbound('tlsSettings: CertificateValidation'),
    `${one}.tlsSettings`,
    /revocation is not checked/,
  ],
  [
    'revocation not checked inbound',
    inbound('restrictDomainsToCertificate: true, tlsSenderCertificateName: contoso.com'),
    `${two}.tlsSenderCertificateName`,
    /revocation is not checked/,
  ],
  [
    'the missing inbound half',
    outbound('tlsSettings: EncryptionOnly'),
    `${one}.tlsSettings`,
    /inbound connector with requireTls: true for contoso\.com is the missing half/,
  ],
  [
    'the missing outbound half',
    inbound(''),
    `${two}.senderDomains`,
    /outbound connector with tlsSettings.*missing half/,
  ],
  [
    'two outbound connectors for one domain',
    outbound('enabled: true', '  - { name: another, recipientDomains: contoso.com }'),
    'organizations[0].outboundConnectors[1].recipientDomains',
    /"another" is used/,
  ],
  [
    'a connector for rules that no rule uses',
    inOrganization(`${accepted}\noutboundConnectors: [{ name: a, isTransportRuleScoped: true }]`),
    `${one}.isTransportRuleScoped`,
    /no rule routes to this connector/,
  ],
  [
    'centralized mail transport beside a demand that only the partner can meet',
    outbound(
      'tlsSettings: DomainValidation, tlsDomain: mail.contoso.com',
      '  - { name: central, connectorType: OnPremises, routeAllMessagesViaOnPremises: true, smartHosts: hub.fabrikam.com }',
    ),
    'organizations[0].outboundConnectors[1].routeAllMessagesViaOnPremises',
    /hub\.fabrikam\.com must show the certificate or key that ".*" demands/,
  ],
  [
    'an alternative that opens a stricter connector',
    inbound(
      '',
      '  - { name: two, senderDomains: contoso.com, restrictDomainsToIPAddresses: true, senderIPAddresses: 10.0.0.1 }',
    ),
    `${two}.senderDomains`,
    /opens "two"/,
  ],
];

for (const [what, yaml, key, words] of warnings) {
  test(`warns of ${what}`, () => {
    const problems = problemsOf(yaml);
    assert.ok(problems.every((problem) => problem.severity === 'warning'));
    const found = problems.filter((problem) => problem.key === key);
    assert.ok(
      found.some((problem) => words.test(problem.text)),
      problems.map(formatProblem).join('\n'),
    );
  });
}

test('both halves of forced TLS leave no warning about a missing one', () => {
  const both = outbound(
    'tlsSettings: EncryptionOnly',
    'inboundConnectors: [{ name: from, senderDomains: "*.contoso.com" }]',
  ).replace('recipientDomains: contoso.com', 'recipientDomains: "*.contoso.com"');
  assert.deepEqual(problemsOf(both).map(formatProblem), []);
});

test('centralized mail transport to servers that show the name is fine, as is encryption alone', () => {
  const central =
    '  - { name: central, connectorType: OnPremises, routeAllMessagesViaOnPremises: true, smartHosts: mail.contoso.com }';
  for (const keys of [
    'tlsSettings: DomainValidation, tlsDomain: mail.contoso.com',
    'tlsSettings: EncryptionOnly',
  ]) {
    const texts = problemsOf(outbound(keys, central)).map((problem) => problem.text);
    assert.ok(!texts.some((text) => /must show/.test(text)), texts.join('\n'));
  }
});

test('a connector that is off is no half and gives no warning', () => {
  const off = outbound(
    'tlsSettings: EncryptionOnly',
    'inboundConnectors: [{ name: from, enabled: false, senderDomains: contoso.com }]',
  );
  const texts = problemsOf(off).map((problem) => problem.key);
  assert.deepEqual(texts, [`${one}.tlsSettings`]);
});

for (const [what, keys] of [
  ['narrowed to some accepted domains', 'associatedAcceptedDomains: fabrikam.com'],
  ['narrowed to addresses', 'senderIPAddresses: 192.0.2.0/24'],
  ['with an exception for the domain', 'except: contoso.com'],
] as const) {
  test(`an inbound connector ${what} is no half`, () => {
    const yaml = outbound(
      'tlsSettings: EncryptionOnly',
      `inboundConnectors: [{ name: from, senderDomains: "*.contoso.com", ${keys} }]`,
    );
    const keysOfWarnings = problemsOf(yaml).map((problem) => problem.key);
    assert.ok(keysOfWarnings.includes(`${one}.tlsSettings`), keysOfWarnings.join(' '));
  });
}
