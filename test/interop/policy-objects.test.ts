/** Both spellings of the command line against a really started gateway: what they change is in force. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CliResult } from '../support/command-line.ts';
import { run } from '../support/command-line.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';

let gateway: RunningGateway;

before(async () => {
  gateway = await startGateway(await gatewaySetup());
});

after(async () => {
  await gateway?.remove();
});

/** `$POSTERN_CONFIG` names the gateway, so that a line needs no more than Microsoft's pages have. */
function postern(...argv: string[]): Promise<CliResult> {
  return run(argv, { io: { env: { POSTERN_CONFIG: gateway.configFile } }, input: '' });
}

async function done(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await postern(...argv);
  assert.equal(code, 0, `${argv.join(' ')}\n${stderr}`);
  assert.match(stderr, /^(?:(?:WARNING|postern: note): .*\n)*$/);
  return stdout;
}

/** What TLS must be for mail to this address, as it is decided now. */
async function demandOf(to: string): Promise<string> {
  const { stdout } = await postern('explain', '--from', 'user@example.test', '--to', to, '--json');
  const { outbound } = JSON.parse(stdout) as { outbound: { requirement: unknown } };
  return JSON.stringify(outbound.requirement);
}

test('a connector that a cmdlet makes is in force when it ends, and the other spelling shows it', async () => {
  const open = await demandOf('ann@contoso.com');
  const table = await done(
    'New-OutboundConnector -Name "Contoso Outbound Connector" -RecipientDomains *.contoso.com -TlsSettings DomainValidation -TlsDomain *.contoso.com',
  );
  assert.match(table, /Contoso Outbound Connector +True +Partner/);
  const forced = await demandOf('ann@contoso.com');
  assert.notEqual(forced, open);
  assert.match(forced, /contoso\.com/);
  const shown = await done('connector', 'show', 'outbound', 'contoso outbound connector');
  assert.match(shown, /^tlsSettings: DomainValidation$/m);
  const again = await postern(
    'connector',
    'create',
    'outbound',
    '--name',
    'Contoso Outbound Connector',
  );
  assert.equal(again.code, 73);
  assert.match(
    again.stderr,
    /there is the outbound connector "Contoso Outbound Connector" of example already/,
  );
});

test('what asks for less wants a reason, in either spelling, and is told before', async () => {
  const before = await demandOf('ann@contoso.com');
  const cmdlet = [
    'Set-OutboundConnector',
    'Contoso Outbound Connector',
    '-TlsSettings',
    'EncryptionOnly',
    '-TlsDomain',
    '$null',
  ];
  const whatIf = await done(...cmdlet, '-WhatIf');
  assert.match(whatIf, /^ {2}~ tlsSettings: DomainValidation -> EncryptionOnly$/m);
  assert.match(whatIf, /It asks for less than what is in force, so it needs a -Reason:\n {2}\S/);
  const asked = await postern(...cmdlet);
  assert.equal(asked.code, 65);
  assert.match(
    asked.stderr,
    /it asks for less than what is in force; say why with -Reason:\n {2}\S/,
  );
  const kebab = ['connector', 'disable', 'outbound', 'Contoso Outbound Connector'];
  const off = await postern(...kebab);
  assert.match(off.stderr, /say why with --reason:/);
  assert.equal(await demandOf('ann@contoso.com'), before);
  await done(...cmdlet, '-Reason', 'they renew until Friday');
  assert.notEqual(await demandOf('ann@contoso.com'), before);
});

test('what the gateway refuses is told in the words of the spelling', async () => {
  const cmdlet = await postern('New-OutboundConnector', 'x', '-TlsDomain', 'a.example');
  assert.equal(cmdlet.code, 78);
  assert.match(cmdlet.stderr, /-TlsDomain (?:acts|has|needs|is)/);
  const kebab = await postern(
    'connector',
    'create',
    'outbound',
    '--name',
    'x',
    '--tls-domain',
    'a.example',
  );
  assert.match(kebab.stderr, /--tls-domain (?:acts|has|needs|is)/);
});

test('rules are made, moved, switched and removed, and a connector is renamed with them', async () => {
  const scan = await postern(
    'connector',
    'create',
    'outbound',
    '--name',
    'Scan',
    '--is-transport-rule-scoped',
    '--smart-hosts',
    '127.0.0.1:2526',
    '--tls-settings',
    'EncryptionOnly',
  );
  assert.equal(scan.code, 0);
  assert.match(scan.stderr, /^postern: note: .*no rule routes to this connector/);
  await done(
    'New-TransportRule',
    'first',
    '-RouteMessageOutboundConnector',
    'Scan',
    '-FromScope',
    'InOrganization',
  );
  await done(
    'rule',
    'create',
    '--name',
    'second',
    '--subject-contains-words',
    'secret',
    '--quarantine',
    '--place',
    '0',
  );
  assert.match(
    await done('Get-TransportRule'),
    /\nsecond +Enabled +Enforce +0\nfirst +Enabled +Enforce +1\n/,
  );
  await done('rule', 'move', 'first', '--place', '0');
  await done('Disable-TransportRule', 'first', '-Reason', 'test');
  assert.match(await done('Get-TransportRule'), /\nfirst +Disabled +Enforce +0\nsecond/);
  await done('Set-OutboundConnector', 'Scan', '-Name', 'Scanner', '-Reason', 'a better name');
  assert.match(await done('rule', 'show', 'first'), /^routeMessageOutboundConnector: Scanner$/m);
  const used = await postern('Remove-OutboundConnector', 'Scanner', '-Confirm:$false');
  assert.equal(used.code, 65);
  assert.match(used.stderr, /rule "first" of example/);
  await done('Remove-TransportRule', 'first', '-Confirm:$false');
  await done('connector', 'remove', 'outbound', 'Scanner', '--yes', '--reason', 'not needed');
  assert.doesNotMatch(await done('Get-OutboundConnector'), /Scan/);
});

test('a domain is accepted and no longer accepted', async () => {
  await done('domain', 'create', '--domain', 'Sub.example.test', '--reason', 'ours');
  assert.match(await done('Get-AcceptedDomain'), /sub\.example\.test +Authoritative/);
  const needs = await postern('Set-AcceptedDomain', 'sub.example.test', '-Recipients', 'ann,bob');
  assert.match(needs.stderr, /^postern: -Recipients a list needs a deliveryTarget/);
  await done('Set-AcceptedDomain', 'sub.example.test', '-CatchAll', 'user@example.test');
  assert.match(await done('domain', 'show', 'SUB.example.test'), /^catchAll: user@example\.test$/m);
  await done('Remove-AcceptedDomain', 'sub.example.test', '-Confirm:$false', '-Reason', 'gone');
  assert.doesNotMatch(await done('Get-AcceptedDomain'), /sub\.example/);
});
