/** main.cf as Postfix itself reads it: `postconf -nx` prints each value with its `$name`s put in. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import * as fc from 'fast-check';
import { readMainCf } from '../../src/config/move-in/postfix-main-cf.ts';

const skip =
  spawnSync('postconf', ['-d', 'mail_version']).status === 0
    ? false
    : 'Postfix is missing: apt-get install postfix';

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-main-cf-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'master.cf'), '');
  return folder;
}

/** What Postfix makes of the text; by parameter. */
function readByPostfix(folder: string, text: string): ReadonlyMap<string, string> {
  writeFileSync(join(folder, 'main.cf'), text);
  const { stdout } = spawnSync('postconf', ['-c', folder, '-nx'], { encoding: 'utf8' });
  const pairs = stdout.split('\n').flatMap((line): [string, string][] => {
    const match = /^(\S+) =(.*)$/.exec(line);
    return match === null ? [] : [[match[1]!, squeeze(match[2]!)]];
  });
  return new Map(pairs);
}

const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim();

function compare(folder: string, text: string): number {
  const { parameters } = readMainCf({ name: 'main.cf', content: text });
  const expected = readByPostfix(folder, text);
  let count = 0;
  for (const [name, value] of expected) {
    if (name === 'config_directory' || !parameters.isSet(name)) continue;
    assert.equal(squeeze(parameters.get(name)), value, `${name} of\n${text}`);
    count++;
  }
  return count;
}

test('the realistic main.cf is read as Postfix reads it', { skip }, (t) => {
  const file = new URL('../support/move-in/postfix/main.cf', import.meta.url);
  assert.ok(compare(makeFolder(t), readFileSync(file, 'utf8')) > 40);
});

const names = [
  'smtpd_banner',
  'header_checks',
  'mydestination',
  'smtp_tls_exclude_ciphers',
  'mynetworks',
];
const pieces = [
  'a b',
  '$myhostname',
  '${mydomain}',
  '$(mydomain)',
  '$$',
  '${mydomain?yes}',
  '${mydomain?{yes}:{no}}',
  '${smtp_bind_address?{yes}:{no}}',
  '${smtp_bind_address:none}',
  '${{$mydomain} == {b.example} ? {same} : {other}}',
  '${{10} > {9} ? {more} : {less}}',
  '${{$compatibility_level} < {3.6} ? {old} : {new}}',
  ',\n\tc',
  '\n# comment\n  d',
  '\n\n  e',
  '${mydomain?{${smtp_bind_address:{inner}}}}',
];
const mainCf = fc
  .array(
    fc.tuple(
      fc.constantFrom(...names),
      fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((settings) => {
    const lines = settings.map(([name, words]) => `${name} = ${words.join(' ')}\n`);
    return `myhostname = a.b.example\ncompatibility_level = 3.6\n${lines.join('')}`;
  });

test(
  'continued lines, comments, overrides and names are read as Postfix reads them',
  { skip },
  (t) => {
    const folder = makeFolder(t);
    let count = 0;
    fc.assert(
      fc.property(mainCf, (text) => {
        count += compare(folder, text);
      }),
      { numRuns: 10, seed: 5 },
    );
    assert.ok(count > 15, `${count} were compared`);
  },
);
