import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeFolder, run } from '../../../test/support/command-line.ts';
import type { CliResult, Surroundings } from '../../../test/support/command-line.ts';
import { parseConfig } from '../../config/load.ts';

const hash = `$argon2id$v=19$m=8192,t=1,p=1$${'a'.repeat(22)}$${'b'.repeat(43)}`;
const passwords = { hash: async () => hash, generate: () => 'abcdef-abcdef' };

const text = `# kept
hostName: mx.example.test
user: root
listeners:
  - { name: mx, host: 127.0.0.1, port: 2525, kind: mx }
certificates:
  server: { certificate: server.pem, key: server.key }
serverCertificates: server
organizations:
  - id: example
    acceptedDomains: [{ domain: example.test }]
    mailboxes:
      # the first
      - account: Ann
        addresses: [ann@example.test, a@example.test]
`;

interface Place {
  readonly file: string;
  readonly mailbox: (words: readonly string[], surroundings?: Surroundings) => Promise<CliResult>;
}

async function makeConfig(t: TestContext): Promise<Place> {
  const folder = await makeFolder(t);
  const file = join(folder, 'postern.yaml');
  await writeFile(file, text);
  const { makeCa, makeLeaf } = await import('../../testing/certificates.ts');
  const leaf = makeLeaf(makeCa('CA'), ['mx.example.test']);
  await writeFile(join(folder, 'server.pem'), leaf.pem);
  await writeFile(join(folder, 'server.key'), leaf.keyPem, { mode: 0o600 });
  return {
    file,
    mailbox: (words, surroundings = {}) =>
      run(['mailbox', ...words], {
        ...surroundings,
        offline: { passwords },
        io: { workingFolder: folder, nowMs: Date.now, ...surroundings.io },
      }),
  };
}

async function accounts(file: string): Promise<readonly string[]> {
  const loaded = parseConfig(await readFile(file, 'utf8'), file);
  assert.equal(loaded.kind, 'loaded');
  if (loaded.kind !== 'loaded') return [];
  return loaded.policy.organizations[0]!.mailboxes.map(({ account }) => account);
}

test('list shows who can sign in', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  const { stdout, code } = await mailbox(['list']);
  assert.equal(code, 0);
  assert.match(stdout, /^Ann +no +ann@example\.test, a@example\.test$/m);
  const json = JSON.parse((await mailbox(['list', '--json', '--config', file])).stdout) as object;
  assert.deepEqual(json, {
    formatVersion: 1,
    mailboxes: [
      {
        organization: 'example',
        account: 'Ann',
        addresses: ['ann@example.test', 'a@example.test'],
        canSignIn: false,
      },
    ],
  });
});

test('add: password from standard input, comments kept, mode kept', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  await chmod(file, 0o640);
  const added = await mailbox(['add', 'bob', 'Bob@Example.test', '--password-stdin'], {
    input: 'correct horse\n',
  });
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /mailbox bob of example was added\nNo gateway runs/);
  assert.doesNotMatch(added.stdout + added.stderr, /correct horse/);
  assert.deepEqual(await accounts(file), ['Ann', 'bob']);
  const written = await readFile(file, 'utf8');
  assert.ok(written.startsWith(text.trimEnd()));
  assert.ok(written.includes(hash));
  assert.equal((await stat(file)).mode & 0o777, 0o640);
});

test('passwd: by account in any case or by address; a generated one is shown once', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  for (const name of ['ann', 'A@example.test']) {
    const { code, stdout, stderr } = await mailbox(['passwd', name, '--generate']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^password: abcdef-abcdef$/m);
  }
  assert.equal((await readFile(file, 'utf8')).split(hash).length, 2);
});

