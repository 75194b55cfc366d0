/** Conflicts and gaps between connectors: what is said, and what is not said of sound ones. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accepted, inbound, inOrganization, outbound, problemsOf } from './config-sample.ts';
import { formatProblem } from './problem.ts';

const one = 'organizations[0].outboundConnectors[0]';
const two = 'organizations[0].inboundConnectors[0]';
const second = 'organizations[0].inboundConnectors[1]';
const elsewhere = 'organizations[1].inboundConnectors[0]';

const relayed = (...domains: string[]): string =>
  `acceptedDomains: [${domains.map((domain) => `{ domain: ${domain}, type: InternalRelay }`).join(', ')}]`;

/** Own servers of fabrikam.com, mailboxes there and on another server. */
const servers = (...connectors: string[]): string =>
  inOrganization(
    `${accepted}\ninboundConnectors:\n${connectors.map((keys) => `  - { connectorType: OnPremises, ${keys} }`).join('\n')}`,
  );

/** Own servers of fabrikam and of contoso. */
const shared = (ours: string, theirs: string): string =>
  `${servers(`name: ours, ${ours}`)}  - id: contoso
    acceptedDomains: [{ domain: contoso.com }]
    mailboxes: [{ account: bob, addresses: bob@contoso.com }]
    inboundConnectors: [{ name: theirs, connectorType: OnPremises, ${theirs} }]
`;

const outbounds = (domains: string, ...connectors: string[]): string =>
  inOrganization(
    `${domains}\noutboundConnectors:\n${connectors.map((keys) => `  - { ${keys} }`).join('\n')}`,
  );

const forced = 'tlsSettings: EncryptionOnly';

