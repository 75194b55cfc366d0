/** Whoever may hand in a configuration or changes does not keep the gateway busy with wrong keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, inOrganization } from './config-sample.ts';
import { parseConfig } from './load.ts';

test('of thousands of unknown keys only the first are explained', () => {
  const keys = Array.from({ length: 15_000 }, (_, each) => `setHeaderNumber${each}: 1`);
  const text = inOrganization(`${accepted}\nrules:\n  - { name: r, ${keys.join(', ')} }`);
  const startedMs = performance.now();
  const loaded = parseConfig(text, '/etc/postern/postern.yaml');
  const tookMs = performance.now() - startedMs;
  assert.ok(loaded.kind === 'refused');
  assert.equal(loaded.problems[0]?.suggestion, 'setHeaderName');
  assert.match(loaded.problems.at(-1)!.text, /^and 149\d\d more problems$/);
  // Nothing else is served meanwhile. It was some 15 s.
  assert.ok(tookMs < 5000, `took ${tookMs} ms`);
});
