import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertGolden, readFixtures } from '../../../test/support/move-in/golden.ts';
import type { Imported } from './import-exchange.ts';
import { importExchange } from './import-exchange.ts';
import { formatFlow } from './imported-flow.ts';
import { formatReport } from './move-report.ts';

const domains = {
  name: 'd.json',
  content: '[{"DomainName":"fabrikam.com","DomainType":"Authoritative"}]',
};

function importObject(object: object, kind: 'in' | 'out' | 'rule' = 'out'): Imported {
  const marks = {
    in: { SenderDomains: ['*'], RequireTls: true, SenderIPAddresses: [] },
    out: { RecipientDomains: ['contoso.com'], UseMXRecord: true, TlsSettings: null },
    rule: { Priority: 0, StopRuleProcessing: false, FromScope: null },
  };
  const content = JSON.stringify({ Name: 'one', ...marks[kind], ...object });
  return importExchange([domains, { name: 'x.json', content }]);
}

function valueOf(
  { objects }: Imported,
  kind: string,
): Readonly<Record<string, unknown>> | undefined {
  return objects.find((object) => object.kind === kind)?.value;
}

function saysOf({ report }: Imported, property: string): string[] {
  return report.lines
    .filter((line) => line.property === property && line.file === 'x.json')
    .map(({ outcome, text }) => `${outcome}: ${text}`);
}

test('a realistic export of Exchange moves in, and the report tells all of it', () => {
  const { objects, report } = importExchange(readFixtures('exchange'));
  assertGolden('exchange/report.txt', formatReport(report));
  assertGolden('exchange/flow.yaml', formatFlow(objects, []));
  const connectors = objects.filter(({ kind }) => kind.endsWith('bound-connector'));
  assert.equal(connectors.length, 19);
});

test('each value of TlsSettings stays what it is', () => {
  for (const settings of ['EncryptionOnly', 'CertificateValidation', 'DomainValidation']) {
    const value = valueOf(importObject({ TlsSettings: settings }), 'outbound-connector');
    assert.equal(value?.['tlsSettings'], settings);
    assert.equal(value?.['enabled'], undefined);
  }
});

test('a number in the place of a word turns the connector off, under the strictest setting', () => {
  const imported = importObject({ TlsSettings: 1 });
  const value = valueOf(imported, 'outbound-connector');
  assert.deepEqual([value?.['enabled'], value?.['tlsSettings']], [false, 'DomainValidation']);
  assert.match(saysOf(imported, 'TlsSettings')[0]!, /^not-possible: 1 is a number/);
  assert.deepEqual(imported.report.unprotected, ['mail to contoso.com']);
});

test('words of PowerShell 5 in their wrapper are read', () => {
  const wrapped = { value: 1, Value: 'EncryptionOnly' };
  const value = valueOf(importObject({ TlsSettings: wrapped }), 'outbound-connector');
  assert.equal(value?.['tlsSettings'], 'EncryptionOnly');
});

test('a connector of unknown type grants nothing', () => {
  const object = { ConnectorType: 1, SenderIPAddresses: ['192.0.2.1'], SenderDomains: ['*'] };
  const value = valueOf(importObject(object, 'in'), 'inbound-connector');
  assert.deepEqual([value?.['connectorType'], value?.['enabled']], [undefined, false]);
});

test('a domain that cannot be read turns the connector off rather than covering less', () => {
  const object = {
    RecipientDomains: ['contoso.com', 'a.*.contoso.com'],
    TlsSettings: 'EncryptionOnly',
  };
  const imported = importObject(object);
  assert.equal(valueOf(imported, 'outbound-connector')?.['enabled'], false);
  assert.match(
    saysOf(imported, 'RecipientDomains').join('\n'),
    /not-possible: .*star in the wrong place/,
  );
});

test('addresses that Exchange ignores do not narrow a partner connector', () => {
  const object = { SenderDomains: ['contoso.com'], SenderIPAddresses: ['192.0.2.1'] };
  const value = valueOf(importObject(object, 'in'), 'inbound-connector');
  assert.equal(value?.['senderIPAddresses'], undefined);
  assert.deepEqual(value?.['senderDomains'], ['contoso.com']);
});

test('a connector for some accepted domains is for all where one of them is unknown', () => {
  const object = {
    SenderDomains: ['contoso.com'],
    AssociatedAcceptedDomains: ['fabrikam.com', 'x.org'],
  };
  const imported = importObject(object, 'in');
  assert.equal(valueOf(imported, 'inbound-connector')?.['associatedAcceptedDomains'], undefined);
  assert.match(
    saysOf(imported, 'AssociatedAcceptedDomains')[0]!,
    /^not-possible: "x.org" is not accepted/,
  );
});

test('mandatory DANE turns the connector off, under DomainValidation', () => {
  const imported = importObject({ SmtpDaneMode: 'Mandatory' });
  const value = valueOf(imported, 'outbound-connector');
  assert.deepEqual([value?.['enabled'], value?.['tlsSettings']], [false, 'DomainValidation']);
});