/** What is written, the key that is named, and words of the mend. */
const warnings: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'an inbound half that only observes',
    outbound(
      forced,
      'inboundConnectors: [{ name: from, mode: observe, senderDomains: contoso.com }]',
    ),
    `${one}.tlsSettings`,
    /missing half \("from" only has mode observe\)/,
  ],
  [
    'an outbound half that only warns',
    outbound(
      `${forced}, mode: warn`,
      'inboundConnectors: [{ name: from, senderDomains: contoso.com }]',
    ),
    `${two}.senderDomains`,
    /missing half.*"one" now, which only has mode warn/,
  ],
  [
    'an outbound half that a closer connector without TLS takes away',
    outbounds(
      `${accepted}\ninboundConnectors: [{ name: from, senderDomains: contoso.com }]`,
      `name: all, recipientDomains: "*", ${forced}`,
      'name: bank, recipientDomains: contoso.com',
    ),
    `${two}.senderDomains`,
    /takes "bank" now, which forces nothing/,
  ],
  [
    'own servers as a half, which are no partner',
    outbound(
      forced,
      'inboundConnectors: [{ name: own, connectorType: OnPremises, senderIPAddresses: 192.0.2.1 }]',
    ),
    `${one}.tlsSettings`,
    /missing half/,
  ],
  [
    'two Partner connectors with one sender domain',
    inbound('', '  - { name: two, senderDomains: [adatum.com, contoso.com] }'),
    `${second}.senderDomains`,
    /"one" has the same sender domain: meeting either.*make one connector of them/,
  ],
  [
    'two connectors of own servers by one certificate name',
    servers(
      'name: b, tlsSenderCertificateName: fabrikam.com',
      'name: a, tlsSenderCertificateName: [x.fabrikam.com, fabrikam.com]',
    ),
    `${second}.tlsSenderCertificateName[1]`,
    /both name fabrikam\.com; "a" is used/,
  ],
  [
    'two connectors of own servers by one range',
    servers('name: a, senderIPAddresses: 192.0.2.1/24', 'name: b, senderIPAddresses: 192.0.2.0/24'),
    `${second}.senderIPAddresses`,
    /both name 192\.0\.2\.0\/24; "a" is used/,
  ],
  [
    'a certificate name that is no accepted domain, though it lies under one',
    servers('name: a, tlsSenderCertificateName: mail.fabrikam.com'),
    `${two}.tlsSenderCertificateName`,
    /in no accepted domain.*only mail whose MAIL FROM.*Add mail\.fabrikam\.com/,
  ],
  [
    'a wildcard name over no accepted domain',
    servers('name: a, tlsSenderCertificateName: "*.provider.example"'),
    `${two}.tlsSenderCertificateName`,
    /Add provider\.example to acceptedDomains/,
  ],
  [
    'a connector for a domain whose mail stays here',
    outbounds(accepted, 'name: a, recipientDomains: fabrikam.com'),
    `${one}.name`,
    /never chosen: fabrikam\.com is Authoritative here/,
  ],
  [
    'a connector for all accepted domains where none is relayed',
    outbounds(accepted, 'name: a, connectorType: OnPremises, allAcceptedDomains: true'),
    `${one}.name`,
    /never chosen: .*InternalRelay domains, and there is none/,
  ],
  [
    'a connector for all accepted domains behind closer ones for each',
    outbounds(
      relayed('fabrikam.com', 'sales.contoso.com'),
      'name: all, connectorType: OnPremises, allAcceptedDomains: true',
      'name: b, recipientDomains: fabrikam.com',
      'name: c, recipientDomains: "*.contoso.com"',
    ),
    `${one}.name`,
    /never chosen: each InternalRelay domain has a connector that is closer than "all"/,
  ],
  [
    'observing what demands nothing',
    outbound('mode: observe'),
    `${one}.mode`,
    /nothing to judge: set tlsSettings/,
  ],
  [
    'testing what demands nothing',
    outbound('testMode: true'),
    `${one}.testMode`,
    /nothing to judge/,
  ],
  [
    'observing own servers of whom nothing is demanded',
    servers('name: a, senderIPAddresses: 192.0.2.1, requireTls: false, mode: observe'),
    `${two}.mode`,
    /set requireTls or restrictDomainsToCertificate/,
  ],
  [
    'a certificate name that two organizations claim, each with a domain under it',
    shared(
      'tlsSenderCertificateName: "*.provider.example"',
      'tlsSenderCertificateName: "*.provider.example"',
    )
      .replaceAll('fabrikam.com', 'fabrikam.provider.example')
      .replaceAll('contoso.com', 'contoso.provider.example'),
    `${elsewhere}.tlsSenderCertificateName`,
    /also claimed by the organization "fabrikam" \("ours"\).*MAIL FROM decides/,
  ],
  [
    'a certificate name in a domain of another organization',
    shared('senderIPAddresses: 192.0.2.1', 'tlsSenderCertificateName: "*.fabrikam.com"'),
    `${elsewhere}.tlsSenderCertificateName`,
    /in a domain of the organization "fabrikam".*\. Give the server/,
  ],
  [
    'a key that two organizations claim',
    shared(
      `pins: "${Buffer.alloc(32, 7).toString('base64')}"`,
      `pins: "${Buffer.alloc(32, 7).toString('base64')}"`,
    ),
    `${elsewhere}.pins`,
    /also claimed by the organization "fabrikam"/,
  ],
  [
    'addresses that two organizations claim',
    shared(
      'senderIPAddresses: [198.51.100.0/24, 192.0.2.0/24]',
      'senderIPAddresses: 192.0.2.128/25',
    ),
    `${elsewhere}.senderIPAddresses`,
    /192\.0\.2\.128\/25 overlaps 192\.0\.2\.0\/24 of the organization "fabrikam"/,
  ],
  [
    'IPv6 addresses that two organizations claim, behind others',
    shared(
      'senderIPAddresses: ["2001:db8::/32", "2001:db8::1", "10.0.0.0/8"]',
      'senderIPAddresses: ["11.0.0.0/8", "2001:db8:ffff::/48"]',
    ),
    `${elsewhere}.senderIPAddresses[1]`,
    /overlaps 2001:db8::\/32/,
  ],
];

describe('warned of', () => {
  for (const [what, yaml, key, words] of warnings) {
    test(what, () => {
      const problems = problemsOf(yaml);
      const text = problems.map(formatProblem).join('\n');
      assert.ok(
        problems.every((problem) => problem.severity === 'warning'),
        text,
      );
      const found = problems.filter((problem) => problem.key === key);
      assert.ok(
        found.some((problem) => words.test(problem.text)),
        text,
      );
    });
  }
});

