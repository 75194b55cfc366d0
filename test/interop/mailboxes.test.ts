/** Mailboxes of a really started gateway: who is added submits mail, and an old password is good for nothing. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createTransport } from 'nodemailer';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { queueIdIn } from '../support/submit.ts';

async function start(t: TestContext, setup: Parameters<typeof startGateway>[0]) {
  const gateway = await startGateway(setup);
  t.after(() => gateway.remove());
  return gateway;
}

async function done(gateway: RunningGateway, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await gateway.run(...words);
  assert.equal(code, 0, `${words.join(' ')}\n${stderr}`);
  return stdout;
}

/** The one that was made and shown. */
function passwordIn(stdout: string): string {
  const password = /^password: (.+)$/m.exec(stdout)?.[1];
  assert.ok(password !== undefined, stdout);
  return password;
}

/** The answer to a message to oneself, submitted after signing in. */
async function submitAs(gateway: RunningGateway, user: string, pass: string): Promise<string> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: gateway.port('submission'),
    requireTLS: true,
    auth: { user, pass },
    tls: { rejectUnauthorized: false },
    socketTimeout: 30_000,
  });
  const address = `${user}@example.test`;
  try {
    return (await transport.sendMail({ from: address, to: address, text: 'x' })).response;
  } catch (error) {
    return (error as { readonly response?: string }).response ?? String(error);
  } finally {
    transport.close();
  }
}

test('where the gateway keeps organizations, who is added signs in, and a new password ends the old', async (t) => {
  const setup = await gatewaySetup();
  const { organizations: _organizations, ...bare } = setup.config as Record<string, unknown>;
  const gateway = await start(t, { ...setup, config: bare });
  const before = await readFile(gateway.configFile, 'utf8');
  const none = await gateway.run('mailbox', 'add', 'ann', 'ann@example.test', '--generate');
  assert.equal(none.code, 66, none.stderr);
  assert.match(none.stderr, /there is no organization yet: a policy file makes one/);
  const organization = { kind: 'organization', organization: null, name: 'example' } as const;
  const domain = {
    kind: 'accepted-domain',
    organization: 'example',
    name: 'example.test',
  } as const;
  await gateway.api.changePolicy({
    changes: [
      { kind: 'put', object: organization, value: { id: 'example' } },
      { kind: 'put', object: domain, value: { domain: 'example.test' } },
    ],
  });
  const foreign = await gateway.run('mailbox', 'add', 'ann', 'ann@other.test', '--generate');
  assert.match(foreign.stderr, /ann@other\.test is in no accepted domain/);
  assert.equal(foreign.stdout, '', 'no password is shown for what is refused');
  const added = await done(gateway, 'mailbox', 'add', 'ann', 'ann@example.test', '--generate');
  assert.match(added, /^mailbox ann of example was added, revision \d+$/m);
  const first = passwordIn(added);
  queueIdIn(await submitAs(gateway, 'ann', first));
  await gateway.waitForMail('ann');
  const changed = await done(gateway, 'mailbox', 'passwd', 'ann@example.test', '--generate');
  const second = passwordIn(changed);
  assert.match(await submitAs(gateway, 'ann', first), /^535 5\.7\.8/);
  queueIdIn(await submitAs(gateway, 'ann', second));
  assert.match(await done(gateway, 'mailbox', 'list'), /^ann +yes +ann@example\.test$/m);
  const twice = await gateway.run('mailbox', 'add', 'Ann', 'a@example.test', '--generate');
  assert.equal(twice.code, 65, twice.stderr);
  assert.equal(await readFile(gateway.configFile, 'utf8'), before);
  await refusesSecrets(gateway, [first, second]);
  await gateway.restart();
  queueIdIn(await submitAs(gateway, 'ann', second));
});

/** Neither a password nor its hash is in what the gateway tells, and no password in what it keeps. */
async function refusesSecrets(gateway: RunningGateway, passwords: readonly string[]) {
  const told = [
    await done(gateway, 'revision', 'list', '--json'),
    await done(gateway, 'revision', 'show', '3', '--json'),
    await done(gateway, 'revision', 'diff', '1', '--json'),
    await done(gateway, 'audit', 'export'),
    await done(gateway, 'export'),
    gateway.stderr,
  ].join('\n');
  assert.ok(told.includes('ann@example.test'));
  assert.ok(!told.includes('$argon2id'), told);
  const control = await readFile(join(gateway.dataFolder, 'control.db'), 'latin1');
  for (const password of passwords) {
    assert.ok(!told.includes(password));
    assert.ok(!control.includes(password));
  }
}

test('where the file alone is the policy it stays so; what was changed otherwise is left to the gateway', async (t) => {
  const gateway = await start(t, await gatewaySetup());
  const added = await done(gateway, 'mailbox', 'add', 'bob', 'bob@example.test', '--generate');
  assert.match(added, /mailbox bob of example was added\nIn force on every lane/);
  queueIdIn(await submitAs(gateway, 'bob', passwordIn(added)));
  const edited = await readFile(gateway.configFile, 'utf8');
  assert.ok(edited.includes('bob@example.test'));
  await done(gateway, 'config', 'reload');
  await done(gateway, 'domain', 'create', '--domain', 'second.test');
  const next = await done(gateway, 'mailbox', 'add', 'eve', 'eve@example.test', '--generate');
  assert.match(next, /^mailbox eve of example was added, revision \d+$/m);
  queueIdIn(await submitAs(gateway, 'eve', passwordIn(next)));
  assert.equal(await readFile(gateway.configFile, 'utf8'), edited);
  await gateway.stop();
  const stopped = await gateway.run('mailbox', 'passwd', 'eve', '--generate');
  assert.equal(stopped.code, 69, stopped.stderr);
  assert.match(stopped.stderr, /kept in its data folder and not in/);
  assert.match((await gateway.run('mailbox', 'list')).stdout, /^eve +yes /m);
});
