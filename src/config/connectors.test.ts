/** Each documented interaction and refusal of connectors' keys, named by its fact. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InboundConnector, OutboundConnector } from '../policy/policy.ts';
import { accepted, errorsOf, inbound, inOrganization, outbound } from './config-sample.ts';
import { parseConfig } from './load.ts';
import type { RefusalCase } from './refusal-case.ts';
import { testRefusals } from './refusal-case.ts';

const pin = Buffer.alloc(32, 7).toString('base64');
const pin2 = Buffer.alloc(32, 8).toString('base64');
const one = 'organizations[0].outboundConnectors[0]';
const two = 'organizations[0].inboundConnectors[0]';

/** An inbound connector for own servers with these keys. */
const own = (keys: string, rest = ''): string =>
  inOrganization(
    `${accepted}\ninboundConnectors:\n  - { name: own, connectorType: OnPremises${keys === '' ? '' : `, ${keys}`} }\n${rest}`,
  );

const byName = 'tlsSenderCertificateName: mail.fabrikam.com';
const byAddress = 'senderIPAddresses: 192.0.2.0/24';
/** Outbound to own servers. */
const toOwn = 'connectorType: OnPremises, smartHosts: mail.fabrikam.com';
/** A second organization, for trustedOrganizations. */
const contoso = `  - id: contoso
    acceptedDomains: [{ domain: contoso.com }]
    mailboxes: [{ account: bob, addresses: bob@contoso.com }]
`;
const restricted = 'restrictDomainsToIPAddresses: true, senderIPAddresses: 192.0.2.1';

function loadedInbound(yaml: string): InboundConnector {
  const result = parseConfig(yaml, 'postern.yaml');
  assert.equal(result.kind, 'loaded', JSON.stringify(result));
  if (result.kind !== 'loaded') throw new Error('refused');
  return result.policy.organizations[0]!.inboundConnectors[0]!;
}

function loadedOutbound(yaml: string): OutboundConnector {
  const result = parseConfig(yaml, 'postern.yaml');
  assert.equal(result.kind, 'loaded', JSON.stringify(result));
  if (result.kind !== 'loaded') throw new Error('refused');
  return result.policy.organizations[0]!.outboundConnectors[0]!;
}

