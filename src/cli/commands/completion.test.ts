import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../app/main.ts', import.meta.url));
const postern = (...argv: string[]): string =>
  execFileSync(process.execPath, [main, ...argv], { encoding: 'utf8', timeout: 60_000 });

test('bash completes commands, their commands and options by the script', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-completion-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const program = path.join(folder, 'postern');
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
  await chmod(program, 0o755);
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
});

test('zsh has its script, and an unknown shell is refused', () => {
  assert.match(postern('completion', 'zsh'), /^#compdef postern/);
  assert.throws(() => postern('completion', 'tcsh'), { status: 64 });
});
