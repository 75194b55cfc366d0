import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import type { Command } from 'commander';
import { formatManual } from './manual.ts';
import { Output } from './output.ts';
import { createProgram } from './program.ts';
import { fakeOffline } from '../../test/support/command-line.ts';

const file = new URL('../../docs/cli.md', import.meta.url);

function writeManual(): string {
  let text = '';
  const output = new Output(new Writable());
  const context = {
    out: output,
    err: output,
    stdin: new Readable(),
    width: null,
    surroundings: { env: {}, workingFolder: '/' },
    offline: fakeOffline(),
    nowMs: () => 0,
    wait: () => Promise.resolve(),
    openPolicyObjects: () => Promise.reject(new Error('no gateway in this fake')),
    runCommand: () => Promise.resolve(),
    setExitCode: () => undefined,
  };
  const append = (part: string): void => void (text += part);
  const program = createProgram(context, { writeOut: append, writeErr: append });
  return formatManual(program, (command: Command) => {
    text = '';
    command.outputHelp();
    return text;
  });
}

test('docs/cli.md says what the commands say themselves', async () => {
  const manual = writeManual();
  if (process.env['POSTERN_WRITE_DOCS'] === '1') await writeFile(file, manual);
  assert.equal(await readFile(file, 'utf8'), manual);
});

test('every command has examples or needs none', () => {
  const manual = writeManual();
  for (const section of manual.split('\n## postern ').slice(1)) {
    const [name = ''] = section.split('\n');
    assert.ok(name === 'version' || section.includes('\nExamples:\n  $ postern '), name);
  }
});
