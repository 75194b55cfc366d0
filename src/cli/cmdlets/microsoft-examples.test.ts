import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';
import { FakePolicyObjects } from '../../../test/support/policy-objects.ts';
import type { CommandContext } from '../command-context.ts';
import { runCmdlet } from './run-cmdlet.ts';

/** The command of an example as a shell hands it over that leaves `$` alone. */
const newOutbound = [
  'New-OutboundConnector',
  '-Name',
  'Contoso Outbound Connector',
  '-RecipientDomains',
  '*.contoso.com',
  '-TlsSettings',
  'DomainValidation',
  '-TlsDomain',
  '*.contoso.com',
];

test('the example of New-OutboundConnector makes a connector that validates the domain', async () => {
  const fake = new FakePolicyObjects();
  const result = await run(newOutbound, { io: fake.io });
  assert.deepEqual([result.code, result.stderr], [0, '']);
  assert.deepEqual(fake.values('outbound-connector'), [
    {
      name: 'Contoso Outbound Connector',
      recipientDomains: ['*.contoso.com'],
      tlsSettings: 'DomainValidation',
      tlsDomain: ['*.contoso.com'],
    },
  ]);
  assert.match(result.stdout, /^Name +Enabled +ConnectorType +RecipientDomains/);
  assert.match(result.stdout, /Contoso Outbound Connector +True +Partner +\{\*\.contoso\.com\}/);
});

test('the example of Set-OutboundConnector leads it to a smart host', async () => {
  const fake = new FakePolicyObjects();
  await run(newOutbound, { io: fake.io });
  const line = `Set-OutboundConnector "Contoso Outbound Connector" -UseMxRecord $false -SmartHosts 192.168.0.1`;
  const result = await run([line], { io: fake.io });
  assert.deepEqual([result.code, result.stderr], [0, '']);
  assert.deepEqual(fake.values('outbound-connector')[0], {
    name: 'Contoso Outbound Connector',
    recipientDomains: ['*.contoso.com'],
    tlsSettings: 'DomainValidation',
    tlsDomain: ['*.contoso.com'],
    useMXRecord: false,
    smartHosts: ['192.168.0.1'],
  });
});

test('the first example of New-InboundConnector restricts the domains to addresses', async () => {
  const fake = new FakePolicyObjects();
  const line = `New-InboundConnector -Name "Contoso Inbound Connector" -SenderDomains *.contoso.com -SenderIPAddresses 192.168.0.1/25 -RestrictDomainsToIPAddresses $true`;
  const result = await run([line], { io: fake.io });
  assert.deepEqual([result.code, result.stderr], [0, '']);
  assert.deepEqual(fake.values('inbound-connector'), [
    {
      name: 'Contoso Inbound Connector',
      senderDomains: ['*.contoso.com'],
      senderIPAddresses: ['192.168.0.1/25'],
      restrictDomainsToIPAddresses: true,
    },
  ]);
});

test('the second one demands TLS and the certificate that it names, and says so', async () => {
  const fake = new FakePolicyObjects();
  const line = `New-InboundConnector -Name "Contoso Inbound Secure Connector" -SenderDomains *.contoso.com -SenderIPAddresses 192.168.0.1/25 -RestrictDomainsToIPAddresses $true -RequireTLS $true -TlsSenderCertificateName *.contoso.com`;
  const result = await run([line], { io: fake.io });
  assert.equal(result.code, 0, result.stderr);
  assert.match(
    result.stderr,
    /^WARNING: -TlsSenderCertificateName acts only with -RestrictDomainsToCertificate, which is therefore set to true/,
  );
  assert.deepEqual(fake.values('inbound-connector')[0], {
    name: 'Contoso Inbound Secure Connector',
    senderDomains: ['*.contoso.com'],
    senderIPAddresses: ['192.168.0.1/25'],
    restrictDomainsToIPAddresses: true,
    requireTls: true,
    tlsSenderCertificateName: ['*.contoso.com'],
    restrictDomainsToCertificate: true,
  });
});

test('the example of Set-InboundConnector demands the certificate name', async () => {
  const before = { name: 'Contoso Inbound Connector', senderDomains: ['*.contoso.com'] };
  const fake = new FakePolicyObjects(['fabrikam'], { 'inbound-connector': [before] });
  const line = `Set-InboundConnector "Contoso Inbound Connector" -RequireTls $true -TlsSenderCertificateName contoso.com`;
  const result = await run([line], { io: fake.io });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(fake.values('inbound-connector')[0], {
    ...before,
    requireTls: true,
    tlsSenderCertificateName: ['contoso.com'],
    restrictDomainsToCertificate: true,
  });
});

const contoso = {
  name: 'Contoso Outbound Connector',
  recipientDomains: ['*.contoso.com'],
  tlsSettings: 'DomainValidation',
  tlsDomain: ['*.contoso.com'],
};

