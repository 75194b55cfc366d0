/** Whose demands bind what is told of a message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboundConnector, policy } from '../../test/support/policy.ts';
import { cameForced } from './came-forced.ts';
import type { ConnectorMode } from './policy.ts';

const cameBy = (name: string, mode: ConnectorMode = 'enforce', requireTls = true): boolean => {
  const connector = inboundConnector('in', {
    mode,
    requireTls,
    restrictDomainsToCertificate: false,
  });
  const source = { kind: 'mx', inboundConnectors: [name], helo: 'mx.sender.test' } as const;
  return cameForced(policy({ inboundConnectors: [connector] }), { organization: 'org', source });
};

test('a connector that enforces TLS binds the way back, and so does one that is gone', () => {
  assert.equal(cameBy('in'), true);
  assert.equal(cameBy('gone'), true);
});

test('one that asks for no TLS, or only watches, does not', () => {
  assert.equal(cameBy('in', 'enforce', false), false);
  assert.equal(cameBy('in', 'observe'), false);
  assert.equal(cameBy('in', 'warn'), false);
});
