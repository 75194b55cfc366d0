/** Facts about connectors that require a post-quantum group: what must never proceed comes first. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  evidence,
  inboundConnector,
  noon,
  outboundConnector,
  tlsEvidence,
} from '../../test/support/policy.ts';
import { requirementOfInbound, requirementOfOutbound } from './connector-clauses.ts';
import type { Evidence } from './evidence.ts';
import { findWeakened } from './floor.ts';
import type { OutboundConnector, PostQuantum } from './policy.ts';
import { offeredGroupsOf } from './post-quantum.ts';
import type { Requirement } from './tls-requirement.ts';
import { nothingRequired } from './tls-requirement.ts';
import { judgeTls } from './tls-verdict.ts';

function outbound(part: Partial<OutboundConnector>): Requirement {
  return requirementOfOutbound(outboundConnector('partner', part), 'partner.test');
}

function judge(required: Requirement, seen: Evidence): string {
  const verdict = judgeTls(required, seen, noon, null);
  return verdict.kind === 'proceed' ? 'proceed' : `${verdict.cause} ${verdict.problem}`;
}

const grouped = (group: string | null, role: Evidence['role'] = 'client'): Evidence =>
  evidence({ role, tls: tlsEvidence({ group }) });

describe('a group that is required', () => {
  const opportunistic = outbound({ postQuantum: 'require' });
  const forced = outbound({ postQuantum: 'require', tlsSettings: 'CertificateValidation' });
  const inbound = requirementOfInbound(inboundConnector('partner', { postQuantum: 'require' }));

  test('is met by no classical group and by none that is not told', () => {
    for (const required of [opportunistic, forced]) {
      for (const group of ['X25519', 'P-256', 'MLKEM768', null]) {
        assert.equal(judge(required, grouped(group)), 'tls-requirement GroupMismatch');
      }
      assert.equal(judge(required, grouped('X25519MLKEM768')), 'proceed');
    }
  });

  test('sends nothing in clear, also on a connector that forces nothing else', () => {
    for (const encryption of ['not-offered', 'not-used', 'refused', 'failed'] as const) {
      const seen = evidence({ encryption, tls: null });
      assert.notEqual(judge(opportunistic, seen), 'proceed', encryption);
    }
  });

  test('of an inbound connector is judged by the evidence of the session', () => {
    assert.equal(judge(inbound, grouped('X25519', 'server')), 'tls-requirement GroupMismatch');
    assert.equal(judge(inbound, grouped('X25519MLKEM768', 'server')), 'proceed');
    const clear = evidence({ role: 'server', encryption: 'not-used', tls: null });
    assert.equal(judge(inbound, clear), 'tls-not-offered NoTls');
  });

  test('names the group where the server refused all that was offered, and only then', () => {
    const failed = (code: string): Evidence =>
      evidence({ encryption: 'failed', failure: { code, text: 'x' }, tls: null });
    for (const code of ['peer-refused', 'no-common-algorithm', 'version']) {
      assert.equal(judge(forced, failed(code)), 'tls-handshake GroupMismatch');
      const other = outbound({ tlsSettings: 'CertificateValidation' });
      assert.equal(judge(other, failed(code)), 'tls-handshake HandshakeFailed');
    }
    assert.equal(judge(forced, failed('timeout')), 'tls-handshake HandshakeFailed');
  });

  test('is weakened where the connector prefers it only', () => {
    const weakened = findWeakened(
      forced.clauses,
      outbound({ tlsSettings: 'CertificateValidation' }),
    );
    assert.deepEqual(
      weakened.map(({ kind }) => kind),
      ['group'],
    );
  });
});

test('off and prefer require nothing', () => {
  for (const postQuantum of ['off', 'prefer'] as const) {
    assert.equal(outbound({ postQuantum }), nothingRequired);
    const inbound = requirementOfInbound(inboundConnector('partner', { postQuantum }));
    assert.deepEqual(inbound.clauses, []);
  }
});

test('the offer follows the clauses, then the connector', () => {
  const offer = (postQuantum: PostQuantum, requirement: Requirement): PostQuantum =>
    offeredGroupsOf({ postQuantum }, requirement);
  const required = outbound({ postQuantum: 'require' });
  assert.equal(offer('require', required), 'require');
  assert.equal(offer('off', required), 'require');
  assert.equal(offer('require', nothingRequired), 'prefer', 'as where it is only observed');
  assert.equal(offer('prefer', nothingRequired), 'prefer');
  assert.equal(offer('off', nothingRequired), 'off');
});
