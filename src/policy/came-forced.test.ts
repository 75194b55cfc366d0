/** Whose demands bind what is told of a message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboundConnector, policy } from '../../test/support/policy.ts';
import { cameForced } from './came-forced.ts';
import type { InboundConnector } from './policy.ts';

function cameBy(name: string, part: Partial<InboundConnector> = {}): boolean {
  const keys = { requireTls: true, restrictDomainsToCertificate: false, ...part };
  const value = policy({ inboundConnectors: [inboundConnector('in', keys)] });
  const source = { kind: 'mx', inboundConnectors: [name] } as const;
  return cameForced(value, { organization: 'org', source });
}

test('a connector that demands TLS binds the way back, and so does one that is gone', () => {
  assert.equal(cameBy('in'), true);
  assert.equal(cameBy('in', { requireTls: false, restrictDomainsToCertificate: true }), true);
  assert.equal(cameBy('gone'), true);
});

test('one that enforced when the message came, and only watches by now, binds it still', () => {
  assert.equal(cameBy('in', { mode: 'observe' }), true);
  assert.equal(cameBy('in', { mode: 'warn', enabled: false }), true);
});

test('one that asks for no TLS binds nothing', () => {
  assert.equal(cameBy('in', { requireTls: false }), false);
});
