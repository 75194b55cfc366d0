import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../app/main.ts', import.meta.url));
const postern = (...argv: string[]): string =>
  execFileSync(process.execPath, [main, ...argv], { encoding: 'utf8', timeout: 60_000 });

async function writeProgram(folder: string): Promise<void> {
  const program = path.join(folder, 'postern');
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
  await chmod(program, 0o755);
}

test('bash completes commands, their commands and options by the script', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-completion-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeProgram(folder);
  await writeFile(path.join(folder, 'script'), postern('completion', 'bash'));
  const complete = (...words: string[]): string[] => {
    const line = words.join(' ');
    const steps = [
      `PATH="${folder}:$PATH"`,
      `_get_comp_words_by_ref() {
         cur="\${COMP_WORDS[COMP_CWORD]}"; words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; }`,
      `compopt() { :; }`,
      `source "${folder}/script"`,
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`,
      `COMP_LINE='${line}'; COMP_POINT=${line.length}`,
      `$(complete -p postern | sed 's/.*-F \\([^ ]*\\).*/\\1/')`,
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ];
    const output = execFileSync('bash', ['-c', steps.join('\n')], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return output.split('\n').map((each) => each.split(/\s/)[0]!);
  };
  assert.ok(complete('postern', 'queue', 'rel').includes('release'));
  assert.deepEqual(complete('postern', 'New-Out'), ['New-OutboundConnector', '']);
  const parameters = complete('postern', 'Set-OutboundConnector', 'Contoso', '-Tls');
  assert.deepEqual(parameters.slice(0, 2), ['-TlsSettings', '-TlsDomain']);
  const kebab = complete('postern', 'connector', 'create', 'outbound', '--tls-settings', 'Dom');
  assert.deepEqual(kebab, ['DomainValidation', '']);
});

for (const shell of ['zsh', 'fish']) {
  const isThere = spawnSync(shell, ['--version']).status === 0;
  test(
    `${shell} takes its script`,
    { skip: isThere ? false : `${shell} is missing` },
    async (t) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'postern-completion-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const script = path.join(folder, 'script');
      await writeFile(script, postern('completion', shell));
      const { status, stderr } = spawnSync(shell, ['-n', script], { encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, '']);
    },
  );
}

test('fish completes parameters of cmdlets by the script', async (t) => {
  if (spawnSync('fish', ['--version']).status !== 0) return t.skip('fish is missing');
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-completion-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeProgram(folder);
  await writeFile(path.join(folder, 'script'), postern('completion', 'fish'));
  const complete = (line: string): readonly string[] =>
    execFileSync('fish', ['-c', `source ${folder}/script; complete -C '${line}'`], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: folder },
    })
      .split('\n')
      .map((each) => each.split('\t')[0]!);
  assert.ok(complete('postern New-OutboundConnector -TlsS').includes('-TlsSettings'));
});

test('zsh has its script, and an unknown shell is refused', () => {
  assert.match(postern('completion', 'zsh'), /^#compdef postern/);
  assert.throws(() => postern('completion', 'tcsh'), { status: 64 });
});
