import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, errorsOf, inbound, inOrganization, outbound } from './config-sample.ts';
import type { RefusalCase } from './refusal-case.ts';
import { testRefusals } from './refusal-case.ts';

const pin = Buffer.alloc(32, 7).toString('base64');
const one = 'organizations[0].outboundConnectors[0]';
const two = 'organizations[0].inboundConnectors[0]';

/** What is written, the key that is named, and words that say what would be right. */
const refusals: readonly RefusalCase[] = [
  [
    'a PROXY header believed from everybody',
    inOrganization(accepted).replace(
      'kind: mx',
      "kind: mx, proxyProtocol: ['192.0.2.1', '0.0.0.0/0']",
    ),
    'listeners[0].proxyProtocol[1]',
    /anybody pretend to be any client/,
  ],
  [
    'a certificate whose name JavaScript cannot hold',
    inOrganization(accepted).replace(
      /^certificates:$/m,
      'certificates:\n  __proto__: { certificate: a, key: a }',
    ),
    'certificates.__proto__',
    /cannot be the name of a certificate/,
  ],
  [
    'tlsDomain without DomainValidation',
    outbound('tlsSettings: CertificateValidation, tlsDomain: mail.contoso.com'),
    `${one}.tlsDomain`,
    /acts only with tlsSettings: DomainValidation/,
  ],
  [
    'tlsDomain on an opportunistic connector',
    outbound('tlsDomain: mail.contoso.com'),
    `${one}.tlsDomain`,
    /not with Opportunistic/,
  ],
  [
    'DomainValidation by smart host without tlsDomain',
    outbound('tlsSettings: DomainValidation, smartHosts: mail.contoso.com'),
    `${one}.tlsSettings`,
    /needs tlsDomain/,
  ],
  [
    'DomainValidation without tlsDomain for a public suffix',
    inOrganization(
      `${accepted}\noutboundConnectors: [{ name: a, recipientDomains: github.io, tlsSettings: DomainValidation }]`,
    ),
    `${one}.tlsSettings`,
    /anybody can register/,
  ],
  [
    'pins with EncryptionOnly',
    outbound(`tlsSettings: EncryptionOnly, pins: "${pin}"`),
    `${one}.pins`,
    /Pinned, CertificateValidation or DomainValidation/,
  ],
  [
    'pins on an opportunistic connector',
    outbound(`pins: "${pin}"`),
    `${one}.pins`,
    /not with Opportunistic/,
  ],
  ['Pinned without pins', outbound('tlsSettings: Pinned'), `${one}.tlsSettings`, /needs pins/],
  [
    'anchors that Pinned would not look at',
    outbound(`tlsSettings: Pinned, pins: "${pin}", anchors: system`),
    `${one}.anchors`,
    /CertificateValidation or DomainValidation/,
  ],
  [
    'a star as tlsDomain',
    outbound('tlsSettings: DomainValidation, tlsDomain: "*"'),
    `${one}.tlsDomain`,
    /anybody's certificate/,
  ],
  [
    'a wildcard over a top-level domain',
    outbound('tlsSettings: DomainValidation, tlsDomain: "*.com"'),
    `${one}.tlsDomain`,
    /anybody can register under com/,
  ],
  [
    'a wildcard over a public suffix',
    outbound('tlsSettings: DomainValidation, tlsDomain: "*.co.uk"'),
    `${one}.tlsDomain`,
    /anybody can register under co\.uk/,
  ],
  [
    'a wildcard over a private suffix',
    outbound('tlsSettings: DomainValidation, tlsDomain: ["*.github.io"]'),
    `${one}.tlsDomain[0]`,
    /anybody can register/,
  ],
  [
    'a star in the middle of tlsDomain',
    outbound('tlsSettings: DomainValidation, tlsDomain: mail.*.contoso.com'),
    `${one}.tlsDomain`,
    /star in the wrong place/,
  ],
  [
    'a star as part of a label',
    outbound('tlsSettings: DomainValidation, tlsDomain: "*mail.contoso.com"'),
    `${one}.tlsDomain`,
    /star in the wrong place/,
  ],
  [
    'useMXRecord false without smart hosts',
    outbound('useMXRecord: false'),
    `${one}.useMXRecord`,
    /needs smartHosts/,
  ],
  [
    'useMXRecord true with smart hosts',
    outbound('useMXRecord: true, smartHosts: mail.contoso.com'),
    `${one}.useMXRecord`,
    /keep one of the two/,
  ],
  [
    'allAcceptedDomains on a Partner connector',
    outbound('allAcceptedDomains: true'),
    `${one}.allAcceptedDomains`,
    /OnPremises/,
  ],
  [
    'an outbound connector that nothing uses',
    inOrganization(`${accepted}\noutboundConnectors: [{ name: idle }]`),
    `${one}.name`,
    /never used: set recipientDomains/,
  ],
  [
    'recipient domains on a connector for rules',
    outbound('isTransportRuleScoped: true'),
    `${one}.recipientDomains`,
    /only rules choose/,
  ],
  [
    'all accepted domains on a connector for rules',
    inOrganization(
      `${accepted}\noutboundConnectors: [{ name: a, connectorType: OnPremises, isTransportRuleScoped: true, allAcceptedDomains: true }]`,
    ),
    `${one}.allAcceptedDomains`,
    /only rules choose/,
  ],
  [
    'TLS 1.3 where clear text would be sent',
    outbound('minVersion: TLSv1.3'),
    `${one}.minVersion`,
    /needs a tlsSettings that forces TLS/,
  ],
  [
    'TLS below 1.2',
    outbound('tlsSettings: EncryptionOnly, minVersion: TLSv1.1'),
    `${one}.minVersion`,
    /never used: write TLSv1\.2 or TLSv1\.3/,
  ],
  [
    'clear text where TLS is forced',
    outbound('tlsSettings: EncryptionOnly, clearTextAfterFailedTls: true'),
    `${one}.clearTextAfterFailedTls`,
    /contradicts tlsSettings: EncryptionOnly/,
  ],
  [
    'an outbound connector that demands revocation',
    outbound('revocation: required'),
    `${one}.revocation`,
    /revocation is not checked yet/,
  ],
  [
    'a client certificate that does not exist',
    outbound('clientCertificate: mian'),
    `${one}.clientCertificate`,
    /did you mean "main"/,
  ],
  [
    'a smart host that is a URL',
    outbound('smartHosts: "http://mail.contoso.com"'),
    `${one}.smartHosts`,
    /no URL/,
  ],
  [
    'a smart host with a user',
    outbound('smartHosts: [user@mail.contoso.com]'),
    `${one}.smartHosts[0]`,
    /no user or password/,
  ],
  [
    'a smart host that is a large range',
    outbound('smartHosts: 10.0.0.0/27'),
    `${one}.smartHosts`,
    /more than 16 addresses/,
  ],
  [
    'a smart host with port 0',
    outbound('smartHosts: "mail.contoso.com:0"'),
    `${one}.smartHosts`,
    /must be a name, an address/,
  ],
  [
    'a hex fingerprint as pin',
    outbound(`tlsSettings: Pinned, pins: "${'ab'.repeat(32)}"`),
    `${one}.pins`,
    /is in hex.*base64/,
  ],
  [
    'a pin of the wrong length',
    outbound('tlsSettings: Pinned, pins: QUJD'),
    `${one}.pins`,
    /32 bytes/,
  ],
  [
    'an empty tlsDomain',
    outbound('tlsSettings: DomainValidation, tlsDomain: null'),
    `${one}.tlsDomain`,
    /has no value/,
  ],
  [
    'a name of 65 characters',
    outbound(`name: ${'x'.repeat(65)}`).replace('name: one, ', ''),
    `${one}.name`,
    /longer than 64/,
  ],
  [
    'two outbound connectors of one name',
    outbound('enabled: true', '  - { name: ONE, recipientDomains: b.com }'),
    'organizations[0].outboundConnectors[1].name',
    /another outbound connector/,
  ],
  [
    'a partner connector that restricts nothing',
    inbound('requireTls: false'),
    `${two}.requireTls`,
    /restricts nothing/,
  ],
  [
    'addresses required and none given',
    inbound('restrictDomainsToIPAddresses: true'),
    `${two}.restrictDomainsToIPAddresses`,
    /needs senderIPAddresses/,
  ],
  [
    'a certificate required without name or pin',
    inbound('restrictDomainsToCertificate: true'),
    `${two}.restrictDomainsToCertificate`,
    /needs tlsSenderCertificateName/,
  ],
  [
    'a certificate name that would not be looked at',
    inbound('tlsSenderCertificateName: contoso.com'),
    `${two}.tlsSenderCertificateName`,
    /only with restrictDomainsToCertificate: true/,
  ],
  [
    'a pin that would not be looked at',
    inbound(`pins: "${pin}"`),
    `${two}.pins`,
    /only with restrictDomainsToCertificate: true/,
  ],
  [
    'anchors that would not be looked at',
    inbound('anchors: system'),
    `${two}.anchors`,
    /only with restrictDomainsToCertificate: true/,
  ],
  [
    'acceptServerAuthOnly that would not be looked at',
    inbound('acceptServerAuthOnly: true'),
    `${two}.acceptServerAuthOnly`,
    /only with restrictDomainsToCertificate: true/,
  ],
  [
    'acceptServerAuthOnly beside pins alone',
    inbound(`restrictDomainsToCertificate: true, pins: "${pin}", acceptServerAuthOnly: true`),
    `${two}.acceptServerAuthOnly`,
    /pins alone decide/,
  ],
  [
    'any certificate name',
    inbound('restrictDomainsToCertificate: true, tlsSenderCertificateName: "*"'),
    `${two}.tlsSenderCertificateName`,
    /anybody's certificate/,
  ],
  [
    'a certificate wildcard over a public suffix',
    inbound('restrictDomainsToCertificate: true, tlsSenderCertificateName: "*.co.uk"'),
    `${two}.tlsSenderCertificateName`,
    /anybody can register/,
  ],
  [
    'an inbound connector that demands revocation',
    inbound('revocation: required'),
    `${two}.revocation`,
    /revocation is not checked yet/,
  ],
  [
    'a range from-to',
    inbound('senderIPAddresses: 10.0.0.1-10.0.0.9'),
    `${two}.senderIPAddresses`,
    /write CIDR/,
  ],
  [
    'an octal address',
    inbound('senderIPAddresses: 010.0.0.1'),
    `${two}.senderIPAddresses`,
    /must be an address or CIDR/,
  ],
  [
    'a prefix that is too long',
    inbound('senderIPAddresses: 10.0.0.0/33'),
    `${two}.senderIPAddresses`,
    /must be an address or CIDR/,
  ],
  [
    'minVersion that would not be looked at',
    inbound(
      'requireTls: false, restrictDomainsToIPAddresses: true, senderIPAddresses: 10.0.0.1, minVersion: TLSv1.3',
    ),
    `${two}.minVersion`,
    /only with requireTls: true/,
  ],
  [
    'requireTlsTemporary without requireTls',
    inbound(
      'requireTls: false, restrictDomainsToIPAddresses: true, senderIPAddresses: 10.0.0.1, requireTlsTemporary: 2h',
    ),
    `${two}.requireTlsTemporary`,
    /only with requireTls: true/,
  ],
  [
    'an exception outside the scope',
    inbound('except: other.com'),
    `${two}.except`,
    /excepts nothing/,
  ],
  [
    'an associated domain that is not accepted',
    inbound('associatedAcceptedDomains: fabrikan.com'),
    `${two}.associatedAcceptedDomains`,
    /did you mean "fabrikam\.com"/,
  ],
  [
    'a star in the middle of a sender domain',
    inbound('').replace('contoso.com', 'domain.*.contoso.com'),
    `${two}.senderDomains`,
    /star in the wrong place/,
  ],
  [
    'two inbound connectors of one name',
    inbound('', '  - { name: one, senderDomains: b.com }'),
    'organizations[0].inboundConnectors[1].name',
    /another inbound connector/,
  ],
  [
    'matchSubDomains with Authoritative',
    inOrganization('acceptedDomains: [{ domain: fabrikam.com, matchSubDomains: true }]'),
    'organizations[0].acceptedDomains[0].matchSubDomains',
    /InternalRelay/,
  ],
  [
    'ExternalRelay',
    inOrganization('acceptedDomains: [{ domain: fabrikam.com, type: ExternalRelay }]'),
    'organizations[0].acceptedDomains[0].type',
    /not supported yet/,
  ],
  [
    'a domain listed twice',
    inOrganization('acceptedDomains: [{ domain: fabrikam.com }, { domain: FABRIKAM.com }]'),
    'organizations[0].acceptedDomains[1].domain',
    /listed twice/,
  ],
  [
    'a mailbox outside the accepted domains',
    inOrganization(`${accepted}\nmailboxes: [{ account: a, addresses: a@contoso.com }]`),
    'organizations[0].mailboxes[0].addresses',
    /add contoso\.com to acceptedDomains/,
  ],
  [
    'an account listed twice',
    inOrganization(
      `${accepted}\nmailboxes: [{ account: a, addresses: a@fabrikam.com }, { account: A, addresses: b@fabrikam.com }]`,
    ),
    'organizations[0].mailboxes[1].account',
    /another mailbox/,
  ],
  [
    'an address of two mailboxes',
    inOrganization(
      `${accepted}\nmailboxes: [{ account: a, addresses: a@fabrikam.com }, { account: b, addresses: [A@fabrikam.com] }]`,
    ),
    'organizations[0].mailboxes[1].addresses[0]',
    /belongs to the mailbox "a"/,
  ],
  [
    'an account that leads out of the folder of mailboxes',
    inOrganization(`${accepted}\nmailboxes: [{ account: ../../etc, addresses: a@fabrikam.com }]`),
    'organizations[0].mailboxes[0].account',
    /folder/,
  ],
  [
    'an account that is the folder above',
    inOrganization(`${accepted}\nmailboxes: [{ account: "..", addresses: a@fabrikam.com }]`),
    'organizations[0].mailboxes[0].account',
    /folder/,
  ],
  [
    "an account named like another's address",
    inOrganization(
      `${accepted}\nmailboxes: [{ account: b@fabrikam.com, addresses: a@fabrikam.com }, { account: b, addresses: [b@fabrikam.com] }]`,
    ),
    'organizations[0].mailboxes[0].account',
    /address of the mailbox "b"/,
  ],
  [
    'a password in clear',
    inOrganization(
      `${accepted}\nmailboxes: [{ account: a, addresses: a@fabrikam.com, passwordHash: hunter22 }]`,
    ),
    'organizations[0].mailboxes[0].passwordHash',
    /never a password in clear/,
  ],
  [
    'a hash that is too dear to verify',
    inOrganization(
      `${accepted}\nmailboxes: [{ account: a, addresses: a@fabrikam.com, passwordHash: "$argon2id$v=19$m=4194304,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}" }]`,
    ),
    'organizations[0].mailboxes[0].passwordHash',
    /costs/,
  ],
  [
    'no listener',
    inOrganization(accepted).replace(/ {2}- \{ name: mx.*\n/, ''),
    'listeners',
    /no listener/,
  ],
  [
    'two listeners of one name',
    inOrganization(accepted).replace(
      'certificates:',
      '  - { name: MX, host: 127.0.0.1, port: 2526, kind: mx }\ncertificates:',
    ),
    'listeners[1].name',
    /another listener/,
  ],
  [
    'two listeners on one port',
    inOrganization(accepted).replace(
      'certificates:',
      '  - { name: b, host: 127.0.0.1, port: 2525, kind: mx }\ncertificates:',
    ),
    'listeners[1].port',
    /already/,
  ],
  [
    'a listener without certificate',
    inOrganization(accepted).replace('serverCertificates: main', ''),
    'listeners[0]',
    /no certificate to offer TLS with/,
  ],
  [
    'a listener that may not ask for the certificate',
    inbound('restrictDomainsToCertificate: true, tlsSenderCertificateName: contoso.com').replace(
      'kind: mx',
      'kind: mx, requestClientCertificate: false',
    ),
    'listeners[0].requestClientCertificate',
    /needs the client's certificate/,
  ],
  [
    'client certificates for submission',
    inOrganization(accepted).replace(
      'kind: mx',
      'kind: submission, requestClientCertificate: true',
    ),
    'listeners[0].requestClientCertificate',
    /not supported there yet/,
  ],
  [
    'a retry longer than the longest',
    inOrganization(accepted, 'queue: { retryMax: 5m }'),
    'queue.retryMax',
    /shorter than retryFirst/,
  ],
  [
    'an expiry before the first retry',
    inOrganization(accepted, 'queue: { expiry: 10m }'),
    'queue.expiry',
    /never be tried again|nothing would ever/,
  ],
];

testRefusals(refusals);

test('the configuration around the refusals is itself sound', () => {
  assert.deepEqual(errorsOf(inOrganization(accepted)), []);
  assert.deepEqual(errorsOf(outbound('tlsSettings: EncryptionOnly')), []);
  assert.deepEqual(errorsOf(inbound('requireTls: true')), []);
});

const reserved: readonly (readonly [string, (keys: string) => string])[] = [
  ['efSkipMailGateway: [192.0.2.1]', inbound],
  ['EFTestMode: true', inbound],
  ['scanAndDropRecipients: [a@fabrikam.com]', inbound],
  ['ClientHostNames: [mail.contoso.com]', inbound],
  ['LinkForModifiedConnector: 6a8a3c1e-0000-0000-0000-000000000000', outbound],
];

for (const [key, place] of reserved) {
  test(`says of ${key.split(':')[0]!} that it is reserved, not that it is unknown`, () => {
    const errors = errorsOf(place(key));
    assert.equal(errors.length, 1);
    assert.match(errors[0]!, /reserved by Microsoft/);
    assert.doesNotMatch(errors[0]!, /unknown/);
  });
}

test('a key of Exchange that does nothing yet is refused as such', () => {
  const yaml = inOrganization('acceptedDomains: [{ domain: fabrikam.com, OutboundOnly: true }]');
  assert.match(errorsOf(yaml).join('\n'), /not supported yet/);
});

test("Exchange's spelling of a key leads to ours", () => {
  for (const [key, ours] of [
    ['EFSkipLastIP: true', 'efSkipLastIP'],
    ['CloudServicesMailEnabled: true', 'cloudServicesMailEnabled'],
    ['TlsSenderCertificateNames: a.com', 'tlsSenderCertificateName'],
    ['keyExchangeGroup: x', 'postQuantum'],
  ] as const) {
    assert.match(errorsOf(inbound(key)).join('\n'), new RegExp(`did you mean "${ours}"`));
  }
});

test('no refusal of a password repeats it', () => {
  const yaml = inOrganization(
    `${accepted}\nmailboxes: [{ account: a, addresses: a@fabrikam.com, passwordHash: hunter22 }]`,
  );
  assert.doesNotMatch(errorsOf(yaml).join('\n'), /hunter22/);
});
