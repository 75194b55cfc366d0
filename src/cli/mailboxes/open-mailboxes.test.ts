import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { sampleStatus } from '../../../test/support/api-services.ts';
import { makeFolder, run, startFakeGateway } from '../../../test/support/command-line.ts';
import type { CliResult } from '../../../test/support/command-line.ts';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import type { ChangedView, ChangesOrder } from '../../api/contract/policy-objects.ts';
import type { ApiServices } from '../../api/services.ts';
import { redacted } from '../../config/redacted.ts';
import { chainPem, makeCa, makeLeaf } from '../../testing/certificates.ts';

const hash = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;
const password = 'correct horse battery';

/** Values by kind and organization, as the gateway shows them. */
const kept: Readonly<Record<string, readonly object[]>> = {
  'organization null': [{ id: 'example' }, { id: 'other' }],
  'accepted-domain example': [{ domain: 'example.test' }],
  'accepted-domain other': [{ domain: 'other.test', matchSubDomains: true }],
  'mailbox example': [{ account: 'User', addresses: 'user@example.test', passwordHash: redacted }],
  'mailbox other': [],
};

const listObjects: ApiServices['listObjects'] = async ({ kind, organization }) => ({
  formatVersion: 1,
  revision: 7,
  next: null,
  objects: (kept[`${kind} ${organization}`] ?? []).map((value, place) => ({
    kind,
    organization,
    name: String(Object.values(value)[0]).toLowerCase(),
    value: value as Record<string, unknown>,
    place,
    revision: 5,
    etag: '"5"',
    changedAt: '2026-11-22T10:00:00.000Z',
    changedBy: 'root',
  })),
});

const changedView: ChangedView = {
  formatVersion: 1,
  kind: 'changed',
  revision: 8,
  policyRevision: 'def',
  differences: [],
  weaker: [],
  warnings: [],
  object: null,
};

interface Rig {
  readonly file: string;
  readonly orders: ChangesOrder[];
  readonly reloads: (string | null)[];
  readonly mailbox: (...words: readonly string[]) => Promise<CliResult>;
}

/** `isOfFile`: nothing but the file says what the policy is. `waiting`: it holds what is not in force. */
async function startRig(
  t: TestContext,
  { isOfFile, isWaiting = false }: { readonly isOfFile: boolean; readonly isWaiting?: boolean },
): Promise<Rig> {
  const orders: ChangesOrder[] = [];
  const reloads: (string | null)[] = [];
  let file = '';
  const { folder } = await startFakeGateway(t, {
    status: async () => ({ ...sampleStatus, configFile: file }),
    listObjects,
    changePolicy: async (order) => {
      orders.push(order);
      const kind = order.dryRun ? 'would-change' : 'changed';
      return { kind: 'done', view: { ...changedView, kind } };
    },
    checkConfig: async () => ({
      formatVersion: 1,
      kind: isWaiting ? 'differs' : 'same',
      policyRevision: 'def',
      problems: [],
      weaker: [],
    }),
    reloadConfig: async (order) => {
      reloads.push(order.reason);
      const view = { configRevision: 'abc', policyRevision: 'def', tookMs: 7, warnings: [] };
      return { kind: 'reloaded', view: { ...view, loadedAt: '2026-11-22T10:00:00.000Z' } };
    },
  });
  file = join(folder, 'postern.yaml');
  const leaf = makeLeaf(makeCa('CA'), ['gateway.example.test']);
  await writeFile(join(folder, 'own.pem'), chainPem(leaf));
  await writeFile(join(folder, 'own.key'), leaf.keyPem, { mode: 0o600 });
  await writeFile(file, minimalConfig());
  const mailbox = (...words: readonly string[]): Promise<CliResult> =>
    run(['mailbox', ...words], {
      offline: offlineOf(isOfFile),
      io: { workingFolder: folder, nowMs: Date.now },
      input: `${password}\n`,
    });
  return { file, orders, reloads, mailbox };
}

function offlineOf(isOfFile: boolean) {
  return {
    isPolicyOfFile: async () => isOfFile,
    passwords: { hash: async () => hash, generate: () => 'generated' },
  };
}