test('whatever is refused leaves the file as it is', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  const cases: [readonly string[], string | undefined, number, RegExp][] = [
    [['add', 'ANN', 'x@example.test', '--generate'], undefined, 65, /mailbox Ann already/],
    [['add', 'bob', 'bob', '--generate'], undefined, 64, /"bob" is not a mail address/],
    [['add', 'bob', 'b@other.test', '--generate'], undefined, 78, /in no accepted domain/],
    [['add', 'bob', 'ann@example.test', '--generate'], undefined, 78, /belongs to the mailbox/],
    [['add', '../x', 'x@example.test', '--generate'], undefined, 78, /takes no "\/"/],
    [['add', 'bob', 'b@example.test', '--password-stdin'], 'short\n', 65, /at least 8/],
    [['add', 'bob', 'b@example.test', '--password-stdin'], 'two lines\nhere\n', 65, /one line/],
    [['add', 'bob', 'b@example.test'], 'correct horse\n', 65, /is no terminal/],
    [['add', 'bob', 'b@example.test', '--generate', '--password-stdin'], 'x', 64, /exclude/],
    [['passwd', 'amn', '--generate'], undefined, 67, /no mailbox amn; did you mean Ann\?/],
    [['passwd', 'Ann', '--config', '/nowhere/x.yaml'], undefined, 66, /no configuration file/],
  ];
  for (const [words, input, code, error] of cases) {
    const result = await mailbox(words, input === undefined ? {} : { input });
    assert.equal(result.code, code, `${words.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, error);
    assert.equal(await readFile(file, 'utf8'), text);
  }
  assert.deepEqual((await readdir(join(file, '..'))).sort(), [
    'postern.yaml',
    'server.key',
    'server.pem',
  ]);
});

test('a configuration that is wrong already is not edited', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  await writeFile(file, text.replace('server.pem', 'gone.pem'));
  const { code, stderr } = await mailbox(['passwd', 'Ann', '--generate']);
  assert.equal(code, 78);
  assert.match(stderr, /nothing was changed[^]*gone\.pem does not exist/);
});

const shared = `${text}  - id: other
    acceptedDomains: [{ domain: other.test }]
    mailboxes: [{ account: otto, addresses: [otto@other.test] }]
`;

test('with several organizations the domain says whose mailbox it is, or --organization', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  await writeFile(file, shared);
  const byDomain = await mailbox(['add', 'bob', 'bob@other.test', '--generate']);
  assert.equal(byDomain.code, 0, byDomain.stderr);
  const named = await mailbox([
    'add',
    'eve',
    'eve@example.test',
    '--organization',
    'example',
    '--generate',
  ]);
  assert.equal(named.code, 0, named.stderr);
  const password = await mailbox(['passwd', 'otto@other.test', '--generate']);
  assert.equal(password.code, 0, password.stderr);
  const { stdout } = await mailbox(['list']);
  assert.match(stdout, /^example +Ann +no /m);
  assert.match(stdout, /^example +eve +yes /m);
  assert.match(stdout, /^other +otto +yes /m);
  assert.match(stdout, /^other +bob +yes /m);
});

test('a mailbox is added to no organization by guessing', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  await writeFile(file, shared);
  const cases: [readonly string[], number, RegExp][] = [
    [['bob', 'bob@third.test'], 64, /no organization accepts third\.test/],
    [['bob', 'bob@third.test', '--organization', 'third'], 64, /there are: example, other/],
    [['bob', 'bob@other.test', '--organization', 'example'], 78, /in no accepted domain/],
    [['otto', 'otto@example.test'], 65, /mailbox otto already/],
  ];
  for (const [words, code, error] of cases) {
    const result = await mailbox(['add', ...words, '--generate']);
    assert.equal(result.code, code, `${words.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, error);
    assert.equal(await readFile(file, 'utf8'), shared);
  }
});

/** A terminal that types `keys` once it is asked. */
function terminal(keys: readonly string[]) {
  const raw: boolean[] = [];
  const stdin = Object.assign(new Readable({ read: () => undefined }), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => {
      raw.push(isRaw);
      const next = isRaw ? keys[(raw.length - 1) / 2] : undefined;
      if (next !== undefined) setImmediate(() => stdin.push(next));
    },
  });
  return { stdin, raw };
}

test('on a terminal the password is asked for twice and never shown', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  const { stdin, raw } = terminal(['wrong\u0015secretx\u007f word\r', 'secret word\n']);
  const result = await mailbox(['passwd', 'ann'], { io: { stdin } });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stderr, 'Password of Ann: \nOnce more: \n');
  assert.deepEqual(raw, [true, false, true, false]);
  assert.ok((await readFile(file, 'utf8')).includes(hash));
});

test('two that differ, and Ctrl-C, change nothing and give the terminal back', async (t) => {
  const { file, mailbox } = await makeConfig(t);
  const cases: [readonly string[], RegExp][] = [
    [['secret word\r', 'secret wort\r'], /differ/],
    [['sec\u0003'], /given up/],
  ];
  for (const [keys, error] of cases) {
    const { stdin, raw } = terminal(keys);
    const result = await mailbox(['passwd', 'ann'], { io: { stdin } });
    assert.equal(result.code, 65);
    assert.match(result.stderr, error);
    assert.equal(raw.at(-1), false);
    assert.equal(await readFile(file, 'utf8'), text);
  }
});
