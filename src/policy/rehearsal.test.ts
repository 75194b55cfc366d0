/** What a rehearsal says: the verdict that mail gets, and each demand with what was seen. */
import assert from 'node:assert/strict';
import test from 'node:test';
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
} from '../../test/support/policy.ts';
import type { Evidence } from './evidence.ts';
import type { InboundConnector } from './policy.ts';
import { judgeRecipient } from './judge-recipient.ts';
import { judgeRehearsal, rehearsalKeyOf } from './rehearsal.ts';

const clock = { nowMs: noon, firstRefusedAtMs: () => null };
const recipient = address('rehearsal@example.test');
const bank = inboundConnector('bank', {
  senderDomains: patterns('*.partner.test'),
  requireTls: true,
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: patterns('mx.partner.test'),
});

function rehearse(
  connectors: readonly InboundConnector[],
  evidence: Evidence,
  from: string | null = 'ann@partner.test',
  header = 'ann@partner.test',
) {
  const current = policy({ inboundConnectors: connectors, rehearsalAddress: recipient });
  const session = {
    listener: 'mx',
    clientAddress: '203.0.113.9',
    heloName: 'mail.partner.test',
    evidence,
    account: null,
    reversePath: from === null ? null : address(from),
  } as const;
  const mail = {
    session,
    recipient,
    from: { kind: 'addresses', addresses: [address(header)] },
  } as const;
  const verdict = judgeRehearsal(current, current.organizations[0]!, mail, clock);
  const other = judgeRecipient(current, session, address('user@example.test'), clock);
  return { verdict, other };
}

const seen = (part: Parameters<typeof serverEvidence>[0]) =>
  serverEvidence({ paths: [reached({ purpose: 'clientAuth' })], openssl: null, ...part });

test('the verdict is the one that other mail of the session gets', () => {
  for (const evidence of [
    clearSession(),
    seen({}),
    seen({ chain: [], paths: [] }),
    seen({ chain: [certificate({ dnsNames: ['other.test'] })] }),
  ]) {
    const { verdict, other } = rehearse([bank], evidence);
    assert.deepEqual(verdict.atRcpt, other);
  }
});

test('each demand is told apart, met or not', () => {
  const wrongName = seen({ chain: [certificate({ dnsNames: ['other.test'] })] });
  const { verdict } = rehearse([bank], wrongName);
  const [connector] = verdict.connectors;
  assert.equal(connector?.isMet, false);
  assert.deepEqual(
    connector.demands.map(({ kind, isMet }) => [kind, isMet]),
    [
      ['encrypted', true],
      ['min-version', true],
      ['trust-anchors', true],
      ['name', false],
    ],
  );
  assert.equal(
    connector.demands.at(-1)?.seen,
    'Expected Subject: mx.partner.test; Presented Subject: other.test',
  );
});

test('addresses are not told, only whether the client has one of them', () => {
  const narrow = inboundConnector('narrow', {
    senderDomains: patterns('partner.test'),
    restrictDomainsToIPAddresses: true,
    senderIPAddresses: ['198.51.100.0/24'],
  });
  const chosen = inboundConnector('chosen', {
    senderDomains: patterns('partner.test'),
    senderIPAddresses: ['203.0.113.0/24', '198.51.100.0/24'],
    alsoHeaderFrom: true,
    requireTls: true,
  });
  for (const from of ['ann@partner.test', 'ann@other.test']) {
    const told = JSON.stringify(
      rehearse([narrow, chosen], clearSession(), from).verdict.connectors,
    );
    assert.match(told, /"name":"chosen".*it covers partner\.test/);
    assert.doesNotMatch(told, /\d\/24/);
  }
  const { verdict } = rehearse([narrow], clearSession());
  assert.deepEqual(verdict.connectors[0]?.demands, [
    {
      kind: 'address',
      demand: 'one of the addresses that were agreed',
      isMet: false,
      seen: '203.0.113.9 is none of them',
    },
  ]);
});

test('watching connectors are told, and those that concern others are not', () => {
  const watching = { ...bank, name: 'watching', mode: 'observe' } as const;
  const off = { ...bank, name: 'off', enabled: false };
  const elsewhere = { ...bank, name: 'elsewhere', senderDomains: patterns('elsewhere.test') };
  const { verdict } = rehearse([watching, off, elsewhere], clearSession());
  assert.deepEqual(
    verdict.connectors.map(({ name, isMet }) => [name, isMet]),
    [['watching', false]],
  );
  assert.equal(verdict.atRcpt.kind, 'accept');
  // Only what is enforced binds the answer to TLS.
  assert.equal(verdict.isForced, false);
  assert.equal(rehearse([bank], seen({})).verdict.isForced, true);
  assert.equal(rehearse([bank], clearSession()).verdict.isForced, true);
});

test('what the From of the header would be refused for is told too', () => {
  const looking = { ...bank, alsoHeaderFrom: true };
  const { verdict } = rehearse([looking], clearSession(), 'a@other.test', 'ann@partner.test');
  assert.equal(verdict.atRcpt.kind, 'accept');
  assert.equal(verdict.atContent?.reply.code, 550);
  assert.match(verdict.connectors[0]?.because ?? '', /by the From of the header/);
});

test('names invented below a domain share its measure', () => {
  assert.equal(rehearsalKeyOf(address('a@x.y.partner.com')), 'partner.com');
  assert.equal(rehearsalKeyOf(address('a@partner.com')), 'partner.com');
  assert.equal(rehearsalKeyOf(address('a@one.github.io')), 'one.github.io');
});
