import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assessTls, tlsSettingNames } from './assess-tls.ts';
import type { AssessedAgainst } from './assess-tls.ts';
import type { Evidence, TlsEvidence } from './evidence.ts';

const nowMs = Date.UTC(2026, 10, 22);
const window = { notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2027-01-01T00:00:00.000Z' };
const pin = Buffer.alloc(32, 1).toString('base64');

const tls: TlsEvidence = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  cipherStandardName: 'TLS_AES_256_GCM_SHA384',
  group: 'X25519',
  mode: 'starttls',
  sni: 'mx.contoso.com',
  chain: [
    {
      fingerprint256: 'f',
      spki256: pin,
      subject: 'CN=mx.contoso.com',
      issuer: 'CN=CA',
      serialNumber: '01',
      ...window,
      dnsNames: ['mx.contoso.com'],
      commonName: null,
      isSelfSigned: false,
    },
  ],
  paths: [
    {
      kind: 'reached',
      anchors: 'bundled',
      purpose: 'serverAuth',
      anchorFingerprint256: 'a',
      ...window,
    },
  ],
  openssl: { anchors: 'bundled', result: 'ok' },
  revocation: 'not-checked',
  ownCertificate: null,
  resumedFrom: null,
};

const evidence: Evidence = {
  formatVersion: 1,
  connectionId: 'c',
  observedAt: '2026-11-22T00:00:00.000Z',
  role: 'client',
  peer: { address: '192.0.2.1', port: 25, hostName: 'mx.contoso.com' },
  encryption: 'established',
  failure: null,
  tls,
};

const against: AssessedAgainst = {
  anchors: 'bundled',
  names: [{ kind: 'exact', domain: 'mx.contoso.com' }],
  pins: [pin],
};

function assess(seen: Evidence, asked: Partial<AssessedAgainst> = {}): string {
  const found = assessTls(seen, { ...against, ...asked }, nowMs);
  assert.deepEqual(
    found.map(({ setting }) => setting),
    tlsSettingNames,
  );
  return found.map(({ isMet }) => (isMet === null ? '?' : isMet ? 'y' : 'n')).join('');
}

function problems(seen: Evidence, asked: Partial<AssessedAgainst> = {}): (string | null)[] {
  return assessTls(seen, { ...against, ...asked }, nowMs).map(({ problem }) => problem);
}

test('a good server meets every setting', () => {
  assert.equal(assess(evidence), 'yyyyy');
});

test('without STARTTLS only Opportunistic holds, and it says that mail goes in clear', () => {
  const clear: Evidence = { ...evidence, encryption: 'not-offered', tls: null };
  assert.equal(assess(clear), 'ynnnn');
  assert.match(assessTls(clear, against, nowMs)[0]!.reason, /CLEAR TEXT/);
});

test('a failed handshake meets nothing, Opportunistic included', () => {
  const failure = { code: 'reset', text: 'cut' };
  assert.equal(assess({ ...evidence, encryption: 'failed', failure, tls: null }), 'nnnnn');
});

test('TLS below 1.2 meets nothing', () => {
  assert.equal(assess({ ...evidence, tls: { ...tls, protocol: 'TLSv1.1' } }), 'nnnnn');
});

test('each fault is told by the setting that asks for it', () => {
  const untrusted: Evidence = {
    ...evidence,
    tls: {
      ...tls,
      openssl: { anchors: 'bundled', result: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      paths: [
        {
          kind: 'not-reached',
          anchors: 'bundled',
          purpose: 'serverAuth',
          problem: 'untrusted-root',
          detail: 'no path leads to a trust anchor',
        },
      ],
    },
  };
  assert.equal(assess(untrusted), 'yynny');
  assert.deepEqual(problems(untrusted), [null, null, 'UntrustedRoot', 'UntrustedRoot', null]);
  const names = [{ kind: 'exact', domain: 'other.test' }] as const;
  assert.deepEqual(problems(evidence, { names }), [null, null, null, 'SubjectMismatch', null]);
  assert.deepEqual(problems(evidence, { names: [], pins: [] }), [null, null, null, null, null]);
  assert.equal(assess(evidence, { names: [{ kind: 'exact', domain: 'other.test' }] }), 'yyyny');
  assert.equal(assess(evidence, { pins: [Buffer.alloc(32).toString('base64')] }), 'yyyyn');
  const reason = assessTls(untrusted, against, nowMs)[2]!.reason;
  assert.equal(
    reason,
    'requires a certificate that leads to a trusted CA (bundled); no path leads to a trust anchor',
  );
});

test('without a name or a pin nothing is claimed', () => {
  assert.equal(assess(evidence, { names: [], pins: [] }), 'yyy??');
});
