import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { doorCa, doorLeaf, openDoor } from '../../../test/support/api-door.ts';
import type { CliResult } from '../../../test/support/command-line.ts';
import { makeFolder, run, startFakeGateway } from '../../../test/support/command-line.ts';

interface Home {
  readonly folder: string;
  readonly url: string;
  readonly file: string;
  readonly say: (...words: readonly string[]) => Promise<CliResult>;
}

/** A home folder with a token and a CA, and a gateway on the network. */
async function makeHome(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Home> {
  const folder = await makeFolder(t);
  const door = await openDoor(t, { hostNames: ['127.0.0.1'] });
  await writeFile(join(folder, 'token'), 'right-token\n', { mode: 0o600 });
  await writeFile(join(folder, 'ca.pem'), doorCa.pem, { mode: 0o600 });
  const io = { workingFolder: folder, env: { HOME: folder, ...env } };
  return {
    folder,
    url: `https://127.0.0.1:${door.port}`,
    file: join(folder, '.config/postern/profiles.yaml'),
    say: (...words) => run(words, { io }),
  };
}

async function addClinic(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<Home> {
  const home = await makeHome(t, env);
  const words = ['--url', home.url, '--token-file', 'token', '--ca-file', 'ca.pem'];
  const added = await home.say('profile', 'add', 'clinic', ...words);
  assert.equal(added.code, 0, added.stderr);
  return home;
}

test('a named gateway is asked over TLS by every command that speaks to one', async (t) => {
  const { say } = await addClinic(t);
  const status = await say('status', '--profile', 'clinic', '--json');
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.stdout, /gateway\.example\.test/);
  for (const words of [
    ['queue', 'list'],
    ['trace', '--to', 'contoso.com'],
    ['domain', 'list'],
  ]) {
    const { code, stderr } = await say(...words, '--profile', 'clinic');
    assert.equal(code, 0, stderr);
  }
});

test('the variable means it too, but not where a gateway here is named', async (t) => {
  const { say, url } = await addClinic(t, { POSTERN_PROFILE: 'clinic' });
  assert.equal((await say('status')).code, 0);
  const { socketPath } = await startFakeGateway(t, {
    status: async () => assert.fail('the one here'),
  });
  const here = await say('status', '--socket', socketPath);
  assert.match(here.stderr, /defect of its own/);
  const both = await say('status', '--socket', socketPath, '--profile', 'clinic');
  assert.equal(both.code, 64);
  assert.match((await say('profile', 'list')).stdout, new RegExp(`clinic +${url}`));
});

test('the file is private to the user, holds no token, and forgets what is removed', async (t) => {
  const { say, file, folder } = await addClinic(t);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder, '.config/postern'))).mode & 0o777, 0o700);
  const text = await readFile(file, 'utf8');
  assert.doesNotMatch(text, /right-token/);
  assert.ok(text.includes(join(folder, 'token')));
  assert.equal((await say('profile', 'remove', 'clinic')).code, 0);
  assert.equal((await say('status', '--profile', 'clinic')).code, 66);
  assert.equal((await say('profile', 'remove', 'clinic')).code, 66);
});

test('a token that others may read, and profiles that others may write, are not used', async (t) => {
  const { say, file, folder } = await addClinic(t);
  await chmod(join(folder, 'token'), 0o644);
  const token = await say('status', '--profile', 'clinic');
  assert.equal(token.code, 77);
  assert.match(token.stderr, /others may read it \(mode 644\)/);
  await chmod(join(folder, 'token'), 0o600);
  await chmod(file, 0o622);
  const profiles = await say('status', '--profile', 'clinic');
  assert.equal(profiles.code, 78);
  assert.match(profiles.stderr, /others may write it/);
});

test('a gateway that cannot show that it is the one gets no token', async (t) => {
  const { say, url } = await makeHome(t);
  const add = (...words: readonly string[]) =>
    say('profile', 'add', 'clinic', '--url', url, '--token-file', 'token', ...words);
  await add();
  const stranger = await say('status', '--profile', 'clinic');
  assert.equal(stranger.code, 77);
  assert.match(stranger.stderr, /certificate of 127\.0\.0\.1:\d+ is refused/);
  await add('--pin', doorCa.spki256);
  assert.match((await say('status', '--profile', 'clinic')).stderr, /another one than the pinned/);
  await add('--pin', doorLeaf.spki256);
  assert.equal((await say('status', '--profile', 'clinic')).code, 0);
});

const wrong: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['an address in clear', ['--url', 'http://a.test', '--token-file', 'token'], 64, /https:/],
  ['no address', ['--token-file', 'token'], 64, /--url is needed/],
  ['no token', ['--url', 'https://a.test', '--token-file', 'gone'], 77, /no such file/],
  [
    'no CA in the file',
    ['--url', 'https://a.test', '--token-file', 'token', '--ca-file', 'token'],
    78,
    /no certificate/,
  ],
  ['no pin', ['--url', 'https://a.test', '--token-file', 'token', '--pin', 'abc'], 64, /--pin/],
];
for (const [what, words, code, text] of wrong) {
  test(`add refuses ${what}`, async (t) => {
    const { say, file } = await makeHome(t);
    const result = await say('profile', 'add', 'clinic', ...words);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, text);
    await assert.rejects(stat(file));
  });
}

test('a file with a mistake is refused with its line or key, and nothing is asked', async (t) => {
  const { say, file } = await addClinic(t);
  for (const [text, words] of [
    ['profiles: [', /profiles\.yaml:1/],
    [
      'profiles: { clinic: { url: https://a.test, tokenFile: /t, verify: false } }',
      /clinic: .*verify/,
    ],
    ['profile: {}', /profile/],
  ] as const) {
    await writeFile(file, text);
    const { code, stderr } = await say('status', '--profile', 'clinic');
    assert.equal(code, 78);
    assert.match(stderr, words);
  }
});