/** What is written, the key that is named, and words that say what would be right. */
const refusals: readonly RefusalCase[] = [
  [
    'an OnPremises connector that names no server',
    own(''),
    `${two}.connectorType`,
    /grants nothing/,
  ],
  [
    'sender domains on OnPremises, where they scope nothing',
    own(`${byName}, senderDomains: contoso.com`),
    `${two}.senderDomains`,
    /no effect on OnPremises.*write "\*"/,
  ],
  [
    'an exception on OnPremises',
    own(`${byName}, except: contoso.com`),
    `${two}.except`,
    /no effect on OnPremises/,
  ],
  [
    'alsoHeaderFrom on OnPremises',
    own(`${byName}, alsoHeaderFrom: true`),
    `${two}.alsoHeaderFrom`,
    /no effect on OnPremises/,
  ],
  [
    'associatedAcceptedDomains on OnPremises, which grant relay to every domain',
    own(`${byName}, associatedAcceptedDomains: fabrikam.com`),
    `${two}.associatedAcceptedDomains`,
    /no effect on OnPremises.*A Partner connector is scoped by it/,
  ],
  [
    'restrictDomainsToIPAddresses on OnPremises, which Exchange takes and ignores',
    own(`${byAddress}, restrictDomainsToIPAddresses: true`),
    `${two}.restrictDomainsToIPAddresses`,
    /A Partner connector restricts/,
  ],
  [
    'restrictDomainsToCertificate on OnPremises that is known by address only',
    own(`${byAddress}, restrictDomainsToCertificate: true`),
    `${two}.restrictDomainsToCertificate`,
    /needs tlsSenderCertificateName/,
  ],
  [
    'anchors on OnPremises that is known by address only',
    own(`${byAddress}, anchors: system`),
    `${two}.anchors`,
    /only with tlsSenderCertificateName/,
  ],
  [
    'acceptServerAuthOnly on OnPremises beside pins alone',
    own(`pins: "${pin}", acceptServerAuthOnly: true`),
    `${two}.acceptServerAuthOnly`,
    /pins alone decide/,
  ],
  [
    'a wildcard over a public suffix on OnPremises, which would let strangers relay',
    own('tlsSenderCertificateName: "*.co.uk"'),
    `${two}.tlsSenderCertificateName`,
    /anybody can register/,
  ],
  [
    'a private suffix on OnPremises likewise',
    own('tlsSenderCertificateName: "*.azurewebsites.net"'),
    `${two}.tlsSenderCertificateName`,
    /anybody can register/,
  ],
  [
    'any name on OnPremises',
    own('tlsSenderCertificateName: "*"'),
    `${two}.tlsSenderCertificateName`,
    /anybody's certificate/,
  ],
  [
    'TreatMessagesAsInternal with CloudServicesMailEnabled',
    own(`${byName}, treatMessagesAsInternal: true, cloudServicesMailEnabled: true`),
    `${two}.treatMessagesAsInternal`,
    /cannot be with cloudServicesMailEnabled/,
  ],
  [
    'TreatMessagesAsInternal on Partner',
    inbound('treatMessagesAsInternal: true'),
    `${two}.treatMessagesAsInternal`,
    /needs connectorType: OnPremises/,
  ],
  [
    'CloudServicesMailEnabled on an inbound Partner connector',
    inbound('cloudServicesMailEnabled: true'),
    `${two}.cloudServicesMailEnabled`,
    /needs connectorType: OnPremises/,
  ],
  [
    'CloudServicesMailEnabled on an outbound Partner connector',
    outbound('cloudServicesMailEnabled: true'),
    `${one}.cloudServicesMailEnabled`,
    /needs connectorType: OnPremises/,
  ],
  [
    'alsoHeaderFrom where everybody is restricted anyway',
    inbound('alsoHeaderFrom: true').replace('senderDomains: contoso.com', 'senderDomains: "*"'),
    `${two}.alsoHeaderFrom`,
    /covers every message/,
  ],
  [
    'a Partner connector without sender domains',
    inbound('').replace('senderDomains: contoso.com, ', ''),
    `${two}.senderDomains`,
    /needs at least one domain/,
  ],
  [
    'TrustedOrganizations where only TLS is demanded',
    inbound('trustedOrganizations: contoso') + contoso,
    `${two}.trustedOrganizations`,
    /no effect.*acts with restrictDomainsToCertificate/,
  ],
  [
    'TrustedOrganizations on OnPremises',
    own(`${byName}, trustedOrganizations: contoso`) + contoso,
    `${two}.trustedOrganizations`,
    /no effect on OnPremises/,
  ],
  [
    'a trusted organization that is not here',
    inbound(`${restricted}, trustedOrganizations: [contosso]`) + contoso,
    `${two}.trustedOrganizations[0]`,
    /did you mean "contoso"/,
  ],
  [
    'an organization that trusts itself',
    inbound(`${restricted}, trustedOrganizations: [fabrikam]`) + contoso,
    `${two}.trustedOrganizations[0]`,
    /this organization itself/,
  ],
  [
    'TrustedOrganizations outbound where no certificate is demanded',
    outbound('tlsSettings: EncryptionOnly, trustedOrganizations: contoso') + contoso,
    `${one}.trustedOrganizations`,
    /no effect with EncryptionOnly/,
  ],
  [
    'TrustedOrganizations beside smart hosts, which are never short-cut',
    outbound(
      'tlsSettings: CertificateValidation, smartHosts: a.contoso.com, trustedOrganizations: contoso',
    ) + contoso,
    `${one}.trustedOrganizations`,
    /never stays inside/,
  ],
  [
    'EFSkipIPs with EFSkipLastIP',
    inbound('efSkipLastIP: true, efSkipIPs: 192.0.2.1'),
    `${two}.efSkipIPs`,
    /only with efSkipLastIP: false/,
  ],
  [
    'EFUsers without anything to skip',
    inbound('efUsers: a@fabrikam.com'),
    `${two}.efUsers`,
    /without which nothing is skipped/,
  ],
  [
    'EFUsers whose mail does not come here',
    inbound('efSkipLastIP: true, efUsers: [a@fabrikan.com]'),
    `${two}.efUsers[0]`,
    /in no accepted domain/,
  ],
  ...[
    '10.1.2.3',
    '192.168.0.0/24',
    '172.15.255.250-172.16.0.3',
    '0.0.0.0/0',
    'fd00::1',
    '127.0.0.1',
  ].map(
    (skip) =>
      [
        `the private addresses of ${skip} in EFSkipIPs`,
        inbound(`efSkipIPs: "${skip}"`),
        `${two}.efSkipIPs`,
        /private or loopback/,
      ] as const,
  ),
  [
    'a range that runs backwards in EFSkipIPs',
    inbound('efSkipIPs: 192.0.2.9-192.0.2.1'),
    `${two}.efSkipIPs`,
    /lowest first/,
  ],
  [
    'a range over two families in EFSkipIPs',
    inbound('efSkipIPs: "192.0.2.9-2001:db8::1"'),
    `${two}.efSkipIPs`,
    /lowest first/,
  ],
  [
    'RouteAllMessagesViaOnPremises on Partner',
    outbound('routeAllMessagesViaOnPremises: true, smartHosts: mail.fabrikam.com'),
    `${one}.routeAllMessagesViaOnPremises`,
    /needs connectorType: OnPremises/,
  ],
  [
    'RouteAllMessagesViaOnPremises by MX',
    outbound('connectorType: OnPremises, routeAllMessagesViaOnPremises: true'),
    `${one}.routeAllMessagesViaOnPremises`,
    /needs smartHosts/,
  ],
  [
    'RouteAllMessagesViaOnPremises of a connector that only rules choose',
    inOrganization(
      `${accepted}\noutboundConnectors: [{ name: a, isTransportRuleScoped: true, routeAllMessagesViaOnPremises: true, ${toOwn} }]`,
    ),
    `${one}.routeAllMessagesViaOnPremises`,
    /only rules choose/,
  ],
  [
    'two connectors for all messages',
    outbound(
      `routeAllMessagesViaOnPremises: true, ${toOwn}`,
      `  - { name: two, routeAllMessagesViaOnPremises: true, ${toOwn} }`,
    ),
    'organizations[0].outboundConnectors[1].routeAllMessagesViaOnPremises',
    /"one" takes all messages already/,
  ],
  [
    'SenderRewritingEnabled, which is not there yet',
    outbound(`senderRewritingEnabled: true, ${toOwn}`),
    `${one}.senderRewritingEnabled`,
    /SRS/,
  ],
  [
    'MtaStsMode Opportunistic, which demands something of destinations with a policy',
    outbound('mtaStsMode: Opportunistic'),
    `${one}.mtaStsMode`,
    /not looked up yet/,
  ],
  [
    'SmtpDaneMode Opportunistic likewise',
    outbound('smtpDaneMode: Opportunistic'),
    `${one}.smtpDaneMode`,
    /not looked up yet/,
  ],
  [
    'SmtpDaneMode Mandatory',
    outbound('smtpDaneMode: Mandatory'),
    `${one}.smtpDaneMode`,
    /destinations with DANE only/,
  ],
  [
    'a failure action that does not exist yet',
    outbound('tlsSettings: EncryptionOnly, failureAction: portal'),
    `${one}.failureAction`,
    /portal is not there yet; write queue/,
  ],
  [
    'TestMode beside a mode that says otherwise',
    outbound('testMode: true, mode: enforce'),
    `${one}.mode`,
    /contradicts testMode: true/,
  ],
  [
    'TestMode false beside observe',
    outbound('testMode: false, mode: observe'),
    `${one}.testMode`,
    /contradicts mode: observe/,
  ],
  ['a mode that is none', inbound('mode: audit'), `${two}.mode`, /enforce, warn or observe/],
  [
    'post-quantum required where clear text would be sent',
    outbound('postQuantum: require'),
    `${one}.postQuantum`,
    /needs a tlsSettings that forces TLS/,
  ],
  [
    'post-quantum required of mail in clear',
    inbound(`requireTls: false, ${restricted}, postQuantum: require`),
    `${two}.postQuantum`,
    /only with requireTls: true/,
  ],
  [
    'post-quantum off inbound, where nobody knows yet whose session it is',
    inbound('postQuantum: off'),
    `${two}.postQuantum`,
    /before anybody knows whose session/,
  ],
  [
    'a review date that does not exist',
    inbound('reviewDate: 2027-02-30'),
    `${two}.reviewDate`,
    /a date such as/,
  ],
  [
    'a validation time without offset',
    outbound('lastValidationTimestamp: 2026-11-28T09:30:00'),
    `${one}.lastValidationTimestamp`,
    /a time such as/,
  ],
  [
    'a validation recipient that the connector does not take',
    outbound('validationRecipients: a@adatum.com'),
    `${one}.validationRecipients`,
    /does not take this connector/,
  ],
  [
    'more validation recipients than are tested',
    outbound(
      `validationRecipients: [${Array.from({ length: 11 }, (_, i) => `a${i}@contoso.com`).join(', ')}]`,
    ),
    `${one}.validationRecipients`,
    /more than 10 addresses/,
  ],
  [
    'validations by themselves of a connector that names nothing to look at',
    inOrganization(
      `${accepted}\noutboundConnectors:\n  - { name: one, recipientDomains: "*", validationEvery: 1d }\n`,
    ),
    `${one}.validationEvery`,
    /needs validationRecipients/,
  ],
  [
    'a validation more often than every hour',
    outbound('validationEvery: 5m'),
    `${one}.validationEvery`,
    /1h/,
  ],
  [
    'a source that is none of the words',
    outbound('connectorSource: HCW'),
    `${one}.connectorSource`,
    /Default, HybridWizard, Migrated or AdminUI/,
  ],
  [
    'a range with a port as smart host',
    outbound('smartHosts: "192.0.2.0/28:26"'),
    `${one}.smartHosts`,
    /no range or path/,
  ],
  [
    'an IPv6 range of more than 16 as smart host',
    outbound('smartHosts: "2001:db8::/123"'),
    `${one}.smartHosts`,
    /more than 16/,
  ],
  [
    'a listener that asks for no certificate by which own servers are known',
    own(byName).replace('kind: mx', 'kind: mx, requestClientCertificate: false'),
    'listeners[0].requestClientCertificate',
    /"own" needs the client's certificate/,
  ],
  [
    'the same while the connector only observes',
    inbound(
      'mode: observe, restrictDomainsToCertificate: true, tlsSenderCertificateName: contoso.com',
    ).replace('kind: mx', 'kind: mx, requestClientCertificate: false'),
    'listeners[0].requestClientCertificate',
    /"one" needs the client's certificate/,
  ],
];

