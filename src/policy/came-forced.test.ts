/** Whose demands bind what is told of a message, as recorded and, of older mail, as today's policy has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboundConnector, policy } from '../../test/support/policy.ts';
import { cameForced, isForcedBy } from './came-forced.ts';
import type { InboundConnector } from './policy.ts';

/** Mail of which it was not recorded. */
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

function isForced(names: readonly string[], part: Partial<InboundConnector> = {}): boolean {
  const keys = { requireTls: true, ...part };
  const value = policy({ inboundConnectors: [inboundConnector('in', keys)] });
  return isForcedBy(value, 'org', names);
}

test('on arrival: a connector that was met, demands TLS and enforces it', () => {
  assert.equal(isForced(['in']), true);
  const certificate = { requireTls: false, restrictDomainsToCertificate: true };
  assert.equal(isForced(['other', 'in'], certificate), true);
  assert.equal(isForced(['in'], { requireTls: false, postQuantum: 'require' }), true);
});

test('on arrival: none that only watches, asks for no TLS, was not met or is of others', () => {
  assert.equal(isForced(['in'], { mode: 'observe' }), false);
  assert.equal(isForced(['in'], { mode: 'warn' }), false);
  assert.equal(isForced(['in'], { requireTls: false }), false);
  assert.equal(isForced(['other']), false);
  assert.equal(isForced([]), false);
  const value = policy({ inboundConnectors: [inboundConnector('in', { requireTls: true })] });
  assert.equal(isForcedBy(value, 'another organization', ['in']), false);
});

test('what was recorded on arrival stays, whatever the policy is today', () => {
  for (const isForced of [true, false]) {
    for (const requireTls of [true, false]) {
      for (const inboundConnectors of [['in'], ['gone']]) {
        const connector = inboundConnector('in', { requireTls });
        const value = policy({ inboundConnectors: [connector] });
        for (const source of [
          { kind: 'mx', inboundConnectors, isForced },
          { kind: 'organization', organization: 'x', inboundConnectors, isForced },
        ] as const) {
          assert.equal(cameForced(value, { organization: 'org', source }), isForced);
        }
      }
    }
  }
});