test('what the gateway keeps is changed by its API: the hash and never the password is sent', async (t) => {
  const { file, orders, mailbox } = await startRig(t, { isOfFile: false });
  const before = await readFile(file, 'utf8');
  const added = await mailbox('add', 'Ann', 'Ann@a.other.test', '--password-stdin');
  assert.equal(added.code, 0, added.stderr);
  assert.equal(added.stdout, 'mailbox Ann of other was added, revision 8\n');
  const passwd = await mailbox(
    'passwd',
    'user@example.test',
    '--password-stdin',
    '--reason',
    'old',
  );
  assert.equal(passwd.stdout, 'User of example has a new password, revision 8\n');
  const object = { kind: 'mailbox', organization: 'other', name: 'ann' };
  const value = { account: 'Ann', addresses: ['Ann@a.other.test'], passwordHash: hash };
  const user = { kind: 'mailbox', organization: 'example', name: 'user' };
  const planned = orders.shift()!;
  assert.deepEqual([planned.dryRun, JSON.stringify(planned).includes('Hash')], [true, false]);
  assert.deepEqual(orders, [
    {
      changes: [{ kind: 'put', object, value, place: null, expect: 'absent' }],
      atRevision: null,
      reason: null,
      dryRun: false,
    },
    {
      changes: [
        { kind: 'patch', object: user, value: { passwordHash: hash }, place: null, expect: '"5"' },
      ],
      atRevision: null,
      reason: 'old',
      dryRun: false,
    },
  ]);
  assert.ok(!JSON.stringify(orders).includes(password));
  assert.equal(await readFile(file, 'utf8'), before);
});

test('a dry run asks for no password and sends none', async (t) => {
  const { orders, mailbox } = await startRig(t, { isOfFile: false });
  const added = await mailbox('add', 'ann', 'ann@other.test', '--dry-run');
  assert.equal(added.stdout, 'mailbox ann of other would be added, nothing was changed\n');
  const passwd = await mailbox('passwd', 'user', '--dry-run');
  assert.match(passwd.stdout, /^User of example would get a new password, nothing was changed\n$/);
  assert.deepEqual(
    orders.map(({ dryRun }) => dryRun),
    [true, true],
  );
  assert.ok(!JSON.stringify(orders).includes('passwordHash'));
});

test('nothing is sent for a mailbox that is there, or that nobody could have', async (t) => {
  const { orders, mailbox } = await startRig(t, { isOfFile: false });
  const cases: [readonly string[], number | null, RegExp][] = [
    [['add', 'USER', 'x@example.test'], 65, /there is a mailbox User already/],
    [['add', 'ann', 'ann@a.example.test'], 64, /no organization accepts a\.example\.test/],
    [['add', 'ann', 'ann@other.test', '--organization', 'third'], null, /no organization third/],
    [['passwd', 'usr'], 67, /no mailbox usr; did you mean User\?/],
  ];
  for (const [words, code, error] of cases) {
    const result = await mailbox(...words, '--password-stdin');
    if (code !== null) assert.equal(result.code, code, `${words.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, error);
  }
  assert.deepEqual(orders, []);
});

test('list shows what the gateway keeps, and no hash', async (t) => {
  const { mailbox } = await startRig(t, { isOfFile: false });
  const { stdout } = await mailbox('list', '--json');
  const user = { organization: 'example', account: 'User', addresses: ['user@example.test'] };
  assert.deepEqual(JSON.parse(stdout), {
    formatVersion: 1,
    mailboxes: [{ ...user, canSignIn: true }],
  });
});

test('as long as the file alone is the policy it is edited, and taken anew', async (t) => {
  const { file, orders, reloads, mailbox } = await startRig(t, { isOfFile: true });
  const planned = await mailbox('add', 'ann', 'ann@example.test', '--dry-run');
  assert.equal(planned.stdout, 'mailbox ann of example would be added, nothing was changed\n');
  assert.equal(await readFile(file, 'utf8'), minimalConfig());
  const wrong = await mailbox('add', 'ann', 'ann@third.test', '--dry-run');
  assert.equal(wrong.code, 78, wrong.stderr);
  const added = await mailbox('add', 'ann', 'ann@example.test', '--generate', '--reason', 'new');
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /mailbox ann of example was added\nIn force on every lane after 7 ms/);
  assert.deepEqual([orders, reloads], [[], ['new']]);
  assert.match(await readFile(file, 'utf8'), /ann@example\.test/);
});

test('what somebody else has begun to write into the file is not put in force with it', async (t) => {
  const { file, reloads, mailbox } = await startRig(t, { isOfFile: true, isWaiting: true });
  const { stdout } = await mailbox('passwd', 'user', '--generate');
  assert.match(stdout, /new password\nThe file holds other changes that are not in force yet;/);
  assert.deepEqual(reloads, []);
  assert.ok((await readFile(file, 'utf8')).includes(hash));
});

test('without a gateway what it keeps cannot be changed, and the file stays as it is', async (t) => {
  const folder = await makeFolder(t);
  const file = join(folder, 'postern.yaml');
  await writeFile(file, minimalConfig());
  const surroundings = { offline: offlineOf(false), io: { workingFolder: folder } };
  const { code, stderr, stdout } = await run(
    ['mailbox', 'add', 'ann', 'ann@example.test', '--generate'],
    surroundings,
  );
  assert.equal(code, 69);
  assert.match(
    stderr,
    /no gateway runs here[^]*kept in its data folder and not in .*postern\.yaml/,
  );
  assert.equal(stdout, '');
  assert.equal(await readFile(file, 'utf8'), minimalConfig());
});
