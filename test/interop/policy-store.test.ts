/** The policy of a running gateway: changed object by object, kept with its revisions, taken back. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { problemsOfFailure } from '../../src/api/client.ts';
import type { ChangesOrderInput } from '../../src/api/contract/policy-objects.ts';
import { readPolicyState } from '../../src/app/policy/policy-book.ts';
import { Failure } from '../../src/mail/failure.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { submit } from '../support/submit.ts';

let gateway: RunningGateway;
let clear: FakePartner;

const key = (name: string) => ({
  kind: 'outbound-connector' as const,
  organization: 'example',
  name,
});

function put(name: string, value: object, more: object = {}): ChangesOrderInput {
  const change = { kind: 'put', object: key(name), value, ...more } as const;
  return { changes: [change as ChangesOrderInput['changes'][number]] };
}

const forced = () => ({
  recipientDomains: 'bank.test',
  tlsSettings: 'EncryptionOnly',
  smartHosts: smartHost(clear.port),
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

async function revision(): Promise<number> {
  const { revision: number } = await gateway.api.listObjects({
    kind: 'organization',
    organization: null,
  });
  return number;
}

before(async () => {
  clear = await startFakePartner();
  gateway = await startGateway(await gatewaySetup({ peerPorts: [clear.port] }));
});
after(async () => {
  await gateway?.remove();
  await clear.close();
});

test('a connector acts as soon as the answer is there, and is there after a restart', async () => {
  const changed = await gateway.api.changePolicy(put('bank', forced()));
  assert.equal(changed.revision, 2);
  const id = await submit(gateway, { to: 'a@bank.test' });
  const row = await gateway.waitForRow(id);
  assert.equal(row.lastOutcome?.cause, 'tls-not-offered');
  const trace = await gateway.trace(id);
  assert.match(JSON.stringify(trace), new RegExp(`"policyRevision":"${changed.policyRevision}"`));
  await gateway.restart();
  assert.equal(await revision(), 2);
  const object = await gateway.api.readObject(key('bank'));
  assert.deepEqual(object.value['recipientDomains'], 'bank.test');
  assert.equal((await gateway.api.status()).policyRevision, changed.policyRevision);
});

test('what was worked out on an older policy is refused, dry or not, and changes nothing', async () => {
  const atRevision = await revision();
  await gateway.api.changePolicy({ ...put('meanwhile', forced()), atRevision });
  const late = { ...put('late', forced()), atRevision };
  assert.equal(await codeOf(gateway.api.changePolicy(late)), 'policy-changed');
  assert.equal(await codeOf(gateway.api.changePolicy({ ...late, dryRun: true })), 'policy-changed');
  assert.equal(await revision(), atRevision + 1);
  const remove = { kind: 'remove', object: key('meanwhile'), withContents: false } as const;
  await gateway.api.changePolicy({ changes: [remove], reason: 'only a test' });
});

test('pages go on where they stopped, also where what was shown is gone meanwhile', async () => {
  const names = ['page-1', 'page-2', 'page-3', 'page-4'];
  const changes = names.map((name) => put(name, forced()).changes[0]!);
  await gateway.api.changePolicy({ changes });
  const of = { kind: 'outbound-connector', organization: 'example' } as const;
  const first = await gateway.api.listObjects(of, { name: 'page-', limit: 2 });
  const removal = { kind: 'remove', object: key('page-2'), withContents: false } as const;
  await gateway.api.changePolicy({ changes: [removal], reason: 'only a test' });
  const second = await gateway.api.listObjects(of, {
    name: 'page-',
    limit: 2,
    after: first.next!,
  });
  const shown = [first, second].map(({ objects }) => objects.map(({ name }) => name));
  assert.deepEqual(shown, [names.slice(0, 2), names.slice(2)]);
  assert.equal(second.next, null);
});

test('of two who change the same, the second is told and nothing is lost', async () => {
  const seen = (await gateway.api.readObject(key('bank'))).etag;
  const first = put('bank', { ...forced(), comment: 'ann' }, { expect: seen });
  const second = put('bank', { ...forced(), comment: 'bob' }, { expect: seen });
  const codes = await Promise.all([
    codeOf(gateway.api.changePolicy(first)),
    codeOf(gateway.api.changePolicy(second)),
  ]);
  assert.deepEqual(codes.toSorted(), ['done', 'object-changed']);
  const { value } = await gateway.api.readObject(key('bank'));
  assert.equal(value['comment'], codes[0] === 'done' ? 'ann' : 'bob');
});

test('what asks for less wants to know why, and what is wrong changes nothing', async () => {
  const before = await revision();
  const less = put('bank', { ...forced(), mode: 'observe' });
  assert.equal(await codeOf(gateway.api.changePolicy(less)), 'policy-asks-less');
  const wrong = put('bank', { ...forced(), tlsSetings: 'EncryptionOnly' });
  const refusal = await gateway.api.changePolicy(wrong).catch((error: unknown) => error);
  assert.ok(refusal instanceof Failure && refusal.code === 'policy-refused');
  const [problem] = problemsOfFailure(refusal);
  assert.deepEqual([problem?.key, problem?.suggestion], ['tlsSetings', 'tlsSettings']);
  const dry = await gateway.api.changePolicy({ ...less, dryRun: true });
  assert.deepEqual([dry.kind, dry.weaker.length], ['would-change', 1]);
  assert.equal(await revision(), before);
  const done = await gateway.api.changePolicy({ ...less, reason: 'as the test wants it' });
  assert.equal(done.kind, 'changed');
});

test('what others depend on is not removed, and says who they are', async () => {
  const organization = { kind: 'organization', organization: null, name: 'example' } as const;
  const whole = { changes: [{ kind: 'remove', object: organization }] } as const;
  assert.equal(
    await codeOf(gateway.api.changePolicy(whole as unknown as ChangesOrderInput)),
    'object-in-use',
  );
  const domain = {
    kind: 'accepted-domain',
    organization: 'example',
    name: 'example.test',
  } as const;
  const removal = { changes: [{ kind: 'remove', object: domain }], reason: 'moved away' } as const;
  const refusal = await gateway.api
    .changePolicy(removal as unknown as ChangesOrderInput)
    .catch((error: unknown) => error);
  assert.ok(refusal instanceof Failure);
  assert.equal(refusal.code, 'object-in-use');
  assert.match(refusal.message, /mailbox "user" of example/);
});

test('the file is an import: it acts while nobody else changed the policy, then it is asked which', async () => {
  const config = JSON.parse(await readFile(gateway.configFile, 'utf8')) as {
    organizations: { outboundConnectors: object[] }[];
  };
  config.organizations[0]!.outboundConnectors = [
    { name: 'clinic', recipientDomains: 'clinic.test' },
  ];
  await writeFile(gateway.configFile, JSON.stringify(config));
  const refused = await gateway.api.reloadConfig().catch((error: unknown) => error);
  assert.ok(refused instanceof Failure);
  assert.match(
    problemsOfFailure(refused)[0]!.text,
    /while the policy was changed since revision 1/,
  );
  const checked = await gateway.run('config', 'check', gateway.configFile);
  assert.equal(checked.code, 0);
  assert.match(checked.stdout, /warning: organizations: .*so that a reload refuses it/);
  await gateway.restart();
  assert.match(gateway.stderr, /warning: .*the file says something else than before.*is not read/);
  assert.equal((await gateway.api.readObject(key('bank'))).name, 'bank', 'what was in force is');
  const reason = 'the file is meant';
  await gateway.api.reloadConfig({ overwritePolicy: true, reason });
  assert.equal(await codeOf(gateway.api.readObject(key('bank'))), 'object-unknown');
  config.organizations[0]!.outboundConnectors.push({ name: 'lab', recipientDomains: 'lab.test' });
  await writeFile(gateway.configFile, JSON.stringify(config));
  await gateway.api.reloadConfig();
  assert.equal((await gateway.api.readObject(key('lab'))).place, 1);
  const { revisions } = await gateway.api.listRevisions({ limit: 2 });
  assert.deepEqual(
    revisions.map(({ origin }) => origin),
    ['file', 'file'],
  );
});

test('a file that is meant is the policy from then on, also where both say the same by chance', async () => {
  await gateway.api.changePolicy(put('for-a-moment', forced()));
  const removal = { kind: 'remove', object: key('for-a-moment'), withContents: false } as const;
  await gateway.api.changePolicy({ changes: [removal], reason: 'only a test' });
  await gateway.api.reloadConfig({ overwritePolicy: true, reason: 'the file is meant' });
  const text = await readFile(gateway.configFile, 'utf8');
  await writeFile(gateway.configFile, text.replace('lab.test', 'labs.test'));
  await gateway.api.reloadConfig({ reason: 'another domain' });
  assert.equal((await gateway.api.readObject(key('lab'))).value['recipientDomains'], 'labs.test');
});

test('a revision is taken back under load, and no decision knows a mixed policy', async () => {
  const pair = (mode: string): ChangesOrderInput => ({
    changes: ['one', 'two'].map((name) => ({
      kind: 'put',
      object: key(name),
      value: {
        recipientDomains: `${name}.test`,
        tlsSettings: 'EncryptionOnly',
        mode,
        smartHosts: smartHost(clear.port),
      },
    })),
    reason: 'to and fro',
  });
  const strict = await gateway.api.changePolicy(pair('enforce'));
  const lax = await gateway.api.changePolicy(pair('observe'));
  const known = new Set([strict.policyRevision, lax.policyRevision]);
  const modes = new Map<string, Set<string>>();
  const ask = async (): Promise<void> => {
    for (let turn = 0; turn < 40; turn++) {
      const answers = await Promise.all(
        ['one', 'two'].map((name) =>
          gateway.api.explain({
            from: 'user@example.test',
            to: `a@${name}.test`,
            clientAddress: null,
            heloName: null,
            encryption: 'TLSv1.3',
            clientCertificate: null,
          } as never),
        ),
      );
      for (const { policyRevision, outbound } of answers) {
        assert.ok(known.has(policyRevision), policyRevision);
        const seen = modes.get(policyRevision) ?? new Set();
        seen.add(String(outbound?.requirement.clauses.length));
        modes.set(policyRevision, seen);
      }
    }
  };
  const swing = async (): Promise<void> => {
    for (let turn = 0; turn < 6; turn++) {
      const to = turn % 2 === 0 ? strict.revision : lax.revision;
      const done = await gateway.api.rollBack(to, { reason: 'to and fro' });
      assert.ok(known.has(done.policyRevision), 'the same policy has the same name');
    }
  };
  await Promise.all([ask(), ask(), swing()]);
  for (const seen of modes.values()) assert.equal(seen.size, 1, 'both connectors at once');
});

test('the policy is in the backup, revisions and all', async () => {
  const target = join(gateway.folder, 'backup');
  const { code, stderr } = await gateway.run('backup', target);
  assert.equal(code, 0, stderr);
  const number = await revision();
  assert.equal(readPolicyState(join(target, 'data')).revision, number);
});
