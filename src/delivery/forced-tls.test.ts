/** What forced TLS never lets out, proved from the receiving side; then what it lets through. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { FakePartner, FakePartnerOptions } from '../testing/fake-partner.ts';
import {
  anchorsName,
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import { patterns } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { OutboundConnector } from '../policy/policy.ts';
import type { Clause } from '../policy/tls-requirement.ts';

after(removeDirectory);

/** Commands of a transaction and its content, in what came in clear. */
function assertNothingInClear(partner: FakePartner): void {
  for (const { clear } of partner.connections) {
    assert.doesNotMatch(clear.toString('latin1'), /MAIL|RCPT|DATA|BDAT|secret|confidential/i);
  }
}

function assertNoTransaction(partner: FakePartner): void {
  assertNothingInClear(partner);
  for (const { underTls } of partner.connections) {
    assert.doesNotMatch(underTls.toString('latin1'), /MAIL|RCPT|DATA|BDAT|secret/i);
  }
  assert.equal(partner.messages.length, 0);
}

async function attemptTo(options: FakePartnerOptions, connector: Partial<OutboundConnector>) {
  const rig = await startRig({ zone: singleZone, connectors: [toPartner(connector)] });
  const partner = await rig.partner('192.0.2.1', options);
  try {
    const report = await rig.room.attempt(delivery());
    return { route: onlyRoute(report), outcome: outcomesOf(report)[0]!, partner };
  } finally {
    await rig.close();
  }
}

const encryptionOnly = { tlsSettings: 'EncryptionOnly' } as const;

describe('a requirement of TLS keeps every byte of a message out of clear text', () => {
  const tls = partnerTls.trusted;
  const cases: readonly [string, FakePartnerOptions, string, string][] = [
    ['without STARTTLS', {}, 'tls-not-offered', '4.4.317'],
    ['that refuses EHLO', { isEhloRefused: true }, 'tls-not-offered', '4.4.317'],
    ['that refuses STARTTLS', { tls, starttls: 'refused' }, 'tls-refused', '4.4.317'],
    ['that cuts at STARTTLS', { tls, starttls: 'cut' }, 'tls-handshake', '4.4.317'],
    ['that stalls in the handshake', { tls, starttls: 'stalls' }, 'tls-handshake', '4.4.317'],
    ['that goes on in clear after 220', { tls, starttls: 'not-tls' }, 'tls-handshake', '4.4.317'],
    [
      'whose 220 carries injected replies',
      { tls, starttls: 'injects' },
      'tls-handshake',
      '4.4.317',
    ],
    [
      'that has TLS 1.1 only',
      { tls: { ...tls, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } },
      'tls-handshake',
      '4.4.317',
    ],
  ];
  for (const [what, options, cause, code] of cases) {
    test(`defers to a host ${what}`, async () => {
      const { outcome, route, partner } = await attemptTo(options, encryptionOnly);
      assert(outcome.kind === 'deferred', outcome.reason);
      assert.equal(outcome.cause, cause);
      assert.equal(formatEnhancedStatus(outcome.status), code);
      assert.match(outcome.reason, /^Cannot connect to remote server \[Message=\w+\]: connector/);
      assert.equal(route.candidates.at(-1)!.verdict.kind, 'refuse');
      assertNoTransaction(partner);
    });
  }
});

