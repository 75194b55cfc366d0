import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { inbound, inOrganization, accepted } from './config-sample.ts';
import { effectiveConfig } from './effective-config.ts';
import { embeddedDefaultText } from './embedded-default-text.ts';
import { formatConfig } from './format-config.ts';
import { parseConfig } from './load.ts';
import { redacted } from './redacted.ts';
import { formatProblem } from './problem.ts';
import { schemaKeys } from './schema-walk.ts';

const file = '/etc/postern/postern.yaml';
const hash = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;

function load(text: string) {
  const result = parseConfig(text, file);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  return result;
}

/** All that acts; where it stands in the file is no part of it. */
function acting(text: string) {
  const { config, policy } = load(text);
  const { files, ...rest } = config;
  return { rest, policy, files: files.map(({ line: _line, column: _column, ...each }) => each) };
}

/** Every example, the embedded default, and a file with aliases, names to quote and many lines. */
async function samples(): Promise<[string, string][]> {
  const folder = fileURLToPath(new URL('../../examples/', import.meta.url));
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  const examples = names.map(async (name): Promise<[string, string]> => [
    name,
    await readFile(`${folder}${name}`, 'utf8'),
  ]);
  const account = 'user@example.test';
  return [
    ...(await Promise.all(examples)),
    ['embedded', embeddedDefaultText({ account, passwordHash: hash, isRoot: true })],
    [
      'odd',
      inOrganization(`name: "*yes: no # 'x'"
acceptedDomains: [{ domain: fabrikam.com }]
mailboxes: [{ account: postmaster, addresses: postmaster@fabrikam.com, passwordHash: "${hash}" }]
deliveryTargets: [{ name: "true", protocol: lmtp, address: "unix:/run/lmtp" }]
inboundConnectors:
  - { name: "1", senderDomains: "*.contoso.com", requireTls: false, restrictDomainsToIPAddresses: true, senderIPAddresses: &list [192.0.2.0/24, "2001:db8::/32"], comment: "two\\nlines: # x" }
  - { name: two, senderDomains: "*", requireTls: true, except: contoso.com, comment: "" }`),
    ],
  ];
}

test('what is printed loads again and acts the same, with and without defaults', async () => {
  for (const [name, text] of await samples()) {
    const { raw } = load(text);
    for (const withDefaults of [false, true]) {
      const values = effectiveConfig(raw, { withDefaults, withSecrets: true });
      for (const withComments of [false, true]) {
        const printed = formatConfig(values, withComments);
        assert.deepEqual(acting(printed), acting(text), `${name}:\n${printed}`);
        assert.deepEqual(parse(printed), values, name);
        assert.ok(printed.split('\n').every((line) => line.trimEnd() === line));
      }
    }
  }
});

test('with defaults each key of a section is written or named as left out', async () => {
  for (const [name, text] of await samples()) {
    const values = effectiveConfig(load(text).raw, { withDefaults: true, withSecrets: true });
    const printed = formatConfig(values, true);
    const inSections = schemaKeys.filter(({ section }) => !/\[\]|<name>/.test(section));
    for (const { key } of inSections) {
      assert.match(printed, new RegExp(`^\\s*(- |# )?${key}:`, 'm'), `${name} ${key}`);
    }
  }
});

test('keys come in the order of the schema, each explained once', () => {
  const { raw } = load(inOrganization(`${accepted}\naddressExtension: "+"`, 'lanes: 2'));
  const values = effectiveConfig(raw, { withDefaults: false, withSecrets: false });
  assert.deepEqual(Object.keys(values), [
    'hostName',
    'lanes',
    'listeners',
    'certificates',
    'serverCertificates',
    'organizations',
  ]);
  const all = formatConfig(effectiveConfig(raw, { withDefaults: true, withSecrets: false }), true);
  assert.equal(all.split('# How long delivery is tried.').length, 2);
  assert.match(all, /# How long a message is tried[^\n]*\n  expiry: 24h/);
  assert.ok(all.split('\n').every((line) => line.length <= 100));
});

test('a default that would not act beside the others is named and not written', () => {
  const text = inbound(
    'requireTls: false, restrictDomainsToIPAddresses: true, senderIPAddresses: 192.0.2.1',
  );
  const values = effectiveConfig(load(text).raw, { withDefaults: true, withSecrets: true });
  const printed = formatConfig(values, true);
  assert.match(printed, /# requireTlsTemporary: \(left out\) 1h; does not act/);
  assert.doesNotMatch(printed, /^ *requireTlsTemporary:/m);
  assert.match(printed, /^ *acceptServerAuthOnly: false/m);
});

test('a password hash is not printed, and its placeholder is refused in words', () => {
  const text = embeddedDefaultText({
    account: 'u@example.test',
    passwordHash: hash,
    isRoot: false,
  });
  const values = effectiveConfig(load(text).raw, { withDefaults: true, withSecrets: false });
  const printed = formatConfig(values, true);
  assert.ok(!printed.includes('argon2id$') && printed.includes(redacted));
  const again = parseConfig(printed, file);
  assert.ok(again.kind === 'refused');
  assert.equal(again.problems.filter(({ severity }) => severity === 'error').length, 1);
  assert.match(again.problems.map(formatProblem).join(), /put the hash back/);
});
