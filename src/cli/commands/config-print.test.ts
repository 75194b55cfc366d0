import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import { fakeServices } from '../../../test/support/api-services.ts';
import { makeFolder, run, startFakeGateway } from '../../../test/support/command-line.ts';

test('from the running gateway, with its revision; defaults are asked for there', async (t) => {
  const asked: boolean[] = [];
  const { socketPath } = await startFakeGateway(t, {
    readConfig: async (options) => {
      asked.push(options.withDefaults);
      return fakeServices().readConfig(options);
    },
  });
  const plain = await run(['config', 'print', '--socket', socketPath]);
  assert.deepEqual([plain.code, plain.stderr], [0, '']);
  assert.equal(
    plain.stdout,
    `# In force since 2026-11-22T10:00:00.000Z: configuration 0123456789ab, policy 8c1f00d2, from /etc/postern/postern.yaml
hostName: gateway.example.test
listeners: []
`,
  );
  const all = await run(['config', 'print', '--defaults', '--json', '--socket', socketPath]);
  const { source, configRevision, config } = JSON.parse(all.stdout) as Record<string, unknown>;
  assert.deepEqual([source, configRevision], ['gateway', '0123456789ab']);
  assert.deepEqual(config, { hostName: 'gateway.example.test', listeners: [] });
  assert.deepEqual(asked, [false, true]);
});

test('a file that differs from what is in force is said on standard error', async (t) => {
  for (const [fileState, words] of [
    ['differs', /was changed since and is not in force: `postern config reload`/],
    ['needs-restart', /was changed since and is not in force: a restart/],
    ['refused', /cannot be put in force: `postern config check` says why/],
  ] as const) {
    const { socketPath } = await startFakeGateway(t, {
      readConfig: async (options) => ({ ...(await fakeServices().readConfig(options)), fileState }),
    });
    const result = await run(['config', 'print', '--socket', socketPath]);
    assert.equal(result.code, 0);
    assert.match(result.stderr, words);
    const json = await run(['config', 'print', '--json', '--socket', socketPath]);
    assert.equal((JSON.parse(json.stdout) as { fileState: string }).fileState, fileState);
  }
});

test('without a gateway the file that was found, with FILE that one, and it says which', async (t) => {
  const workingFolder = await makeFolder(t);
  const file = join(workingFolder, 'postern.yaml');
  await writeFile(file, minimalConfig());
  const found = await run(['config', 'print'], { io: { workingFolder } });
  assert.deepEqual([found.code, found.stderr], [0, '']);
  const [head, ...rest] = found.stdout.split('\n');
  assert.match(head ?? '', /^# .*postern\.yaml, policy [0-9a-f]+ \(no gateway runs\)$/);
  assert.deepEqual(parse(rest.join('\n')), parse(minimalConfig()));
  const named = await run(['config', 'print', 'postern.yaml', '--defaults', '--json'], {
    io: { workingFolder },
  });
  const view = JSON.parse(named.stdout) as {
    source: string;
    file: string;
    config: { lanes: string };
  };
  assert.deepEqual([view.source, view.file, view.config.lanes], ['file', file, 'auto']);
  // A gateway that is named by its socket is meant, and nothing else.
  const other = await run(['config', 'print', '--socket', './none.sock'], {
    io: { workingFolder },
  });
  assert.deepEqual([other.code, other.stdout], [69, '']);
});

test('secrets are shown of a file alone; a file that is refused exits with 78', async (t) => {
  const workingFolder = await makeFolder(t);
  const hash = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;
  const mailbox = `    mailboxes: [{ account: a, addresses: postmaster@example.test, passwordHash: "${hash}" }]\n`;
  const text = `${minimalConfig().replace(/^ *mailboxes:.*\n(?: {6,}.*\n)*/m, '')}${mailbox}`;
  await writeFile(join(workingFolder, 'postern.yaml'), text);
  const io = { workingFolder };
  const hidden = await run(['config', 'print', 'postern.yaml'], { io });
  assert.match(hidden.stdout, /passwordHash: \(redacted by config print\)\n/);
  const shown = await run(['config', 'print', 'postern.yaml', '--with-secrets'], { io });
  assert.ok(shown.stdout.includes(hash));
  const unnamed = await run(['config', 'print', '--with-secrets'], { io });
  assert.equal(unnamed.code, 64);
  await writeFile(join(workingFolder, 'bad.yaml'), `${text}x: 1\ny: 2\n`);
  const bad = await run(['config', 'print', 'bad.yaml'], { io });
  assert.equal(bad.code, 78);
  assert.match(bad.stderr, /bad\.yaml:\d+:1: x: unknown key[\s\S]*bad\.yaml:\d+:1: y: /);
});