testRefusals(refusals);

describe('OnPremises', () => {
  test('is known by certificate name without RestrictDomainsToCertificate', () => {
    const connector = loadedInbound(own(byName));
    assert.equal(connector.connectorType, 'OnPremises');
    assert.equal(connector.restrictDomainsToCertificate, false);
    assert.deepEqual(connector.senderDomains, [{ kind: 'any' }]);
  });

  test('is known by pins, by addresses, or by several of them', () => {
    assert.deepEqual(errorsOf(own(`pins: ["${pin}", "${pin2}"]`)), []);
    assert.deepEqual(errorsOf(own(byAddress)), []);
    assert.deepEqual(errorsOf(own(`${byAddress}, ${byName}, pins: "${pin}", anchors: system`)), []);
  });

  test('takes the values that the Hybrid Configuration Wizard writes', () => {
    const connector = loadedInbound(
      own(
        'connectorSource: HybridWizard, cloudServicesMailEnabled: true, requireTls: true, senderDomains: "*", tlsSenderCertificateName: "*.fabrikam.com"',
      ),
    );
    assert.equal(connector.cloudServicesMailEnabled, true);
    assert.equal(connector.connectorSource, 'HybridWizard');
  });

  test('takes RequireTls and RestrictDomainsToCertificate, which act', () => {
    const connector = loadedInbound(
      own(`${byAddress}, ${byName}, requireTls: true, restrictDomainsToCertificate: true`),
    );
    assert.equal(connector.requireTls, true);
    assert.equal(connector.restrictDomainsToCertificate, true);
  });

  test('may count as internal', () => {
    const keys = `${byAddress}, treatMessagesAsInternal: true`;
    assert.equal(loadedInbound(own(keys)).treatMessagesAsInternal, true);
  });

  test('asks no listener for a certificate that nothing looks at', () => {
    const yaml = own(byAddress).replace('kind: mx', 'kind: mx, requestClientCertificate: false');
    assert.deepEqual(errorsOf(yaml), []);
  });

  test('outbound takes all messages without naming a domain', () => {
    const yaml = inOrganization(
      `${accepted}\noutboundConnectors: [{ name: all, routeAllMessagesViaOnPremises: true, ${toOwn} }]`,
    );
    assert.equal(loadedOutbound(yaml).routeAllMessagesViaOnPremises, true);
  });

  test('outbound goes by MX, too', () => {
    assert.deepEqual(loadedOutbound(outbound('connectorType: OnPremises')).route, { kind: 'mx' });
  });
});

