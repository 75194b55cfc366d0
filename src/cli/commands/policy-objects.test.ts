import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CliResult } from '../../../test/support/command-line.ts';
import { run } from '../../../test/support/command-line.ts';
import { Failure } from '../../mail/failure.ts';
import { FakePolicyObjects } from '../../../test/support/policy-objects.ts';

const contoso = {
  name: 'Contoso',
  recipientDomains: ['contoso.com'],
  tlsSettings: 'DomainValidation',
  tlsDomain: ['*.contoso.com'],
};
const inbound = { name: 'Contoso', senderDomains: ['contoso.com'] };

function fakeWith(objects: ConstructorParameters<typeof FakePolicyObjects>[1] = {}) {
  return new FakePolicyObjects(['fabrikam'], objects);
}

async function good(fake: FakePolicyObjects, ...argv: string[]): Promise<CliResult> {
  const result = await run(argv, { io: fake.io });
  assert.deepEqual([result.code, result.stderr], [0, ''], argv.join(' '));
  return result;
}

async function refused(fake: FakePolicyObjects, ...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(argv, { io: fake.io, input: '' });
  assert.notEqual(code, 0, argv.join(' '));
  assert.equal(stdout, '');
  return stderr;
}

test('a connector is created, shown, changed, switched and removed', async () => {
  const fake = fakeWith();
  const created = await good(
    fake,
    'connector',
    'create',
    'outbound',
    '--name',
    'Contoso',
    '--recipient-domains',
    'contoso.com',
    '--tls-settings',
    'DomainValidation',
    '--tls-domain',
    '*.contoso.com',
  );
  assert.equal(created.stdout, 'outbound connector Contoso of fabrikam is created, revision 2.\n');
  assert.deepEqual(fake.values('outbound-connector'), [contoso]);
  const shown = await good(fake, 'connector', 'show', 'outbound', 'contoso');
  assert.match(shown.stdout, /^# outbound connector Contoso of fabrikam, revision 2 of 2026/);
  assert.match(shown.stdout, /^tlsDomain:\n {2}- "\*\.contoso\.com"$/m);
  const set = ['connector', 'set', 'outbound', 'Contoso', '--tls-settings', 'EncryptionOnly'];
  const changed = await good(
    fake,
    ...set,
    '--unset',
    'tls-domain',
    '--add',
    'recipient-domains=a.example',
  );
  assert.equal(
    changed.stdout,
    `outbound connector Contoso of fabrikam is changed, revision 3.
  ~ recipientDomains: [contoso.com] -> [contoso.com, a.example]
  ~ tlsSettings: DomainValidation -> EncryptionOnly
  - tlsDomain: [*.contoso.com]
`,
  );
  await good(fake, 'connector', 'disable', 'outbound', 'Contoso');
  const list = await good(fake, 'connector', 'list', 'outbound');
  assert.match(list.stdout, /^NAME +ENABLED +CONNECTOR TYPE +RECIPIENT DOMAINS/);
  assert.match(list.stdout, /Contoso +false +Partner +contoso\.com, a\.example/);
  await good(fake, 'connector', 'enable', 'outbound', 'Contoso');
  assert.equal(fake.values('outbound-connector')[0]?.['enabled'], true);
  await good(fake, 'connector', 'remove', 'outbound', 'Contoso', '--yes');
  assert.deepEqual(fake.values('outbound-connector'), []);
});

test('a removal asks before, and nobody there to be asked is no yes', async () => {
  const fake = fakeWith({ 'outbound-connector': [contoso] });
  const text = await refused(fake, 'connector', 'remove', 'outbound', 'Contoso');
  assert.match(text, /Remove the outbound connector Contoso\? Nobody is there to be asked/);
  assert.deepEqual(fake.asked, []);
});

test('a dry run in either spelling says what would change, and changes nothing', async () => {
  const fake = fakeWith({ 'outbound-connector': [contoso] });
  fake.weaker.push('mail to contoso.com no longer needs the name *.contoso.com');
  const kebab = await good(
    fake,
    'connector',
    'set',
    'outbound',
    'Contoso',
    '--tls-settings',
    'CertificateValidation',
    '--unset',
    'tls-domain',
    '--dry-run',
  );
  const changes = `  ~ tlsSettings: DomainValidation -> CertificateValidation
  - tlsDomain: [*.contoso.com]
`;
  assert.equal(
    kebab.stdout,
    `outbound connector Contoso of fabrikam would be so; nothing was changed.
${changes}It asks for less, and wants to know why (--reason):
  mail to contoso.com no longer needs the name *.contoso.com
`,
  );
  const cmdlet = await good(
    fake,
    'Set-OutboundConnector Contoso -TlsSettings CertificateValidation -TlsDomain $null -WhatIf',
  );
  assert.equal(
    cmdlet.stdout,
    `What if: Performing the operation "Set-OutboundConnector" on target "Contoso".
${changes}It asks for less than what is in force, so it needs a -Reason:
  mail to contoso.com no longer needs the name *.contoso.com
`,
  );
  assert.deepEqual(
    fake.asked.map(({ options }) => options.dryRun),
    [true, true],
  );
  assert.deepEqual(fake.values('outbound-connector'), [contoso]);
});

test('a reason is handed over in either spelling', async () => {
  const fake = fakeWith({ 'outbound-connector': [contoso] });
  fake.weaker.push('less');
  const set = ['connector', 'disable', 'outbound', 'Contoso'];
  assert.match(await refused(fake, ...set), /less/);
  await good(fake, ...set, '--reason', 'they renew');
  await good(fake, 'Enable-OutboundConnector Contoso -Reason "they renewed"');
  assert.deepEqual(
    fake.asked.map(({ options }) => options.reason),
    [null, 'they renew', 'they renewed'],
  );
});

test('what would change nothing is not sent', async () => {
  const fake = fakeWith({ 'outbound-connector': [contoso] });
  const set = ['connector', 'set', 'outbound', 'Contoso', '--recipient-domains', 'contoso.com'];
  const { stdout } = await good(fake, ...set);
  assert.equal(stdout, 'outbound connector Contoso of fabrikam: nothing changes\n');
  await good(fake, 'Set-OutboundConnector Contoso -RecipientDomains contoso.com');
  assert.deepEqual(fake.asked, []);
});

test('a certificate name is demanded where nothing was said of it, and refused where that was denied', async () => {
  const fake = fakeWith({ 'inbound-connector': [inbound] });
  const set = [
    'connector',
    'set',
    'inbound',
    'Contoso',
    '--tls-sender-certificate-name',
    'a.example',
  ];
  const told = await run([...set, '--dry-run'], { io: fake.io });
  assert.match(
    told.stderr,
    /^postern: note: --tls-sender-certificate-name acts only with --restrict-domains-to-certificate, which is therefore set to true/,
  );
  assert.match(told.stdout, /^  \+ restrictDomainsToCertificate: true$/m);
  const denied = [...set, '--restrict-domains-to-certificate', 'false'];
  assert.match(await refused(fake, ...denied), /acts only with restrictDomainsToCertificate: true/);
  const own = ['--connector-type', 'OnPremises', '--unset', 'sender-domains'];
  const onPremises = await good(fake, ...set, ...own);
  assert.doesNotMatch(onPremises.stdout, /restrictDomainsToCertificate/);
});

test('mistakes bear the words of the spelling, with the nearest right one', async () => {
  const fake = fakeWith({ 'outbound-connector': [contoso] });
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['connector', 'create', 'outbound', '--tls-settings', 'Pinned'], /--name is needed/],
    [
      ['connector', 'create', 'outbound', '--name', 'x', '--tls-settings', 'DomainValidaton'],
      /--tls-settings must be .*; did you mean DomainValidation\?/,
    ],
    [
      ['connector', 'create', 'outbound', '--name', 'x', '--mta-sts-mode', 'Opportunistic'],
      /--mta-sts-mode Opportunistic demands what the destination publishes, and MTA-STS is not/,
    ],
    [
      ['connector', 'set', 'outbound', 'Contso', '--enabled'],
      /there is no outbound connector Contso; did you mean Contoso\?/,
    ],
    [['connector', 'set', 'outbound', 'Contoso'], /nothing is said that shall change/],
    [
      ['connector', 'set', 'outbound', 'Contoso', '--add', 'recipient-domain=x.example'],
      /there is no "recipient-domain" in it; did you mean recipient-domains\?/,
    ],
    [
      ['connector', 'set', 'outbound', 'Contoso', '--add', 'tls-settings=Pinned'],
      /--add: tls-settings is no list/,
    ],
    [
      ['connector', 'set', 'outbound', 'Contoso', '--remove', 'recipient-domains=contoso.org'],
      /--recipient-domains: "contoso\.org" is not in it; did you mean contoso\.com\?/,
    ],
    [
      ['connector', 'set', 'outbound', 'Contoso', '--tls-domain', 'a', '--unset', 'tls-domain'],
      /tls-domain is spoken of twice/,
    ],
    [['connector', 'set', 'outbound', 'Contoso', '--enabled', 'yes'], /It is true or false/],
    [['connector', 'list', 'outbound', '--organization', 'fabricam'], /did you mean fabrikam\?/],
    [['New-OutboundConnector', 'x', '-TlsSettings', 'DomainValidaton'], /-TlsSettings must be/],
    [['New-OutboundConnector', 'x', '-SmtpDaneMode', 'mandatory'], /-SmtpDaneMode must be None/],
    [
      ['New-OutboundConnector', 'x', '-RecipientDomains', '@{Add=a.b}'],
      /nothing can be added to what is new/,
    ],
    [
      ['New-OutboundConnector', 'x', '-IsValidated', 'true'],
      /-IsValidated is of Set-OutboundConnector/,
    ],
    [
      ['Set-OutboundConnector', 'Contoso', '-RecipientDomains', '@{Remove=x}'],
      /-RecipientDomains: "x" is not in it; it holds contoso\.com/,
    ],
    [
      ['Get-OutboundConnector', '-Format', 'yaml'],
      /-Format is one of table, list, json, not "yaml"/,
    ],
    [
      ['Get-OutboundConnector', '-Property', 'TlsDomian'],
      /there is no property TlsDomian; did you mean TlsDomain\?/,
    ],
    [['Get-OutboundConnector', '-ResultSize', '0'], /-ResultSize is a number from 1, or Unlimited/],
    [
      ['Get-OutboundConector'],
      /there is no cmdlet Get-OutboundConector; did you mean Get-OutboundConnector\?/,
    ],
    [['Get-OutboundConnectorReport'], /`postern explain --from SENDER --to RECIPIENT` says which/],
    [['Enable-AcceptedDomain', 'fabrikam.com'], /an accepted domain has no switch/],
  ];
  for (const [argv, text] of cases) assert.match(await refused(fake, ...argv), text);
  assert.deepEqual(fake.asked, []);
});

