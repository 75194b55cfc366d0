/** The policy as a file: exported, planned, applied to another gateway, and the same again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { startGateway } from '../support/gateway.ts';
import type { CommandResult, RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';

let full: RunningGateway;
let empty: RunningGateway;

const organization = {
  inboundConnectors: [
    { name: 'from bank', senderDomains: 'bank.test', requireTls: true },
    { name: 'from clinic', senderDomains: '*.clinic.test', requireTls: true, mode: 'observe' },
  ],
  outboundConnectors: [
    {
      name: 'to bank',
      recipientDomains: ['bank.test', '*.bank-group.test'],
      tlsSettings: 'DomainValidation',
      tlsDomain: '*.bank.test',
      comment: 'agreed: 2026, "by phone"',
    },
  ],
  rules: [
    { name: 'second', subjectContainsWords: ['secret'], routeMessageOutboundRequireTls: true },
    { name: 'first', senderDomainIs: ['spam.test'], deleteMessage: true },
  ],
  aliases: [{ address: 'info@example.test', to: ['user@example.test'] }],
};

before(async () => {
  full = await startGateway(await gatewaySetup({ organization }));
  const { config, files } = await gatewaySetup();
  const { organizations: _organizations, ...bare } = config as Record<string, unknown>;
  empty = await startGateway({ config: bare, files });
});
after(async () => {
  await Promise.all([full?.remove(), empty?.remove()]);
});

async function exported(gateway: RunningGateway): Promise<string> {
  const { code, stdout, stderr } = await gateway.run('export');
  assert.equal(code, 0, stderr);
  return stdout;
}

async function flowIn(gateway: RunningGateway, text: string): Promise<string> {
  const file = join(gateway.folder, 'flow.yaml');
  await writeFile(file, text);
  return file;
}

function succeeds({ code, stdout, stderr }: CommandResult, expected = 0): string {
  assert.equal(code, expected, `${stdout}${stderr}`);
  return stdout;
}

test('what one gateway exports makes an empty one the same, byte for byte', async () => {
  const text = await exported(full);
  assert.doesNotMatch(text, /argon2id/);
  const file = await flowIn(empty, text);
  const planned = succeeds(await empty.run('plan', '-f', file), 2);
  assert.match(planned, /\+ outbound connector "to bank" of example/);
  assert.match(planned, /would have|recorded/i);
  const applied = succeeds(await empty.run('apply', '-f', file, '--json'));
  assert.equal((JSON.parse(applied) as { kind: string }).kind, 'changed');
  assert.equal(await exported(empty), text);
  assert.match(succeeds(await empty.run('plan', '-f', file)), /Nothing would change/);
  assert.match(succeeds(await full.run('plan', '-f', file, '--prune')), /Nothing would change/);
  assert.match(succeeds(await empty.run('apply', '-f', file)), /Nothing to change/);
});

test('a password that the file leaves out stays, and one that it writes out is refused', async () => {
  const text = await exported(full);
  const file = await flowIn(full, text.replace('agreed: 2026', 'agreed: 2027'));
  succeeds(await full.run('apply', '-f', file));
  const mailboxes = succeeds(await full.run('mailbox', 'list', '--json'));
  assert.match(mailboxes, /"canSignIn": true/);
  const written = text.replace(
    /( +)(- account: user\n)/,
    '$1$2$1  passwordHash: $$argon2id$$v=19$$x\n',
  );
  assert.notEqual(written, text);
  const refused = await full.run('apply', '-f', await flowIn(full, written));
  assert.equal(refused.code, 65);
  assert.match(refused.stderr, /mailbox "user" of example: passwordHash: is written out/);
});

test('mistakes are named at their line of the file, and nothing is changed', async () => {
  const text = await exported(full);
  const line = text.slice(0, text.indexOf('tlsSettings:')).split('\n').length;
  const wrong = await full.run(
    'apply',
    '-f',
    await flowIn(full, text.replace('tlsSettings:', 'tlsSetings:')),
  );
  assert.equal(wrong.code, 78);
  assert.match(wrong.stderr, new RegExp(`flow\\.yaml:${line}:\\d+: .*did you mean "tlsSettings"`));
  const stray = await full.run('plan', '-f', await flowIn(full, `listeners: []\n${text}`));
  assert.equal(stray.code, 65);
  assert.match(stray.stderr, /flow\.yaml:1:1: listeners: is no part of the policy/);
  assert.equal(await exported(full), text);
});

test('what a revision changed is told, and taken back for one object or for all', async () => {
  const text = await exported(full);
  succeeds(
    await full.run('apply', '-f', await flowIn(full, text.replace(/agreed: \d+/, 'agreed: 2028'))),
  );
  const listed = succeeds(await full.run('revision', 'list', '--limit', '1', '--json'));
  const [newest] = (JSON.parse(listed) as { revisions: { revision: number }[] }).revisions;
  const number = newest!.revision;
  assert.match(
    succeeds(await full.run('revision', 'show', String(number))),
    /~ comment: .*-> .*2028/,
  );
  const back = String(number - 1);
  const one = ['--object', 'outbound-connector/example/to bank'];
  assert.match(
    succeeds(await full.run('revision', 'rollback', back, '--dry-run')),
    /Would be 1 changed; nothing was changed/,
  );
  succeeds(await full.run('revision', 'rollback', back, ...one));
  assert.equal(await exported(full), text);
  assert.match(succeeds(await full.run('revision', 'diff', back)), /no difference/);
  const none = await full.run('revision', 'rollback', back, '--object', 'rule/example/zzz');
  assert.equal(none.code, 66, none.stderr);
});

test('less wants a reason, order is what the file says, and the rest goes where it is told to', async () => {
  const text = await exported(full);
  const flow = parse(text) as {
    organizations: Record<string, { name?: string; mode?: string }[]>[];
  };
  const [only] = flow.organizations;
  only!['rules']!.reverse();
  only!['outboundConnectors'] = [];
  const file = await flowIn(full, JSON.stringify(flow));
  assert.match(
    succeeds(await full.run('plan', '-f', file, '--no-replay'), 2),
    /^> rule .*\(moved\)$/m,
  );
  const pruned = await full.run('apply', '-f', file, '--prune');
  assert.equal(pruned.code, 65);
  assert.match(pruned.stderr, /asks for less.*--reason[^]*"to bank" of example is gone/);
  succeeds(
    await full.run('apply', '-f', file, '--prune', '--reason', 'moved to the other gateway'),
  );
  const left = parse(await exported(full)) as typeof flow;
  assert.deepEqual(
    left.organizations[0]!['rules']!.map(({ name }) => name),
    ['first', 'second'],
  );
  assert.equal(left.organizations[0]!['outboundConnectors'], undefined);
  assert.ok(readFileSync(file, 'utf8').length > 0);
});