test('the examples of Get print tables, and lists where they are piped into Format-List', async () => {
  const inbound = { name: 'Inbound Connector for Contoso.com', senderDomains: ['contoso.com'] };
  const fake = new FakePolicyObjects(['fabrikam'], {
    'inbound-connector': [inbound],
    'outbound-connector': [contoso],
  });
  const show = async (line: string): Promise<string> => {
    const result = await run([line], { io: fake.io });
    assert.deepEqual([result.code, result.stderr], [0, ''], line);
    return result.stdout;
  };
  assert.match(
    await show('Get-InboundConnector'),
    /^Name +Enabled.*\nInbound Connector for Contos/,
  );
  const list = await show('Get-InboundConnector "Inbound Connector for Contoso.com" | Format-List');
  assert.match(list, /^Name +: Inbound Connector for Contoso\.com\n/);
  assert.match(list, /^RequireTls +: True$/m);
  assert.match(list, /^SenderDomains +: \{contoso\.com\}$/m);
  const outbound = await show('Get-OutboundConnector "Contoso Outbound Connector" | Format-List');
  assert.match(outbound, /^TlsSettings +: DomainValidation$/m);
  assert.match(outbound, /^Guid +: [0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-/m);
  assert.match(await show('Get-AcceptedDomain'), /fabrikam\.com +Authoritative/);
  assert.equal(await show('Get-TransportRule'), '');
});

test('the examples of Remove ask, and are told unasked with -Confirm:$false', async () => {
  const inbound = { name: 'Contoso Inbound Connector', senderDomains: ['contoso.com'] };
  const rule = {
    name: 'Redirect messages from kim@contoso.com to legal@contoso.com',
    from: ['kim@contoso.com'],
    redirectMessageTo: ['legal@contoso.com'],
  };
  const fake = new FakePolicyObjects(['fabrikam'], {
    'inbound-connector': [inbound],
    'outbound-connector': [contoso],
    rule: [rule],
  });
  const lines = [
    'Remove-InboundConnector "Contoso Inbound Connector"',
    'Remove-OutboundConnector "Contoso Outbound Connector"',
    'Remove-TransportRule -Identity "Redirect messages from kim@contoso.com to legal@contoso.com"',
  ];
  for (const line of lines) {
    const asked = await run([line], { io: fake.io, input: '' });
    assert.equal(asked.code, 64, line);
    assert.match(asked.stderr, /Nobody is there to be asked; -Confirm:\$false/);
    assert.equal(fake.asked.length, lines.indexOf(line));
    const told = await run([`${line} -Confirm:$false`], { io: fake.io, input: '' });
    assert.deepEqual([told.code, told.stderr, told.stdout], [0, '', ''], line);
  }
  assert.deepEqual(fake.values('outbound-connector'), []);
  assert.deepEqual(fake.values('inbound-connector'), []);
  assert.deepEqual(fake.values('rule'), []);
});

test('the example of New-AcceptedDomain accepts the domain, and says that its name is not kept', async () => {
  const fake = new FakePolicyObjects();
  const line = 'New-AcceptedDomain -DomainName Contoso.com -DomainType Authoritative -Name Contoso';
  const result = await run([line], { io: fake.io });
  assert.equal(result.code, 0, result.stderr);
  assert.match(
    result.stderr,
    /^WARNING: an accepted domain is named by its domain, Contoso\.com: the/,
  );
  assert.deepEqual(fake.values('accepted-domain'), [
    { domain: 'fabrikam.com' },
    { domain: 'Contoso.com', type: 'Authoritative' },
  ]);
});

test('the examples of transport rules switch them on, for good or in Audit, and off', async () => {
  const rule = (name: string): { name: string; enabled: boolean; prependSubject: string } => ({
    name,
    enabled: false,
    prependSubject: 'A',
  });
  const approval = 'Require approval of messages to contoso.com';
  const rules = ['Disclaimer-Finance', approval, 'Sales Disclaimer'].map(rule);
  const fake = new FakePolicyObjects(['fabrikam'], { rule: rules });
  for (const line of [
    'Enable-TransportRule -Identity "Disclaimer-Finance"',
    `Enable-TransportRule -Identity "${approval}" -Mode Audit`,
    'Disable-TransportRule -Identity "Sales Disclaimer"',
  ]) {
    const result = await run([line], { io: fake.io });
    assert.deepEqual([result.code, result.stderr], [0, ''], line);
  }
  const now = fake.values('rule').map(({ enabled, mode }) => [enabled, mode]);
  assert.deepEqual(now, [
    [true, undefined],
    [true, 'Audit'],
    [false, undefined],
  ]);
  // Off already: nothing was sent for it.
  assert.equal(fake.asked.length, 2);
});

test('examples that use what is not there are refused with the reason, and nothing is asked', async () => {
  const fake = new FakePolicyObjects(['fabrikam'], {
    rule: [{ name: 'Sales Team Disclaimer', prependSubject: 'A' }],
  });
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      'New-TransportRule "Ethical Wall - Sales and Brokerage Departments" -BetweenMemberOf1 "Sales Department" -BetweenMemberOf2 "Brokerage Department" -ExceptIfFrom "Tony Smith","Pilar Ackerman" -ExceptIfSubjectContainsWords "Press Release","Corporate Communication" -RejectMessageReasonText "Messages sent between the Sales and Brokerage departments are strictly prohibited."',
      /-BetweenMemberOf1 needs a directory of people and groups, which is not there/,
    ],
    [
      'Set-TransportRule "Sales Team Disclaimer" -FromMemberOf "Sales Department"',
      /-FromMemberOf needs a directory of people and groups/,
    ],
    [
      'Set-AcceptedDomain -Identity Contoso -MakeDefault $true',
      /-MakeDefault is not there: no accepted domain is the default one/,
    ],
    ['Get-TransportRule -DlpPolicy "PII (U.S.)"', /-DlpPolicy is reserved by Microsoft/],
    [
      "Get-AcceptedDomain | Where{$_.DomainType -eq 'Authoritative'}",
      /nothing can be piped into "Where\{\$_\.DomainType -eq 'Authoritative'\}"/,
    ],
    ['Remove-AcceptedDomain Contoso -Confirm:$false', /there is no accepted domain Contoso/],
  ];
  for (const [line, text] of cases) {
    const result = await run([line], { io: fake.io });
    assert.match(result.stderr, text);
    assert.notEqual(result.code, 0);
    assert.equal(result.stdout, '');
  }
  assert.deepEqual(fake.asked, []);
});