test('of several organizations one must be named for a change, and all are shown', async () => {
  const fake = new FakePolicyObjects(['fabrikam', 'litware'], { 'outbound-connector': [contoso] });
  const create = ['domain', 'create', '--domain', 'Sub.Fabrikam.com'];
  assert.match(
    await refused(fake, ...create),
    /--organization is needed, one of: fabrikam, litware/,
  );
  assert.match(
    await refused(fake, 'Remove-AcceptedDomain', 'litware.example'),
    /-Organization is needed, one of: fabrikam, litware/,
  );
  await good(fake, ...create, '--organization', 'fabrikam');
  assert.deepEqual(fake.values('accepted-domain'), [
    { domain: 'fabrikam.com' },
    { domain: 'Sub.Fabrikam.com' },
  ]);
  const { stdout } = await good(fake, 'Get-AcceptedDomain');
  assert.match(stdout, /^Name +DomainType +MatchSubDomains +Recipients +Organization\n/);
  assert.match(stdout, /litware\.example +Authoritative +False +litware/);
  const one = await good(fake, 'Get-AcceptedDomain', '-Organization', 'litware', '-Format', 'json');
  const names = (JSON.parse(one.stdout) as readonly { Name: string }[]).map(({ Name }) => Name);
  assert.deepEqual(names, ['litware.example']);
});

