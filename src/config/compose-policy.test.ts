import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { minimalConfig } from '../../test/support/sample-config.ts';
import { composePolicy } from './compose-policy.ts';
import { parseConfig } from './load.ts';
import type { PolicyObject } from './policy-object.ts';
import { formatProblem } from './problem.ts';
import { digestOfPolicy, splitPolicy } from './split-policy.ts';

const files = readdirSync('examples').filter((name) => name.endsWith('.yaml'));
const asFile = 'examples/postern.yaml';

function loadedOf(text: string, objects?: readonly PolicyObject[]) {
  const loaded = parseConfig(
    text,
    asFile,
    objects === undefined ? undefined : () => ({ kind: 'stored', objects }),
  );
  assert.equal(loaded.kind, 'loaded', JSON.stringify(loaded));
  return loaded;
}

test('each example, taken apart and put together, is the same policy', () => {
  assert.ok(files.length > 5);
  for (const name of files) {
    const text = readFileSync(`examples/${name}`, 'utf8');
    const whole = loadedOf(text);
    const objects = splitPolicy(whole.raw);
    const joined = loadedOf(text, objects);
    assert.equal(joined.policy.revision, whole.policy.revision, name);
    assert.equal(joined.policyFrom, 'stored');
    assert.deepEqual(splitPolicy(joined.raw), objects);
    assert.equal(digestOfPolicy(joined.raw), digestOfPolicy(whole.raw));
  }
});

const minimal = splitPolicy(loadedOf(minimalConfig()).raw);
const organization = minimal.find(({ kind }) => kind === 'organization');
const certificates = minimal.filter(({ kind }) => kind === 'certificate');

function connector(name: string, value: object): PolicyObject {
  const kind = 'outbound-connector';
  return { kind, organization: organization!.name, name, value: { name, ...value } };
}

test('a mistake in an object is told at the object, with the nearest right key', () => {
  const objects = [
    ...minimal,
    connector('good', { recipientDomains: 'good.test' }),
    connector('bank', { recipientDomains: 'bank.test', tlsSetings: 'EncryptionOnly' }),
  ];
  const refused = parseConfig(minimalConfig(), asFile, () => ({ kind: 'stored', objects }));
  assert.equal(refused.kind, 'refused');
  const [problem] = refused.problems;
  assert.deepEqual(problem?.object, {
    kind: 'outbound-connector',
    organization: organization!.name,
    name: 'bank',
  });
  assert.equal(problem.key, 'tlsSetings');
  assert.match(
    formatProblem(problem),
    /^outbound connector "bank" of \w+: tlsSetings: unknown key; did you mean "tlsSettings"\?$/,
  );
});

test('a gateway without any organization, and one whose organization has no domain, load', () => {
  const none = loadedOf(minimalConfig(), certificates);
  assert.equal(none.policy.organizations.length, 0);
  assert.ok(none.warnings.some(({ text }) => text.includes('no organization')));
  const bare = { ...organization!, value: { id: organization!.name } };
  const loaded = loadedOf(minimalConfig(), [...certificates, bare]);
  assert.equal(loaded.policy.organizations[0]?.acceptedDomains.length, 0);
  assert.ok(loaded.warnings.some(({ text }) => text.includes('no mail is taken')));
});

test('objects of a file are what they are once they were kept', () => {
  assert.deepStrictEqual(JSON.parse(JSON.stringify(minimal)), minimal);
});

test('names that are no words of ours stay names', () => {
  const value = { certificate: 'a.pem', key: 'a.key' };
  for (const name of ['__proto__', 'constructor', 'a b']) {
    const objects = [{ kind: 'certificate', organization: null, name, value }] as const;
    const composed = composePolicy({}, objects);
    assert.deepEqual(composed.objectAt(['certificates', name, 'key'])?.object.name, name);
    assert.deepEqual(splitPolicy(composed.value), objects);
  }
});

test('what stands in the file of the policy is not read where another is chosen', () => {
  const text = minimalConfig().replace(/organizations:[^]*/, 'organizations: 12\n');
  const objects = certificates;
  const loaded = parseConfig(text, asFile, () => ({ kind: 'stored', objects }));
  assert.equal(loaded.kind, 'loaded', JSON.stringify(loaded));
  assert.equal(parseConfig(text, asFile).kind, 'refused');
});