describe('kept as written', () => {
  test('mode, and TestMode as observe', () => {
    assert.equal(loadedInbound(inbound('mode: warn')).mode, 'warn');
    assert.equal(loadedInbound(inbound('')).mode, 'enforce');
    for (const [keys, mode] of [
      ['testMode: true', 'observe'],
      ['testMode: true, mode: observe', 'observe'],
      ['testMode: false', 'enforce'],
      ['mode: warn', 'warn'],
    ] as const) {
      assert.equal(loadedOutbound(outbound(`tlsSettings: EncryptionOnly, ${keys}`)).mode, mode);
    }
  });

  test('owner, review date and the last validation', () => {
    const connector = loadedOutbound(
      outbound(
        'owner: Ada, reviewDate: 2027-03-31, isValidated: true, lastValidationTimestamp: "2026-11-28T10:30:00+01:00", validationRecipients: [a@contoso.com]',
      ),
    );
    assert.equal(connector.owner, 'Ada');
    assert.equal(connector.reviewDate, '2027-03-31');
    assert.deepEqual(connector.validation, {
      isValidated: true,
      lastValidationTimestamp: '2026-11-28T09:30:00.000Z',
      validationRecipients: [{ localPart: 'a', domain: 'contoso.com' }],
      everyMs: null,
    });
  });

  test('TrustedOrganizations beside a demand for a certificate', () => {
    const keys =
      'restrictDomainsToCertificate: true, tlsSenderCertificateName: contoso.com, trustedOrganizations: contoso';
    assert.deepEqual(loadedInbound(inbound(keys) + contoso).trustedOrganizations, ['contoso']);
    const sent = 'tlsSettings: DomainValidation, trustedOrganizations: [contoso]';
    assert.deepEqual(loadedOutbound(outbound(sent) + contoso).trustedOrganizations, ['contoso']);
  });

  test('None of MtaStsMode and SmtpDaneMode, false of SenderRewritingEnabled, queue of failureAction', () => {
    const keys =
      'mtaStsMode: None, smtpDaneMode: None, senderRewritingEnabled: false, failureAction: queue';
    assert.deepEqual(errorsOf(outbound(keys)), []);
  });

  test('a required post-quantum group where TLS is forced', () => {
    const sent = outbound('tlsSettings: EncryptionOnly, minVersion: TLSv1.2, postQuantum: require');
    assert.equal(loadedOutbound(sent).postQuantum, 'require');
    assert.equal(loadedInbound(inbound('postQuantum: require')).postQuantum, 'require');
    assert.equal(loadedOutbound(outbound('postQuantum: off')).postQuantum, 'off');
  });

  test('the current pin and the next', () => {
    const connector = loadedOutbound(outbound(`tlsSettings: Pinned, pins: ["${pin}", "${pin2}"]`));
    assert.deepEqual(connector.pins, [pin, pin2]);
  });
});