test('a new name of a connector is taken over by the rules that lead to it, in one change', async () => {
  const scoped = { name: 'Old', isTransportRuleScoped: true, smartHosts: ['a.example'] };
  const fake = fakeWith({
    'outbound-connector': [scoped, contoso],
    rule: [
      { name: 'one', routeMessageOutboundConnector: 'Old' },
      { name: 'two', routeMessageOutboundConnector: 'Old', overrides: ['Contoso'] },
      { name: 'three', prependSubject: 'x' },
    ],
  });
  await good(fake, 'Set-OutboundConnector', 'Old', '-Name', 'New', '-Comment', 'renamed');
  await good(fake, 'connector', 'set', 'outbound', 'Contoso', '--name', 'Contoso Ltd');
  assert.deepEqual(
    fake.values('outbound-connector').map(({ name, comment }) => [name, comment]),
    [
      ['New', 'renamed'],
      ['Contoso Ltd', undefined],
    ],
  );
  assert.deepEqual(
    fake
      .values('rule')
      .map(({ routeMessageOutboundConnector, overrides }) => [
        routeMessageOutboundConnector,
        overrides,
      ]),
    [
      ['New', undefined],
      ['New', ['Contoso Ltd']],
      [undefined, undefined],
    ],
  );
  assert.equal(fake.asked.length, 2);
  const taken = await refused(fake, 'Set-OutboundConnector', 'New', '-Name', 'contoso ltd');
  assert.match(taken, /there is another contoso ltd/);
});

