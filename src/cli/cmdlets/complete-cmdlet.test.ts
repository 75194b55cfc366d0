import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../../test/support/command-line.ts';
import { completeCmdlet } from './complete-cmdlet.ts';

/** Asks as the scripts of every shell do. */
async function ask(...words: string[]): Promise<readonly string[]> {
  const { code, stdout } = await run(['complete', '--', ...words]);
  assert.equal(code, 0);
  return stdout.trimEnd().split('\n');
}

test('names, parameters and words of cmdlets are completed in the form that the scripts read', async () => {
  assert.deepEqual(await ask('Remove-Acc'), [
    'Remove-AcceptedDomain\tremove an accepted domain',
    ':4',
  ]);
  assert.deepEqual(await ask('New-OutboundConnector', '-Enabled', ''), ['true\t', 'false\t', ':4']);
  assert.deepEqual(await ask('New-OutboundConnector', '-tlssettings', 'dom'), [
    'DomainValidation\t',
    ':4',
  ]);
  const tls = await ask('Set-InboundConnector', '-reqUIRE');
  assert.deepEqual(
    tls.map((line) => line.split('\t')[0]),
    ['-RequireTls', '-RequireTlsTemporary', ':4'],
  );
});

test('what is given is not offered again, and a value of one cannot be guessed', async () => {
  assert.deepEqual(await ask('Remove-OutboundConnector', '-WhatIf', '-W'), [':4']);
  assert.deepEqual(await ask('Set-OutboundConnector', '-Comment', ''), [':4']);
  assert.deepEqual(await ask('Set-OutboundConnector', 'x'), [':4']);
});

test('words of the other spelling are left to it', () => {
  assert.equal(completeCmdlet([]), null);
  assert.equal(completeCmdlet(['']), null);
  assert.equal(completeCmdlet(['queue']), null);
  assert.equal(completeCmdlet(['queue', 'l']), null);
  assert.equal(completeCmdlet(['New-Nothing', '-']), null);
});
