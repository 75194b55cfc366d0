/** The scripts of `postern completion` in the shells that they are for, as somebody who presses Tab. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mainFile, runProgram } from '../support/gateway.ts';

const noZsh = await whyMissing('zsh');
const noFish = await whyMissing('fish');

/** Holds the program, zsh's script under the name by which it is found, and fish's. */
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-completion-'));
  const program = join(folder, 'postern');
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${mainFile}" "$@"\n`);
  await chmod(program, 0o755);
  for (const [shell, name] of [
    ['zsh', '_postern'],
    ['fish', 'postern.fish'],
  ] as const) {
    const { stdout } = await runProgram([program, 'completion', shell]);
    await writeFile(join(folder, name), stdout);
  }
});
after(() => rm(folder, { recursive: true, force: true }));

async function whyMissing(shell: string): Promise<string | null> {
  const { code } = await runProgram([shell, '--version']);
  return code === 0 ? null : `${shell} is missing: apt-get install ${shell}`;
}

/** A terminal with an interactive zsh; Ctrl-X writes what stands on its command line to a file. */
const zshDriver = `
zmodload zsh/zpty
zpty -b shell zsh -f
zpty -w shell "PS1= RPS1= PATH=$FOLDER:$PATH fpath=($FOLDER \\$fpath)"
zpty -w shell "autoload -Uz compinit && compinit -u -D"
zpty -w shell "dump() { print -rn -- \\"\\$BUFFER\\" > $FOLDER/line.new && mv $FOLDER/line.new $FOLDER/line }"
zpty -w shell "zle -N dump; bindkey '^X' dump"
zpty -w -n shell "$TYPED"$'\\t\\x18'
for i in {1..600}; do
  zpty -r shell output 2>/dev/null
  [[ -f $FOLDER/line ]] && break
  sleep 0.1
done
zpty -d shell
`;

async function pressTabInZsh(typed: string): Promise<string> {
  await rm(join(folder, 'line'), { force: true });
  const { stdout, stderr } = await runProgram(['zsh', '-f', '-c', zshDriver], {
    environment: { FOLDER: folder, TYPED: typed, TERM: 'xterm' },
    timeoutMs: 90_000,
  });
  return readFile(join(folder, 'line'), 'utf8').catch(() => assert.fail(stdout + stderr));
}

test(
  'zsh completes a command, a command below it, and an option',
  { skip: noZsh ?? false },
  async () => {
    assert.equal(await pressTabInZsh('postern comp'), 'postern completion ');
    assert.equal(await pressTabInZsh('postern queue rel'), 'postern queue release ');
    assert.equal(await pressTabInZsh('postern trace --sta'), 'postern trace --status ');
  },
);

test('fish completes the same', { skip: noFish ?? false }, async () => {
  for (const [typed, completed] of [
    ['postern comp', 'completion'],
    ['postern queue rel', 'release'],
    ['postern trace --sta', '--status'],
  ] as const) {
    const script = `source ${folder}/postern.fish; complete -C '${typed}'`;
    const environment = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: folder };
    const { stdout, stderr } = await runProgram(['fish', '--no-config', '-c', script], {
      environment,
    });
    const words = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    assert.deepEqual(words, [completed], stderr);
  }
});