test('a rule without one of its conditions, exceptions or actions is off', () => {
  for (const part of [
    { FromMemberOf: ['staff@fabrikam.com'] },
    { ExceptIfManagerIs: ['ada@fabrikam.com'] },
    { ApplyOME: true },
    { SubjectMatchesPatterns: ['(?=a)b'] },
    { ActivationDate: '1/29/2027 7:07:29 PM' },
  ]) {
    const imported = importObject({ RouteMessageOutboundRequireTls: true, ...part }, 'rule');
    assert.equal(valueOf(imported, 'rule')?.['enabled'], false, JSON.stringify(part));
    assert.equal(imported.report.unprotected.length, 1);
  }
});

test('rules stand in the order of their priority', () => {
  const rule = (Name: string, Priority: number): object => ({
    Name,
    Priority,
    StopRuleProcessing: true,
    FromScope: null,
  });
  const content = JSON.stringify([rule('second', 1), rule('first', 0)]);
  const { objects } = importExchange([domains, { name: 'x.json', content }]);
  const names = objects.filter(({ kind }) => kind === 'rule').map(({ name }) => name);
  assert.deepEqual(names, ['first', 'second']);
});

test('an unknown property is said, with the nearest known one, and turns the connector off', () => {
  const imported = importObject({ TlsSetings: 'DomainValidation' });
  assert.match(
    saysOf(imported, 'TlsSetings')[0]!,
    /^not-possible: .*unknown property.*nearest: TlsSettings/,
  );
  assert.equal(valueOf(imported, 'outbound-connector')?.['enabled'], false);
});

test('a property that stands there twice turns the connector off', () => {
  const content =
    '{"Name":"a","RecipientDomains":["b.com"],"UseMXRecord":true,"TlsSettings":null,"TlsSettings":"EncryptionOnly"}';
  const imported = importExchange([domains, { name: 'x.json', content }]);
  assert.equal(valueOf(imported, 'outbound-connector')?.['enabled'], false);
  assert.equal(saysOf(imported, 'TlsSettings').length, 2);
});

test('hundreds of connectors that are refused are told in seconds', () => {
  const list = Array.from({ length: 500 }, (_, place) => ({
    Name: `c${place}`,
    RecipientDomains: ['co.uk'],
    UseMXRecord: true,
    TlsSettings: 'DomainValidation',
  }));
  const before = process.cpuUsage();
  const { objects } = importExchange([domains, { name: 'x.json', content: JSON.stringify(list) }]);
  assert.equal(objects.length, 2);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 20_000_000, `${user} µs`);
});

test('lists that CSV lost turn the connector off', () => {
  const csv =
    '"Name","RecipientDomains","UseMXRecord","TlsSettings"\n"a","System.Collections.ArrayList","True","EncryptionOnly"\n';
  const { objects, report } = importExchange([domains, { name: 'x.csv', content: csv }]);
  assert.equal(
    objects.some(({ kind }) => kind === 'outbound-connector'),
    false,
  );
  assert.equal(report.unprotected.length, 1);
  assert.match(formatReport(report), /CSV holds the type of the list/);
});

test('lists that were joined are read apart, with blanks or semicolons', () => {
  for (const joined of [
    'smtp:a.com;1 smtp:*.b.com;1',
    'a.com;*.b.com',
    'a.com, *.b.com',
    '{a.com, *.b.com}',
  ]) {
    const value = valueOf(importObject({ RecipientDomains: joined }), 'outbound-connector');
    assert.deepEqual(value?.['recipientDomains'], ['a.com', '*.b.com'], joined);
  }
});

test('a certificate name inside of a subject is taken out of it', () => {
  const name = '<I>CN=Public CA, O=Trust<S>CN=mail.contoso.com, O=Contoso';
  const object = { SenderDomains: ['contoso.com'], RestrictDomainsToCertificate: true };
  const imported = importObject({ ...object, TlsSenderCertificateName: name }, 'in');
  const value = valueOf(imported, 'inbound-connector');
  assert.deepEqual(value?.['tlsSenderCertificateName'], ['mail.contoso.com']);
});

test('objects of other cmdlets, broken JSON and other texts are said', () => {
  const send = '{"Name":"Internet","AddressSpaces":["smtp:*;1"],"TlsAuthLevel":"DomainValidation"}';
  for (const [content, expected] of [
    [send, /x:1: an object: TlsAuthLevel: NOT POSSIBLE: "DomainValidation"/],
    ['{"Name": tru}', /x:1: NOT POSSIBLE: is no JSON: there is "t"/],
    ['{\n"Name": "a"', /x:2: NOT POSSIBLE: is no JSON: the file ends/],
    ['', /x:1: NOT POSSIBLE: the file is empty/],
    ['Name : a', /x:1: NOT POSSIBLE: is neither JSON nor CSV/],
    ['[]', /x:1: NOT POSSIBLE: holds no object/],
    ['[1]', /x:1: NOT POSSIBLE: is no object/],
  ] as const) {
    assert.match(formatReport(importExchange([{ name: 'x', content }]).report), expected);
  }
});