describe('addresses', () => {
  test('a CIDR with host bits is normalised, as Exchange takes it', () => {
    const connector = loadedInbound(inbound('senderIPAddresses: [192.0.2.1/25, "2001:db8::7/33"]'));
    assert.deepEqual(connector.senderIPAddresses, ['192.0.2.0/25', '2001:db8::/33']);
  });

  test('a small range of smart hosts is each of its addresses, none twice', () => {
    const { route } = loadedOutbound(
      outbound('smartHosts: [192.0.2.3, 192.0.2.1/30, "2001:db8::/127"]'),
    );
    assert.deepEqual(
      route.kind === 'smart-hosts' ? route.hosts.map(({ host, port }) => `${host} ${port}`) : [],
      [
        '192.0.2.3 25',
        '192.0.2.0 25',
        '192.0.2.1 25',
        '192.0.2.2 25',
        '2001:db8:: 25',
        '2001:db8::1 25',
      ],
    );
  });

  test('sixteen addresses are a small range', () => {
    const { route } = loadedOutbound(outbound('smartHosts: 192.0.2.0/28'));
    assert.equal(route.kind === 'smart-hosts' && route.hosts.length, 16);
  });

  test('what is skipped may be an address, a range or CIDR', () => {
    const connector = loadedInbound(
      inbound('efSkipIPs: ["192.0.2.7", "198.51.100.1 - 198.51.100.6", "2001:db8::9/64"]'),
    );
    assert.deepEqual(connector.enhancedFiltering, {
      skipLastIP: false,
      skipIPs: [
        '192.0.2.7/32',
        '198.51.100.1/32',
        '198.51.100.2/31',
        '198.51.100.4/31',
        '198.51.100.6/32',
        '2001:db8::/64',
      ],
      users: [],
    });
  });
});
