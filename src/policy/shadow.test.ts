/** What connectors that only watch say of a connection that was opened for what is enforced. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  certificate,
  evidence,
  noon,
  outboundConnector,
  patterns,
  reached,
  tlsEvidence,
} from '../../test/support/policy.ts';
import { requirementOfOutbound } from './connector-clauses.ts';
import type { ShadowDemand } from './decision.ts';
import type { Evidence, TlsEvidence } from './evidence.ts';
import type { OutboundConnector } from './policy.ts';
import { judgeShadow } from './shadow.ts';
import { judgeTls } from './tls-verdict.ts';

const own = 'file:/bank.pem';

function watching(part: Partial<OutboundConnector> = {}): ShadowDemand {
  const connector = outboundConnector('watch', {
    mode: 'observe',
    tlsSettings: 'CertificateValidation',
    anchors: own,
    ...part,
  });
  const requirement = requirementOfOutbound(connector, 'partner.test');
  return { connector: 'watch', mode: 'observe', requirement };
}

/** Opened for `bundled`, of which OpenSSL spoke; `paths` were examined besides. */
function seen(paths: TlsEvidence['paths'], part: Partial<TlsEvidence> = {}): Evidence {
  return evidence({ tls: tlsEvidence({ paths: [reached(), ...paths], ...part }) });
}

const unreached = {
  kind: 'not-reached',
  anchors: own,
  purpose: 'serverAuth',
  problem: 'untrusted-root',
  detail: 'no path leads to an anchor',
} as const;

const say = (demand: ShadowDemand, shown: Evidence, nowMs = noon) =>
  judgeShadow([demand], shown, nowMs)[0]!;

describe('a connector that watches under anchors of its own', () => {
  it('is unmet where our own examination reaches none of them', () => {
    const { isMet, reason } = say(watching(), seen([unreached]));
    assert.equal(isMet, false);
    assert.match(reason, /file:\/bank\.pem\); no path leads to an anchor/);
  });

  it('is unmet by a path that is out of date', () => {
    const path = reached({ anchors: own, notAfter: new Date(noon - 1000).toISOString() });
    assert.equal(say(watching(), seen([path])).isMet, false);
  });

  it('is unmet where OpenSSL was asked about these anchors and refused', () => {
    const openssl = { anchors: own, result: 'CERT_REVOKED' };
    const { isMet, reason } = say(watching(), seen([reached({ anchors: own })], { openssl }));
    assert.equal(isMet, false);
    assert.match(reason, /OpenSSL refused/);
  });

  it('is met by our own examination, which says that OpenSSL was asked about others', () => {
    const { isMet, reason } = say(watching(), seen([reached({ anchors: own })]));
    assert.equal(isMet, true);
    assert.match(reason, /file:\/bank\.pem\)/);
    assert.match(reason, /own examination alone; OpenSSL was asked about bundled$/);
  });

  it('says nothing of that where OpenSSL was asked about the same anchors', () => {
    const openssl = { anchors: own, result: 'ok' };
    const { isMet, reason } = say(watching(), seen([reached({ anchors: own })], { openssl }));
    assert.deepEqual([isMet, /alone/.test(reason)], [true, false]);
  });

  it('is neither met nor unmet where nothing was examined for them', () => {
    const { isMet, reason } = say(watching(), seen([]));
    assert.equal(isMet, null);
    assert.match(reason, /not examined/);
    const purpose = [reached({ anchors: own, purpose: 'clientAuth' })];
    assert.equal(say(watching(), seen(purpose)).isMet, null);
    const without = { openssl: null };
    assert.equal(say(watching(), seen([reached({ anchors: own })], without)).isMet, null);
  });

  it('is unmet all the same where another demand is not met', () => {
    const named = watching({
      tlsSettings: 'DomainValidation',
      tlsDomains: patterns('mx.other.test'),
    });
    const { isMet, reason } = say(named, seen([]));
    assert.equal(isMet, false);
    assert.match(reason, /Expected Subject: mx\.other\.test/);
    const pinned = watching({ pins: ['another key'] });
    const chain = [certificate({ spki256: 'leaf-key' })];
    assert.equal(say(pinned, seen([], { chain })).isMet, false);
    const clear = evidence({ encryption: 'not-offered', tls: null });
    assert.equal(say(watching(), clear).isMet, false);
  });

  it('is met by what no enforcing connector would be', () => {
    const { requirement } = watching();
    const shown = seen([reached({ anchors: own })]);
    assert.equal(say(watching(), shown).isMet, true);
    const verdict = judgeTls(requirement, shown, noon, null);
    assert(verdict.kind === 'refuse');
    assert.equal(verdict.cause, 'not-examined');
  });
});