test('the example of Get-MessageTrace searches with the month first', async (t) => {
  const queries: unknown[] = [];
  const { socketPath } = await startFakeGateway(t, {
    searchTraces: async (query) => {
      queries.push(query);
      const recipients = [
        {
          recipient: 'ann@fabrikam.com',
          aliasedFrom: null,
          state: 'bounced' as const,
          status: '5.1.1',
          reason: 'unknown',
          at: '2018-06-14T09:00:00.000Z',
        },
      ];
      const row = { id: '06X9T5K1G000', at: '2018-06-14T09:00:00.000Z', recipientCount: 1 };
      return { rows: [{ ...row, from: 'john@contoso.com', recipients }], next: null };
    },
  });
  const line = `Get-MessageTrace -SenderAddress john@contoso.com -StartDate 06/13/2018 -EndDate 06/15/2018 -Socket ${socketPath}`;
  const result = await run([line]);
  assert.deepEqual([result.code, result.stderr], [0, '']);
  assert.match(result.stdout, /john@contoso\.com +ann@fabrikam\.com +Failed +06X9T5K1G000/);
  const [query] = queries as readonly Record<string, unknown>[];
  assert.equal(query?.['from'], 'john@contoso.com');
  assert.equal(query?.['since'], '2018-06-13T00:00:00.000Z');
  assert.equal(query?.['until'], '2018-06-15T00:00:00.000Z');
});

test('the example of Validate-OutboundConnector runs the validation of the other spelling', async () => {
  const line =
    'Validate-OutboundConnector -Identity "Contoso.com Outbound Connector" -Recipients laura@contoso.com,julia@contoso.com';
  const ran: (readonly string[])[] = [];
  const context = {
    runCommand: async (words: readonly string[]) => void ran.push(words),
  } as unknown as CommandContext;
  await runCmdlet(context, [line]);
  const to = ['--to', 'laura@contoso.com', '--to', 'julia@contoso.com'];
  assert.deepEqual(ran, [['connector', 'validate', 'Contoso.com Outbound Connector', ...to]]);
  const elsewhere = ['-Organization', 'fabrikam', '-Profile', 'head office'];
  await runCmdlet(context, [
    'Validate-OutboundConnector',
    'x',
    '-Recipients',
    'a@b.c',
    ...elsewhere,
  ]);
  const options = ['--organization', 'fabrikam', '--profile', 'head office'];
  assert.deepEqual(ran[1], ['connector', 'validate', 'x', '--to', 'a@b.c', ...options]);
  const whatIf = await run([`${line} -WhatIf`]);
  assert.equal(
    whatIf.stdout,
    'What if: Performing the operation "Validate-OutboundConnector" on target "Contoso.com Outbound Connector".\n',
  );
  const unasked = await run([`${line} -Confirm`], { input: '' });
  assert.match(unasked.stderr, /Send test mail to laura@contoso\.com, julia@contoso\.com\? Nobody/);
});