describe('a requirement of a certificate', () => {
  const validated = { tlsSettings: 'CertificateValidation' } as const;
  const byName = {
    tlsSettings: 'DomainValidation',
    tlsDomains: patterns('mx.partner.test'),
  } as const;
  const refused: readonly [string, keyof typeof partnerTls, Partial<OutboundConnector>, RegExp][] =
    [
      ['self-signed', 'selfSigned', validated, /UntrustedRoot/],
      ['of an untrusted CA', 'untrusted', validated, /UntrustedRoot/],
      [
        'of another name',
        'otherName',
        byName,
        /SubjectMismatch.*Expected Subject: mx.partner.test/,
      ],
      [
        'whose key is not pinned',
        'trusted',
        { tlsSettings: 'Pinned', pins: ['AAAA'] },
        /PinMismatch/,
      ],
    ];
  for (const [what, kind, connector, reason] of refused) {
    test(`defers where the certificate is ${what}`, async () => {
      const { outcome, partner, route } = await attemptTo({ tls: partnerTls[kind] }, connector);
      assert.equal(outcome.kind, 'deferred');
      assert.match(outcome.reason, reason);
      assert.equal(route.hasFailedTlsOnly, false);
      assertNoTransaction(partner);
    });
  }

  test('delivers where the certificate meets it', async () => {
    const { outcome, partner, route } = await attemptTo({ tls: partnerTls.trusted }, byName);
    assert.equal(outcome.kind, 'delivered', outcome.reason);
    assertNothingInClear(partner);
    assert.equal(partner.messages[0]!.isTls, true);
    const [candidate] = route.candidates;
    assert.equal(candidate!.evidence!.encryption, 'established');
    assert.equal(candidate!.evidence!.tls!.sni, 'mx.partner.test');
    assert.equal(candidate!.verdict.kind, 'proceed');
    assert.equal(route.clauses.length, 4);
    assert.deepEqual(partner.connections[0]!.violations, []);
  });

  test('is not asked of mail that needs none', async () => {
    for (const kind of ['selfSigned', 'untrusted', 'otherName'] as const) {
      const { outcome } = await attemptTo({ tls: partnerTls[kind] }, encryptionOnly);
      assert.equal(outcome.kind, 'delivered');
      const opportunistic = await attemptTo({ tls: partnerTls[kind] }, {});
      assert.equal(opportunistic.outcome.kind, 'delivered');
    }
  });

  test('a policy that nothing can meet defers without a connection', async () => {
    const { outcome, partner } = await attemptTo(
      { tls: partnerTls.trusted },
      { tlsSettings: 'DomainValidation', tlsDomains: patterns('*.test') },
    );
    assert(outcome.kind === 'deferred');
    assert.equal(outcome.cause, 'policy');
    assert.equal(formatEnhancedStatus(outcome.status), '4.7.5');
    assert.equal(partner.connections.length, 0);
  });
});

describe('the floor', () => {
  const encrypted: Clause = { kind: 'encrypted', origin: { kind: 'connector', name: 'gone' } };

  test('holds a message whose connector was deleted, and sends nothing', async () => {
    const rig = await startRig({ zone: singleZone });
    const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    const report = await rig.room.attempt(delivery({ floor: [encrypted] }));
    const [outcome] = outcomesOf(report);
    assert(outcome?.kind === 'held');
    assert.equal(outcome.cause, 'policy-weakened');
    assert.match(outcome.reason, /encryption/);
    assert.equal(partner.connections.length, 0);
    await rig.close();
  });

  test('of a DSN about forced mail demands encryption itself', async () => {
    const floor: Clause[] = [{ kind: 'encrypted', origin: { kind: 'dsn', name: 'X' } }];
    for (const tls of [undefined, partnerTls.selfSigned]) {
      const rig = await startRig({ zone: singleZone });
      const partner = await rig.partner('192.0.2.1', tls === undefined ? {} : { tls });
      const report = await rig.room.attempt(delivery({ reversePath: null, floor }));
      assert.equal(outcomesOf(report)[0]!.kind, tls === undefined ? 'deferred' : 'delivered');
      assertNothingInClear(partner);
      assert.deepEqual(onlyRoute(report).clauses, floor);
      await rig.close();
    }
  });
});

