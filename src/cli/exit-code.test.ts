import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { fakeOffline, makeFolder, run } from '../../test/support/command-line.ts';
import { minimalConfig } from '../../test/support/sample-config.ts';
import type { CommandContext } from './command-context.ts';
import { createProgram } from './program.ts';

const main = fileURLToPath(new URL('../app/main.ts', import.meta.url));

/** Commands with nothing below them, as words. */
function leaves(): readonly { words: string[]; command: Command }[] {
  const context = { offline: fakeOffline(), width: null } as unknown as CommandContext;
  const sink = { writeOut: () => undefined, writeErr: () => undefined };
  const below = (command: Command, words: string[]): { words: string[]; command: Command }[] =>
    command.commands.length === 0
      ? [{ words, command }]
      : command.commands.flatMap((each) => below(each, [...words, each.name()]));
  const all = below(createProgram(context, sink), []);
  return all.filter(({ words }) => words[0] !== 'complete');
}

test('every command ends with 64 for an option that it does not know, and with 0 for --help', async () => {
  assert.ok(leaves().length >= 20);
  for (const { words } of leaves()) {
    const wrong = await run([...words, '--no-such-option']);
    assert.deepEqual([wrong.code, wrong.stdout], [64, ''], words.join(' '));
    assert.match(wrong.stderr, /--no-such-option/);
    assert.equal((await run([...words, '--help'])).code, 0, words.join(' '));
  }
});

/** What commands need besides; those of the sum are tried with what is here. */
const needed: Readonly<Record<string, readonly string[]>> = {
  send: ['--to', 'a@example.test', '--body', 'x'],
  explain: ['--from', 'a@example.test', '--to', 'b@example.test'],
  'domain verify': ['contoso.com'],
  replay: ['--config', 'candidate.yaml'],
  'person add': ['ada'],
  'person grant': ['ada', 'auditor'],
  'person revoke': ['ada', 'auditor'],
  'person password': ['ada', '--generate'],
  'person remove': ['ada'],
  'token create': ['ada', '--name', 'x', '--permission', 'explain'],
  'token revoke': ['x'],
  plan: ['--file', 'flow.yaml'],
  'revision show': ['1'],
  'revision diff': ['1'],
  'revision rollback': ['1'],
  apply: ['--file', 'flow.yaml'],
  'connector readiness': ['x'],
  'connector validate': ['x'],
  'connector validations': ['x'],
  'partner add': ['clinic.example', '--yes'],
  'queue show': ['06X9T5K1G000'],
  'queue retry': ['06X9T5K1G000'],
  'queue hold': ['06X9T5K1G000'],
  'queue release': ['06X9T5K1G000'],
  'queue expire': ['06X9T5K1G000'],
  'queue delete': ['06X9T5K1G000', '--yes'],
  'connector create inbound': ['--name', 'x', '--sender-domains', 'a.example'],
  'connector create outbound': ['--name', 'x'],
  'mailbox add': ['x', 'x@a.example'],
  'mailbox passwd': ['x'],
  'domain create': ['--domain', 'a.example'],
  'domain set': ['a.example', '--type', 'InternalRelay'],
  'rule create': ['--name', 'x'],
  'rule move': ['x', '--place', '0'],
  ...Object.fromEntries(namedObjects()),
};

/** Commands that take the name of one object. */
function namedObjects(): readonly (readonly [string, readonly string[]])[] {
  const all = ['show', 'remove', 'enable', 'disable', 'set'].flatMap((action) => [
    `connector ${action} inbound`,
    `connector ${action} outbound`,
    `rule ${action}`,
    `domain ${action}`,
  ]);
  return all
    .filter((name) => name !== 'domain set')
    .map((name) => [name, name.includes(' set') ? ['x', '--enabled'] : ['x']]);
}

test('every command that needs the gateway ends with 69 where none runs, with 66 without the configuration', async (t) => {
  const workingFolder = await makeFolder(t);
  await writeFile(join(workingFolder, 'candidate.yaml'), minimalConfig());
  await writeFile(join(workingFolder, 'flow.yaml'), 'organizations: []\n');
  const online = leaves().filter(
    ({ command, words }) =>
      command.options.some(({ long }) => long === '--socket') && words[0] !== 'doctor',
  );
  assert.ok(online.length >= 9);
  for (const { words } of online) {
    const name = words.join(' ');
    const line = [...words, ...(needed[name] ?? [])];
    const io = { workingFolder };
    const down = await run([...line, '--socket', './none.sock'], { io, input: 'x' });
    assert.equal(down.code, 69, `${name}: ${down.stderr}`);
    assert.match(down.stderr, /no gateway answers on .*none\.sock/, name);
    const missing = await run([...line, '--config', './none.yaml'], { io, input: 'x' });
    assert.equal(missing.code, 66, `${name}: ${missing.stderr}`);
  }
});

test('an output without room is no defect of the program: 74', async () => {
  const code = await new Promise<[number, string]>((resolve) => {
    const words = ['-c', 'exec "$0" "$1" version > /dev/full', process.execPath, main];
    execFile('sh', words, { timeout: 60_000 }, (error, _stdout, stderr) =>
      resolve([Number(error?.code ?? 0), stderr]),
    );
  });
  assert.equal(code[0], 74);
  assert.match(code[1], /^postern: the output cannot be written: ENOSPC/);
});
