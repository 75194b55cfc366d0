/**
 * Where no weakening is found, no session of one organization's own servers, or of anybody, may send
 * what it might not before: of OnPremises connectors by address, name and pin, beside Partner
 * connectors without exceptions or pins; also relay. Not generated: rules, moved domains, From.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  address,
  certificate,
  clearSession,
  inboundConnector,
  noon,
  patterns,
  policy,
  reached,
  serverEvidence,
} from '../../../test/support/policy.ts';
import { changed } from '../../../test/support/policy-changes.ts';
import type { Evidence } from '../evidence.ts';
import type { InboundSession } from '../inbound-session.ts';
import { judgeRecipient } from '../judge-recipient.ts';
import type { InboundConnector, Policy } from '../policy.ts';
import { findWeakenings } from './weakening.ts';

const mostly = <Value>(usual: Value, ...others: Value[]): fc.Arbitrary<Value> =>
  fc.constantFrom(usual, usual, usual, ...others);

const part = fc.record({
  connectorType: mostly<'OnPremises' | 'Partner'>('OnPremises', 'Partner'),
  senderDomains: mostly(patterns('*'), patterns('partner.test')),
  senderIPAddresses: fc.constantFrom<string[]>(
    [],
    ['192.0.2.0/24'],
    ['192.0.2.0/25'],
    ['192.0.2.128/25'],
    ['192.0.2.0/24', '198.51.100.1/32'],
  ),
  tlsSenderCertificateNames: fc.constantFrom(
    ...[[], ['*.example.test'], ['hub.example.test'], ['hub.example.test', 'mx.example.test']].map(
      (names) => patterns(...names),
    ),
  ),
  pins: mostly<string[]>([], ['k1'], ['k1', 'k2']),
  anchors: mostly('bundled', 'file:/x'),
  requireTls: fc.boolean(),
  minVersion: mostly<'TLSv1.2' | 'TLSv1.3'>('TLSv1.2', 'TLSv1.3'),
  restrictDomainsToCertificate: fc.boolean(),
  postQuantum: mostly<'prefer' | 'require'>('prefer', 'require'),
  mode: mostly<'enforce' | 'observe'>('enforce', 'observe'),
  enabled: mostly(true, false),
});

/** Of a partner a pin implies CA and name, as for queued mail; so none has any here. */
function connectorOf(name: string, each: Partial<InboundConnector>): InboundConnector {
  const pins = each.connectorType === 'Partner' ? [] : (each.pins ?? []);
  const isNamed = (each.tlsSenderCertificateNames ?? []).length + pins.length > 0;
  const isRestricted = isNamed && each.restrictDomainsToCertificate === true;
  return inboundConnector(name, { ...each, pins, restrictDomainsToCertificate: isRestricted });
}

function policyOf(parts: readonly (readonly [string, Partial<InboundConnector> | null])[]): Policy {
  return policy({
    inboundConnectors: parts.flatMap(([name, each]) =>
      each === null ? [] : [connectorOf(name, each)],
    ),
  });
}

function shown(name: string, key: string, anchors: readonly string[]): Evidence {
  return serverEvidence({
    protocol: 'TLSv1.2',
    group: 'X25519',
    chain: [certificate({ dnsNames: [name], commonName: name, spki256: key })],
    paths: anchors.map((each) => reached({ purpose: 'clientAuth', anchors: each })),
  });
}

const evidences: readonly Evidence[] = [
  clearSession(),
  serverEvidence({ chain: [], protocol: 'TLSv1.2', group: 'X25519' }),
  shown('hub.example.test', 'k0', ['bundled']),
  shown('mx.example.test', 'k2', ['bundled']),
  shown('hub.example.test', 'k1', ['file:/x']),
  shown('hub.example.test', 'k1', ['bundled', 'file:/x']),
  shown('evil.test', 'k1', []),
];
const clock = { nowMs: noon, firstRefusedAtMs: () => null };

/** Which sessions may send to whom; the same order for any policy. */
function accepted(value: Policy): readonly string[] {
  const found: string[] = [];
  for (const evidence of evidences) {
    for (const clientAddress of ['192.0.2.1', '192.0.2.200', '198.51.100.1', '203.0.113.1']) {
      for (const from of ['ann@partner.test', 'ann@example.test']) {
        const session: InboundSession = {
          listener: 'mx',
          clientAddress,
          heloName: 'client.test',
          evidence,
          account: null,
          reversePath: address(from),
        };
        for (const to of ['user@example.test', 'bob@elsewhere.test']) {
          const { kind } = judgeRecipient(value, session, address(to), clock);
          const leaf = evidence.tls?.chain[0];
          const by = `${evidence.encryption} ${leaf?.commonName} ${leaf?.spki256}`;
          if (kind === 'accept') found.push(`${by} at ${clientAddress}, ${from} to ${to}`);
        }
      }
    }
  }
  return found;
}

test('what own servers and anybody else may send grows by no change for which nobody is asked', () => {
  let unasked = 0;
  fc.assert(
    fc.property(changed(part, ['a', 'b']), (connectors) => {
      const before = policyOf(connectors.map((each) => [each.name, each.before]));
      const after = policyOf(connectors.map((each) => [each.name, each.after]));
      if (findWeakenings(before, after).length > 0) return;
      unasked++;
      const known = new Set(accepted(before));
      assert.deepEqual(
        accepted(after).filter((each) => !known.has(each)),
        [],
      );
    }),
    { numRuns: 1000 },
  );
  assert.ok(unasked > 50, `only ${unasked} changes of which nobody was asked`);
});