test('a file in an encoding of Windows is refused rather than losing letters', () => {
  const text = JSON.stringify([{ Name: 'a', RecipientDomains: ['a.com'] }], null, 1);
  const content = Buffer.from(text.replace('"a"', '"Z\u00fcrich"'), 'latin1');
  const { objects, report } = importExchange([{ name: 'x', content }]);
  assert.deepEqual(
    objects.map(({ kind }) => kind),
    ['organization'],
  );
  assert.match(
    formatReport(report),
    /x:3: NOT POSSIBLE: is neither UTF-8 nor UTF-16.*-Encoding utf8/,
  );
  for (const [encoding, mark] of [
    ['utf8', ''],
    ['utf8', '\ufeff'],
    ['utf16le', '\ufeff'],
  ] as const) {
    const written = mark + text.replaceAll('\n', '\r\n');
    const read = importExchange([{ name: 'x', content: Buffer.from(written, encoding) }]);
    assert.equal(read.objects.filter(({ kind }) => kind === 'outbound-connector').length, 1);
  }
});

test('a line of CSV that is cut off makes nothing, and is said', () => {
  const head = '"Name","RecipientDomains","UseMXRecord","TlsSettings"\n';
  const whole = '"a","a.com","True","EncryptionOnly"\n';
  for (const [cut, why] of [
    ['"b","b.com","True"', '3 of 4 columns'],
    ['"b","b.com","True","Encr', 'a quote is never closed'],
    ['"b,"b.com","True","EncryptionOnly"', '3 of 4 columns'],
  ] as const) {
    const { objects, report } = importExchange([{ name: 'x.csv', content: head + whole + cut }]);
    const made = objects.filter(({ kind }) => kind === 'outbound-connector');
    assert.deepEqual(
      made.map(({ name }) => name),
      ['a'],
      cut,
    );
    assert.ok(
      formatReport(report).includes(`x.csv:3: NOT POSSIBLE: is no whole line of CSV (${why})`),
      cut,
    );
  }
});

test('smart hosts without any name are off under a name that has to be written', () => {
  const object = {
    RecipientDomains: ['*'],
    UseMXRecord: false,
    SmartHosts: ['192.0.2.1'],
    TlsSettings: 'DomainValidation',
  };
  const value = valueOf(importObject(object, 'out'), 'outbound-connector');
  assert.deepEqual(
    [value?.['enabled'], value?.['tlsSettings'], value?.['tlsDomain']],
    [false, 'DomainValidation', ['name-to-be-written.invalid']],
  );
});

test('a certificate whose name cannot be read is demanded all the same by whoever turns it on', () => {
  const object = {
    SenderDomains: ['contoso.com'],
    RestrictDomainsToIPAddresses: true,
    SenderIPAddresses: ['192.0.2.1'],
    RestrictDomainsToCertificate: true,
    TlsSenderCertificateName: '*.co.uk',
  };
  const value = valueOf(importObject(object, 'in'), 'inbound-connector');
  assert.deepEqual(
    [
      value?.['enabled'],
      value?.['restrictDomainsToCertificate'],
      value?.['tlsSenderCertificateName'],
    ],
    [false, true, ['name-to-be-written.invalid']],
  );
});

test('mail that a rule leads to a connector that is off is said to wait', () => {
  const route = {
    Name: 'c',
    IsTransportRuleScoped: true,
    UseMXRecord: false,
    SmartHosts: ['h.example'],
    TlsSettings: 2,
  };
  const rule = { Name: 'r', StopRuleProcessing: false, RouteMessageOutboundConnector: 'C' };
  const { report } = importExchange([{ name: 'x', content: JSON.stringify([route, rule]) }]);
  assert.match(
    formatReport(report),
    /rule "r": RouteMessageOutboundConnector: changed: .*"c", which is off: mail .* waits/,
  );
  assert.deepEqual(report.unprotected, [
    'mail that a rule leads to connector "c": it waits until that is on',
  ]);
});

test('words of a rule that -Depth made one text turn it off', () => {
  const rule = {
    Name: 'r',
    SubjectContainsWords: 'secret confidential',
    StopRuleProcessing: false,
    SentToScope: 'NotInOrganization',
    RouteMessageOutboundRequireTls: true,
  };
  const imported = importExchange([{ name: 'x', content: JSON.stringify([rule]) }]);
  assert.equal(valueOf(imported, 'rule')?.['enabled'], false);
  assert.match(formatReport(imported.report), /SubjectContainsWords: NOT POSSIBLE: .* -Depth 4/);
});

test('without accepted domains connectors are made all the same, and what is missing is said', () => {
  const content =
    '{"Name":"a","RecipientDomains":["b.com"],"UseMXRecord":true,"TlsSettings":"EncryptionOnly"}';
  const imported = importExchange([{ name: 'x.json', content }], 'contoso');
  assert.equal(valueOf(imported, 'outbound-connector')?.['tlsSettings'], 'EncryptionOnly');
  assert.match(formatReport(imported.report), /there is no accepted domain in the files/);
});