describe('our own certificate', () => {
  const options: FakePartnerOptions = { tls: partnerTls.trusted, clientCertificate: 'required' };

  test('is presented, and its refusal is told as such', async () => {
    const { ca } = await import('../../test/support/tls-ends.ts');
    const rig = await startRig({
      zone: singleZone,
      connectors: [toPartner({ ...encryptionOnly, clientCertificate: 'trusted' })],
    });
    const partner = await rig.partner('192.0.2.1', { ...options, clientCa: ca.pem });
    const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
    assert.equal(outcome!.kind, 'delivered', outcome!.reason);
    assert.equal(partner.connections[0]!.tls!.clientChain.length > 0, true);
    await rig.close();
  });

  for (const clientCertificate of ['untrusted', null]) {
    test(`its refusal is a failed handshake (${clientCertificate ?? 'none shown'})`, async () => {
      const { ca } = await import('../../test/support/tls-ends.ts');
      const { outcome, route, partner } = await attemptTo(
        { ...options, clientCa: ca.pem },
        { ...encryptionOnly, clientCertificate },
      );
      assert(outcome.kind === 'deferred');
      assert.equal(outcome.cause, 'tls-handshake', outcome.reason);
      assert.equal(route.candidates[0]!.evidence!.failure!.code, 'certificate-refused');
      assertNoTransaction(partner);
    });
  }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`that is missing is told as a possible reason (${maxVersion})`, async () => {
      const { ca } = await import('../../test/support/tls-ends.ts');
      const tls = { ...partnerTls.trusted, maxVersion };
      const demands = { ...options, tls, clientCa: ca.pem };
      const { outcome } = await attemptTo(demands, encryptionOnly);
      assert(outcome.kind === 'deferred');
      assert.match(outcome.reason, /presents no client certificate; the server may demand one/);
      const shown = await attemptTo(demands, { ...encryptionOnly, clientCertificate: 'untrusted' });
      assert.doesNotMatch(shown.outcome.reason, /no client certificate/);
    });
  }

  test('that is not configured defers and is no failure of the peer', async () => {
    const { outcome, route } = await attemptTo(
      { tls: partnerTls.trusted },
      { clientCertificate: 'no such' },
    );
    assert.equal(outcome.kind, 'deferred');
    assert.equal(route.hasFailedTlsOnly, false);
  });
});

describe('one pool for forced and opportunistic mail', () => {
  test('judges each transaction anew on a shared connection', async () => {
    const rig = await startRig({ zone: singleZone, connectors: [toPartner()] });
    const partner = await rig.partner('192.0.2.1', { tls: partnerTls.otherName });
    const first = await rig.room.attempt(delivery());
    assert.equal(outcomesOf(first)[0]!.kind, 'delivered');
    const validated = toPartner({ tlsSettings: 'CertificateValidation' });
    rig.policy = { ...rig.policy, revision: '2' };
    rig.policy = withConnector(rig.policy, validated);
    const second = await rig.room.attempt(delivery());
    assert.equal(outcomesOf(second)[0]!.kind, 'delivered');
    assert.equal(partner.connections.length, 1);
    const named = {
      tlsSettings: 'DomainValidation',
      tlsDomains: patterns('mx.partner.test'),
    } as const;
    rig.policy = withConnector({ ...rig.policy, revision: '3' }, toPartner(named));
    const third = await rig.room.attempt(delivery());
    assert.match(outcomesOf(third)[0]!.reason, /SubjectMismatch/);
    assert.equal(partner.messages.length, 2);
    await rig.close();
  });

  test('does not use a connection in clear for a message that requires TLS', async () => {
    const rig = await startRig({ zone: singleZone });
    const partner = await rig.partner('192.0.2.1');
    assert.equal(outcomesOf(await rig.room.attempt(delivery()))[0]!.kind, 'delivered');
    rig.policy = withConnector({ ...rig.policy, revision: '2' }, toPartner(encryptionOnly));
    const report = await rig.room.attempt(delivery());
    assert.equal(outcomesOf(report)[0]!.kind, 'deferred');
    assert.equal(partner.messages.length, 1);
    assert.equal(partner.connections.length, 2);
    await rig.close();
  });

  test('opens another connection where the first was not examined for the anchors', async () => {
    const rig = await startRig({
      zone: singleZone,
      connectors: [toPartner({ anchors: 'bundled' })],
    });
    const partner = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    assert.equal(outcomesOf(await rig.room.attempt(delivery()))[0]!.kind, 'delivered');
    const validated = toPartner({ tlsSettings: 'CertificateValidation', anchors: anchorsName });
    rig.policy = withConnector({ ...rig.policy, revision: '2' }, validated);
    const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
    assert.equal(outcome!.kind, 'delivered', outcome!.reason);
    assert.equal(partner.connections.length, 2);
    await rig.close();
  });
});

type Policies = Awaited<ReturnType<typeof startRig>>['policy'];

function withConnector(policy: Policies, connector: OutboundConnector): Policies {
  const [organization] = policy.organizations;
  return { ...policy, organizations: [{ ...organization!, outboundConnectors: [connector] }] };
}
