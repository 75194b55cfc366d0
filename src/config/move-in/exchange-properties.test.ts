/** What holds of every import from Exchange, whatever is in the files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isUnset } from './exchange-values.ts';
import type { Imported } from './import-exchange.ts';
import { importExchange } from './import-exchange.ts';

type Fields = Readonly<Record<string, unknown>>;

const domain = fc.constantFrom(
  'contoso.com',
  '*.contoso.com',
  '*',
  'smtp:adatum.com;1',
  'smtp:*;1',
  'a.*.b.com',
  'com',
  'not a domain',
  '*.co.uk',
);
const flag = fc.constantFrom<unknown>(true, false, 'True', 'False', '$true', 1, null, 'maybe');
const strange = fc.oneof(
  fc.constantFrom<unknown>(null, '', [], {}, 0, 'System.String[]', { value: [], Count: 0 }),
  fc.jsonValue({ maxDepth: 2 }),
);
const often = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: strange });
const domains = often(fc.array(domain, { maxLength: 3 }));
const type = often(
  fc.constantFrom('Partner', 'OnPremises', 'onpremises', 1, { value: 2, Value: 'Partner' }),
);
const addresses = often(
  fc.array(
    fc.constantFrom(
      '192.0.2.1',
      '192.0.2.0/24',
      '2001:db8::/32',
      '192.0.2.1-192.0.2.9',
      '10.0.0.0/8',
      'x',
    ),
    { maxLength: 3 },
  ),
);
const name = often(
  fc.constantFrom('*.contoso.com', 'mail.contoso.com', 'CN=mail.contoso.com', '*', '*.com'),
);

const inbound = fc.record(
  {
    Name: often(fc.string({ maxLength: 70 })),
    Enabled: flag,
    ConnectorType: type,
    SenderDomains: domains,
    RequireTls: flag,
    RestrictDomainsToCertificate: flag,
    TlsSenderCertificateName: name,
    RestrictDomainsToIPAddresses: flag,
    SenderIPAddresses: addresses,
    AssociatedAcceptedDomains: domains,
    CloudServicesMailEnabled: flag,
    TreatMessagesAsInternal: flag,
    TrustedOrganizations: domains,
    EFSkipLastIP: flag,
    EFSkipIPs: addresses,
    EFUsers: often(fc.constant(['ada@fabrikam.com'])),
    Comment: strange,
    ConnectorSource: strange,
    Unknown: strange,
  },
  { requiredKeys: ['SenderDomains', 'RequireTls'] },
);
const outbound = fc.record(
  {
    Name: often(fc.string({ maxLength: 70 })),
    Enabled: flag,
    ConnectorType: type,
    RecipientDomains: domains,
    UseMXRecord: flag,
    SmartHosts: often(
      fc.array(
        fc.constantFrom(
          '[192.0.2.9]',
          'mail.contoso.com',
          '192.0.2.0/24',
          '192.0.2.0/28',
          '*',
          'a b',
        ),
        { maxLength: 2 },
      ),
    ),
    TlsSettings: often(
      fc.constantFrom(null, 'EncryptionOnly', 'CertificateValidation', 'DomainValidation', 2),
    ),
    TlsDomain: name,
    IsTransportRuleScoped: flag,
    RouteAllMessagesViaOnPremises: flag,
    AllAcceptedDomains: flag,
    CloudServicesMailEnabled: flag,
    SenderRewritingEnabled: flag,
    TestMode: flag,
    MtaStsMode: often(fc.constantFrom('Opportunistic', 'None')),
    SmtpDaneMode: often(fc.constantFrom('Opportunistic', 'None', 'Mandatory')),
    ValidationRecipients: often(fc.constant(['a@contoso.com'])),
    Unknown: strange,
  },
  { requiredKeys: ['RecipientDomains', 'UseMXRecord', 'TlsSettings'] },
);
const words = often(
  fc.array(fc.constantFrom('secret', 'two words', '(?=a)', '^a+$', ' '), { maxLength: 2 }),
);
const rule = fc.record(
  {
    Name: often(fc.string({ maxLength: 70 })),
    Priority: often(fc.nat(5)),
    State: often(fc.constantFrom('Enabled', 'Disabled')),
    Mode: often(fc.constantFrom('Enforce', 'Audit', 'AuditAndNotify')),
    FromScope: often(fc.constantFrom('InOrganization', 'NotInOrganization')),
    SentToScope: often(fc.constantFrom('NotInOrganization', 'ExternalPartner')),
    SubjectContainsWords: words,
    ExceptIfSubjectMatchesPatterns: words,
    HeaderContainsMessageHeader: strange,
    HeaderContainsWords: words,
    RouteMessageOutboundConnector: often(fc.constant('to')),
    RouteMessageOutboundRequireTls: flag,
    RejectMessageReasonText: strange,
    Quarantine: flag,
    DeleteMessage: flag,
    SetHeaderName: often(fc.constantFrom('X-A', 'Received')),
    SetHeaderValue: strange,
    StopRuleProcessing: flag,
    MessageSizeOver: strange,
    ExpiryDate: strange,
    ActivationDate: often(fc.constantFrom('/Date(1767225600000)/', '2026-01-01T00:00:00')),
    ApplyOME: flag,
    Unknown: strange,
  },
  { requiredKeys: ['StopRuleProcessing', 'FromScope', 'SentToScope'] },
);
const accepted = fc.record({
  DomainName: often(domain),
  DomainType: strange,
  MatchSubDomains: flag,
  Default: flag,
  Unknown: strange,
});
const objects = fc.array(fc.oneof(inbound, outbound, rule, accepted), {
  minLength: 1,
  maxLength: 6,
});

const fabrikam = {
  name: 'fabrikam.json',
  content: '[{"DomainName":"fabrikam.com","DomainType":"InternalRelay"}]',
};

function toCsv(list: readonly object[]): string {
  const header = [...new Set(list.flatMap(Object.keys))];
  const quote = (value: unknown): string =>
    `"${(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replaceAll('"', '""')}"`;
  const rows = list.map((each) => header.map((key) => quote((each as Fields)[key])).join(','));
  return `#TYPE x\r\n${header.map(quote).join(',')}\r\n${rows.join('\r\n')}\r\n`;
}

function assertTold({ report }: Imported, list: readonly object[], count: number): void {
  for (const key of new Set(list.flatMap(Object.keys))) {
    const places = report.lines.filter(({ property, file }) => property === key && file === 'x');
    assert.ok(places.length >= count, `${key}: ${places.length} lines`);
  }
}

test('no property is dropped silently, and what comes out always loads', () => {
  fc.assert(
    fc.property(objects, (list) => {
      const content = JSON.stringify(list);
      const imported = importExchange([fabrikam, { name: 'x', content }]);
      for (const key of new Set(list.flatMap(Object.keys))) {
        const owners = list.filter(
          (each) => Object.hasOwn(each, key) && (each as Fields)[key] !== undefined,
        );
        assertTold(
          imported,
          owners.map(() => ({ [key]: 0 })),
          owners.length,
        );
      }
    }),
    { numRuns: 400 },
  );
});

test('the same holds of CSV', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        ...[inbound, outbound, rule, accepted].map((each) =>
          fc.array<object>(each, { minLength: 1, maxLength: 4 }),
        ),
      ),
      (list) => {
        const imported = importExchange([fabrikam, { name: 'x', content: toCsv(list) }]);
        assertTold(imported, list, list.length);
      },
    ),
    { numRuns: 300 },
  );
});

const ranks = [null, 'EncryptionOnly', 'CertificateValidation', 'DomainValidation'];

test('no outbound connector comes out weaker than it was', () => {
  fc.assert(
    fc.property(outbound, (source) => {
      const { objects: made, report } = importExchange([
        fabrikam,
        { name: 'x', content: JSON.stringify(source) },
      ]);
      const value = made.find(({ kind }) => kind === 'outbound-connector')?.value;
      const isOn = value !== undefined && value['enabled'] !== false;
      const settings = (source as Fields)['TlsSettings'];
      // An empty list or mapping is PowerShell's way to write nothing, too.
      const wanted = ranks.indexOf(isUnset(settings) ? null : (settings as string));
      if (isOn) {
        assert.ok(
          wanted >= 0 && ranks.indexOf((value['tlsSettings'] ?? null) as string | null) >= wanted,
        );
        assert.notEqual((source as Fields)['SmtpDaneMode'], 'Mandatory');
        return;
      }
      const isTold = report.lines.some(
        ({ subject, outcome }) => subject.startsWith('outbound') && outcome === 'not-possible',
      );
      const isOffThere =
        value?.['enabled'] === false ||
        report.lines.some(({ text }) => text.includes('no mail ever takes it'));
      assert.ok(isTold || isOffThere);
    }),
    { numRuns: 600 },
  );
});

const isTrue = (value: unknown): boolean => value === true || /^\$?true$/i.test(String(value));

test('no inbound connector comes out weaker than it was', () => {
  fc.assert(
    fc.property(inbound, (source: Fields) => {
      const { objects: made } = importExchange([
        fabrikam,
        { name: 'x', content: JSON.stringify(source) },
      ]);
      const value = made.find(({ kind }) => kind === 'inbound-connector')?.value;
      if (value === undefined || value['enabled'] === false) return;
      if (isTrue(source['RequireTls'])) assert.equal(value['requireTls'], true);
      const isPartner = value['connectorType'] !== 'OnPremises';
      if (isTrue(source['RestrictDomainsToCertificate']))
        assert.equal(value['restrictDomainsToCertificate'], true);
      if (!isPartner) return;
      if (isTrue(source['RestrictDomainsToIPAddresses']))
        assert.equal(value['restrictDomainsToIPAddresses'], true);
      const scope = JSON.stringify(value['senderDomains']);
      for (const each of ['contoso.com', '*.contoso.com', 'adatum.com']) {
        if (JSON.stringify(source['SenderDomains']).includes(`"${each}"`))
          assert.ok(scope.includes(each));
      }
    }),
    { numRuns: 600 },
  );
});

test('whatever the octets, nothing throws', () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    objects.chain((list) => {
      const text = JSON.stringify(list);
      return fc.nat(text.length).map((cut) => text.slice(0, cut));
    }),
    objects.map((list) => Buffer.from(`\ufeff${JSON.stringify(list)}`, 'utf16le')),
  );
  fc.assert(
    fc.property(fc.array(octets, { maxLength: 3 }), (contents) => {
      const files = contents.map((content, place) => ({ name: `f${place}`, content }));
      importExchange(files, 'contoso');
    }),
    { numRuns: 400 },
  );
});