test('rules have their place: created, moved and renamed', async () => {
  const fake = fakeWith();
  const names = (): readonly unknown[] => fake.values('rule').map(({ name }) => name);
  const create = (name: string): readonly string[] => [
    'rule',
    'create',
    '--name',
    name,
    '--quarantine',
  ];
  await good(fake, ...create('a'));
  await good(fake, ...create('b'));
  await good(fake, ...create('c'), '--place', '0');
  assert.deepEqual(names(), ['c', 'a', 'b']);
  await good(fake, 'New-TransportRule', 'd', '-Quarantine', 'true', '-Priority', '1');
  assert.deepEqual(names(), ['c', 'd', 'a', 'b']);
  await good(fake, 'rule', 'move', 'b', '--place', '1');
  assert.deepEqual(names(), ['c', 'b', 'd', 'a']);
  await good(fake, 'Set-TransportRule', 'c', '-Priority', '3', '-Name', 'e');
  assert.deepEqual(names(), ['b', 'd', 'a', 'e']);
  await good(fake, 'Set-TransportRule', 'd', '-Name', 'f');
  assert.deepEqual(names(), ['b', 'f', 'a', 'e']);
  assert.match(
    await refused(fake, 'rule', 'move', 'b', '--place', '4'),
    /the last place is 3 here/,
  );
  assert.match(await refused(fake, 'rule', 'move', 'b'), /--place is needed/);
  assert.match(await refused(fake, ...create('g'), '--place', '5'), /the last place is 4 here/);
  const { stdout } = await good(fake, 'Get-TransportRule');
  assert.match(stdout, /^Name +State +Mode +Priority +Comments\nb +Enabled +Enforce +0\nf/);
});

test('Get finds by name in any case and by Guid, filters, and cuts where it says so', async () => {
  const scoped = { name: 'Scoped', isTransportRuleScoped: true, smartHosts: ['a.example'] };
  const test = { name: 'Test', recipientDomains: ['b.example'], testMode: true };
  const fake = fakeWith({ 'outbound-connector': [contoso, scoped, test] });
  const names = async (...argv: string[]): Promise<readonly string[]> => {
    const { stdout } = await good(fake, 'Get-OutboundConnector', '--output', 'json', ...argv);
    return (JSON.parse(stdout) as readonly { Name: string }[]).map(({ Name }) => Name);
  };
  assert.deepEqual(await names(), ['Contoso', 'Scoped', 'Test']);
  assert.deepEqual(await names('$null'), ['Contoso', 'Scoped', 'Test']);
  assert.deepEqual(await names('CONTOSO'), ['Contoso']);
  assert.deepEqual(await names('-IsTransportRuleScoped', 'true'), ['Scoped']);
  assert.deepEqual(await names('-IsTransportRuleScoped', 'false'), ['Contoso', 'Test']);
  assert.deepEqual(await names('-IncludeTestModeConnectors', '$false'), ['Contoso', 'Scoped']);
  const { stdout } = await good(fake, 'Get-OutboundConnector Test | ConvertTo-Json');
  const [object] = JSON.parse(stdout) as readonly { Guid: string; TestMode: boolean }[];
  assert.equal(object!.TestMode, true);
  assert.deepEqual(await names(object!.Guid.toUpperCase()), ['Test']);
  const few = await run(['Get-OutboundConnector', '-ResultSize', '2'], { io: fake.io });
  assert.equal(few.stderr, 'WARNING: 2 of 3 are shown; -ResultSize Unlimited shows all\n');
  const narrow = await good(fake, 'Get-OutboundConnector Contoso | fl name,TLSDOMAIN');
  assert.equal(narrow.stdout, 'Name      : Contoso\nTlsDomain : {*.contoso.com}\n');
});