/** What is sound, and the words that must not be said of it. */
const sound: readonly (readonly [string, string, RegExp])[] = [
  [
    'certificate or address, as two connectors',
    inbound(
      'restrictDomainsToCertificate: true, tlsSenderCertificateName: contoso.com',
      '  - { name: two, senderDomains: contoso.com, restrictDomainsToIPAddresses: true, senderIPAddresses: 192.0.2.1 }',
    ),
    /same sender domain|opens/,
  ],
  [
    'one sender domain for different accepted domains',
    inOrganization(
      `acceptedDomains: [{ domain: a.com }, { domain: b.com }]
mailboxes: [{ account: a, addresses: [a@a.com, a@b.com] }]
inboundConnectors:
  - { name: one, senderDomains: contoso.com, associatedAcceptedDomains: a.com }
  - { name: two, senderDomains: contoso.com, associatedAcceptedDomains: b.com }`,
    ),
    /same sender domain/,
  ],
  [
    'a stricter twin that is only observed',
    inbound(
      '',
      '  - { name: two, mode: observe, senderDomains: contoso.com, restrictDomainsToIPAddresses: true, senderIPAddresses: 192.0.2.1 }',
    ),
    /same sender domain|opens/,
  ],
  [
    'own servers named by accepted domains, exactly or by wildcard over or under them',
    servers(
      'name: a, tlsSenderCertificateName: fabrikam.com',
      'name: b, tlsSenderCertificateName: "*.fabrikam.com"',
    ),
    /in no accepted domain/,
  ],
  [
    'a wildcard over a domain of which only one below is accepted',
    inOrganization(
      `acceptedDomains: [{ domain: jpn.contoso.com }]
mailboxes: [{ account: a, addresses: a@jpn.contoso.com }]
inboundConnectors: [{ name: a, connectorType: OnPremises, tlsSenderCertificateName: "*.contoso.com" }]`,
    ),
    /in no accepted domain/,
  ],
  [
    'all accepted domains, of which one is relayed and nothing is closer',
    outbounds(
      relayed('fabrikam.com', 'contoso.com'),
      'name: all, connectorType: OnPremises, allAcceptedDomains: true',
      'name: b, recipientDomains: contoso.com',
      'name: c, recipientDomains: "*"',
    ),
    /never chosen/,
  ],
  [
    'sub-domains that an exact connector does not take',
    outbounds(
      'acceptedDomains: [{ domain: fabrikam.com, type: InternalRelay, matchSubDomains: true }]',
      'name: all, connectorType: OnPremises, allAcceptedDomains: true',
      'name: b, recipientDomains: fabrikam.com',
    ),
    /never chosen/,
  ],
  [
    'everything by one way, though no domain is its own',
    outbounds(
      accepted,
      'name: all, connectorType: OnPremises, routeAllMessagesViaOnPremises: true, smartHosts: a.fabrikam.com',
    ),
    /never chosen/,
  ],
  [
    'a connector that is off',
    shared('enabled: false, senderIPAddresses: 192.0.2.0/24', 'senderIPAddresses: 192.0.2.0/24'),
    /overlaps/,
  ],
  [
    'addresses side by side in two organizations',
    shared('senderIPAddresses: 192.0.2.0/25', 'senderIPAddresses: [192.0.2.128/25, "::/0"]'),
    /overlaps/,
  ],
  [
    'a name that only one of two organizations can have, though both claim it',
    shared('tlsSenderCertificateName: fabrikam.com', 'tlsSenderCertificateName: fabrikam.com'),
    /also claimed/,
  ],
  [
    'names side by side in two organizations',
    shared('tlsSenderCertificateName: fabrikam.com', 'tlsSenderCertificateName: contoso.com'),
    /claim/,
  ],
];

describe('not warned of', () => {
  for (const [what, yaml, words] of sound) {
    test(what, () => {
      const problems = problemsOf(yaml);
      assert.ok(
        problems.every((problem) => problem.severity === 'warning'),
        problems.map(formatProblem).join('\n'),
      );
      assert.doesNotMatch(problems.map(({ text }) => text).join('\n'), words);
    });
  }
});

test('of many connectors one warning says that revocation is not checked, and hides no other', () => {
  const many = Array.from(
    { length: 200 },
    (_, i) =>
      `  - { name: c${i}, recipientDomains: d${i}.com, tlsSettings: CertificateValidation }`,
  );
  const problems = problemsOf(outbound('mode: observe', many.join('\n')));
  const texts = problems.map(({ text }) => text);
  assert.equal(texts.filter((text) => text.includes('revocation is not checked')).length, 1);
  assert.match(texts.join('\n'), /"c0" and 199 more/);
  assert.ok(texts.some((text) => text.includes('nothing to judge')));
});

test('where not all warnings fit, the last one says how many there are', () => {
  const many = Array.from(
    { length: 80 },
    (_, i) => `  - { name: c${i}, recipientDomains: d${i}.com, ${forced} }`,
  );
  const problems = problemsOf(outbound(forced, many.join('\n')));
  assert.equal(problems.length, 50);
  assert.equal(problems.at(-1)!.text, 'and 32 more warnings');
});
