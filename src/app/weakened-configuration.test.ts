/** What besides the policy asks for less, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policy } from '../../test/support/policy.ts';
import { minimalConfig } from '../../test/support/sample-config.ts';
import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import type { WeakenedKey } from './weakened-configuration.ts';
import { findWeaker } from './weakened-configuration.ts';

function config(proxyProtocol: readonly string[], part: Partial<Config> = {}): Config {
  const loaded = parseConfig(minimalConfig(), '/etc/postern/postern.yaml');
  assert.equal(loaded.kind, 'loaded');
  const [listener] = loaded.config.listeners;
  return { ...loaded.config, listeners: [{ ...listener!, proxyProtocol }], ...part };
}

const same = policy();

function weakened(before: Config, after: Config): readonly WeakenedKey[] {
  return findWeaker({ config: before, policy: same }, { config: after, policy: same });
}

test('domains that need no proof any more', () => {
  const asked = config([], { domainVerification: 'txt' });
  const off = config([], { domainVerification: 'off' });
  assert.match(weakened(asked, off)[0]!.text, /takes mail for domains that nobody has/);
  assert.deepEqual(weakened(off, asked), []);
  assert.deepEqual(weakened(off, off), []);
});

test('proxies that are newly believed, and a part of those that were', () => {
  const change = (before: string[], after: string[]): string[] =>
    weakened(config(before), config(after)).map(({ text }) => text);
  assert.match(change([], ['192.0.2.0/24'])[0]!, /^the gateway believes 192\.0\.2\.0\/24 at /);
  assert.match(change(['192.0.2.1/32'], ['192.0.2.0/24'])[0]!, /believes 192\.0\.2\.0\/24/);
  assert.deepEqual(change(['192.0.2.0/24'], ['192.0.2.1/32']), []);
  assert.deepEqual(change(['192.0.2.0/24'], []), []);
  const before = config([]);
  const [listener] = config(['192.0.2.0/24']).listeners;
  const added = { ...before, listeners: [...before.listeners, { ...listener!, port: 2526 }] };
  assert.deepEqual(weakened(before, added)[0]!.path, ['listeners', 1, 'proxyProtocol']);
});