test('a long list is shown whole, and control characters are not', async () => {
  const domains = Array.from({ length: 80 }, (_, i) => `domain-${i}.contoso.example`);
  const fake = fakeWith({
    'outbound-connector': [{ name: 'x', recipientDomains: domains, comment: 'a\u001b[31m' }],
  });
  for (const argv of [['Get-OutboundConnector x | fl'], ['connector', 'show', 'outbound', 'x']]) {
    const { stdout } = await good(fake, ...argv);
    assert.ok(stdout.includes('domain-79.contoso.example'));
    assert.ok(!stdout.includes('\u001b'));
  }
});

test('-ErrorAction SilentlyContinue says nothing and keeps the exit code; -Verbose says what is done', async () => {
  const fake = fakeWith();
  const quiet = ['Remove-OutboundConnector', 'x', '-ErrorAction', 'SilentlyContinue'];
  const result = await run(quiet, { io: fake.io });
  assert.deepEqual([result.stdout, result.stderr], ['', '']);
  assert.notEqual(result.code, 0);
  const usage = await run([...quiet, '-Nonsense'], { io: fake.io });
  assert.match(usage.stderr, /there is no parameter -Nonsense/);
  const verbose = await run(
    ['New-OutboundConnector', 'x', '-RecipientDomains', 'a.example', '-Verbose'],
    { io: fake.io },
  );
  assert.match(verbose.stderr, /^VERBOSE: outbound connector x of fabrikam: revision 2\n/);
});

test('-Help prints the parameters of a cmdlet, without a gateway', async () => {
  for (const word of ['-Help', '-?', '--help']) {
    const { code, stdout } = await run(['New-InboundConnector', word]);
    assert.equal(code, 0);
    assert.match(stdout, /^New-InboundConnector: create an inbound connector\n/);
    assert.match(stdout, /^ {2}-ConnectorType Partner\|OnPremises$/m);
    assert.match(stdout, /-EFSkipMailGateway/);
    assert.match(stdout, /With -RestrictDomainsToIPAddresses mail from elsewhere is refused/);
  }
});

test('values of Exchange become ours: sizes, dates, ranges, brackets, costs', async () => {
  const fake = fakeWith();
  fake.isStrict = false;
  await good(
    fake,
    'New-TransportRule a -MessageSizeOver 10MB -ActivationDate "09/01/2026 5:00 PM" -ExpiryDate 9/30/2026 -SenderIpRanges 192.0.2.0-192.0.2.3 -ExceptIfMessageSizeOver 2048',
  );
  assert.deepEqual(fake.values('rule')[0], {
    name: 'a',
    activationDate: '2026-09-01T17:00:00.000Z',
    expiryDate: '2026-09-30T00:00:00.000Z',
    messageSizeOver: '10MiB',
    senderIPRanges: ['192.0.2.0/30'],
    exceptIfMessageSizeOver: '2048B',
  });
  await good(
    fake,
    'New-OutboundConnector b -SmartHosts "[192.168.0.1]",c.example -RecipientDomains "smtp:*;1"',
  );
  assert.deepEqual(fake.values('outbound-connector')[0], {
    name: 'b',
    recipientDomains: ['*'],
    smartHosts: ['192.168.0.1', 'c.example'],
  });
  await good(
    fake,
    'Set-OutboundConnector b -IsValidated $true -LastValidationTimestamp "2021-05-06 14:30:00z"',
  );
  assert.equal(
    fake.values('outbound-connector')[0]?.['lastValidationTimestamp'],
    '2021-05-06T14:30:00.000Z',
  );
  const wrong = await refused(fake, 'New-TransportRule', 'x', '-ActivationDate', '13/13/2026');
  assert.match(wrong, /-ActivationDate takes a date such as 09\/01\/2026 \(the month first\)/);
});

test('who may not list organizations works in the one that is named', async () => {
  const fake = fakeWith({ 'outbound-connector': [contoso] });
  fake.listOrganizations = async () => {
    throw new Failure('api-not-permitted', 'you may not list organizations');
  };
  const named = ['--organization', 'fabrikam'];
  assert.match((await good(fake, 'connector', 'list', 'outbound', ...named)).stdout, /Contoso/);
  await good(fake, 'Disable-OutboundConnector', 'Contoso', '-Organization', 'fabrikam');
  const text = await refused(fake, 'connector', 'list', 'outbound');
  assert.match(text, /you may not list organizations/);
});
