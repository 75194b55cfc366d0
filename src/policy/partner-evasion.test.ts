/** Ways around a Partner connector that must fail: what a hostile client can choose about a session. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
  address,
  clearSession,
  inboundConnector,
  noon,
  organization,
  patterns,
  policy,
  serverEvidence,
} from '../../test/support/policy.ts';
import type { InboundSession } from './judge-recipient.ts';
import { judgeRecipient } from './judge-recipient.ts';
import { judgeHeader } from './judge-sender.ts';
import type { InboundConnector, Organization, Policy } from './policy.ts';

const clock = { nowMs: noon, firstRefusedAtMs: () => null };
const partner = inboundConnector('partner', {
  senderDomains: patterns('partner.test'),
  requireTls: true,
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: patterns('mx.partner.test'),
});
const stranger = serverEvidence({ chain: [], paths: [] });

function session(part: Partial<InboundSession> = {}): InboundSession {
  return {
    listener: 'mx',
    clientAddress: '203.0.113.9',
    heloName: 'mail.stranger.test',
    evidence: stranger,
    account: null,
    reversePath: null,
    ...part,
  };
}

/** The reply code at RCPT, or `accept`. */
function atRcpt(value: Policy, from: InboundSession, rcpt = 'user@example.test'): number | string {
  const decision = judgeRecipient(value, from, address(rcpt), clock);
  return decision.kind === 'accept' ? 'accept' : decision.reply.code;
}

/** The reply code after a content whose From names these addresses, or `accept`. */
function atHeader(value: Policy, authors: readonly string[], rcpt = 'user@example.test') {
  const from = { kind: 'addresses', addresses: authors.map(address) } as const;
  const message = { from, recipients: [address(rcpt)] };
  return judgeHeader(value, session(), message, clock).refusal?.reply.code ?? 'accept';
}

const only = (...connectors: InboundConnector[]): Partial<Organization> => ({
  inboundConnectors: connectors,
});

describe('a sender named in several ways', () => {
  const strict = { ...partner, senderDomains: patterns('weak.test', 'partner.test') };
  const weak = inboundConnector('weak', { senderDomains: patterns('weak.test'), requireTls: true });

  it('must satisfy what restricts each author of a From, not only the first', () => {
    const value = policy(only(strict, weak));
    assert.equal(atHeader(value, ['a@weak.test']), 'accept');
    assert.equal(atHeader(value, ['b@partner.test']), 550);
    assert.equal(atHeader(value, ['b@partner.test', 'a@weak.test']), 550);
    assert.equal(atHeader(value, ['a@weak.test', 'b@partner.test']), 550);
  });

  it('must satisfy what restricts the EHLO name and each domain above it', () => {
    const above = { ...partner, senderDomains: patterns('mail.partner.test', 'partner.test') };
    const below = { ...weak, senderDomains: patterns('mail.partner.test') };
    const value = policy(only(above, below));
    assert.equal(atRcpt(value, session({ heloName: 'mail.partner.test' })), 550);
    assert.equal(atRcpt(value, session({ heloName: 'x.mail.partner.test' })), 550);
  });

  it('is covered by a lock-down although another of its names is excepted from it', () => {
    const lockDown = inboundConnector('lock-down', {
      exceptDomains: patterns('*.partner.test'),
      restrictDomainsToIPAddresses: true,
      senderIPAddresses: ['192.0.2.0/24'],
    });
    const value = policy(only(lockDown));
    assert.equal(atHeader(value, ['a@partner.test']), 'accept');
    assert.equal(atHeader(value, ['a@partner.test', 'b@else.test']), 550);
  });
});

describe('a connector for some of our accepted domains', () => {
  const relay = acceptedDomain('corp.test', { type: 'internal-relay', matchSubDomains: true });
  const acceptedDomains = [acceptedDomain('example.test'), relay, acceptedDomain('own.corp.test')];
  const value = policy({
    ...only({ ...partner, associatedAcceptedDomains: ['corp.test'] }),
    acceptedDomains,
    mailboxes: [{ account: 'u', addresses: [address('u@own.corp.test')] }],
  });
  const from = session({ reversePath: address('a@partner.test') });

  it('restricts recipients in their subdomains too, where those are accepted with them', () => {
    assert.equal(atRcpt(value, from, 'x@corp.test'), 550);
    assert.equal(atRcpt(value, from, 'x@sub.corp.test'), 550);
    assert.equal(atHeader(value, ['a@partner.test'], 'x@sub.corp.test'), 550);
  });

  it('leaves alone a subdomain that is an accepted domain of its own', () => {
    assert.equal(atRcpt(value, from, 'u@own.corp.test'), 'accept');
  });
});

describe('a bounce to many recipients', () => {
  it('is judged once for each accepted domain, and for every one of them', () => {
    let judgements = 0;
    const counted = {
      ...partner,
      get connectorType() {
        judgements++;
        return 'Partner' as const;
      },
      associatedAcceptedDomains: ['last.test'],
    };
    const acceptedDomains = [acceptedDomain('example.test'), acceptedDomain('last.test')];
    const value = policy({ ...only(counted), acceptedDomains });
    const recipients = Array.from({ length: 500 }, (_, i) => address(`u${i}@example.test`));
    const from = { kind: 'addresses', addresses: [address('a@partner.test')] } as const;
    assert.equal(judgeHeader(value, session(), { from, recipients }, clock).refusal, null);
    assert(judgements < 10, `${judgements} looks at one connector`);
    const more = [...recipients, address('x@last.test')];
    const { refusal } = judgeHeader(value, session(), { from, recipients: more }, clock);
    assert.equal(refusal?.reply.code, 550);
  });
});

describe('evidence of an inbound session', () => {
  const value = policy(only(partner));
  const from = { reversePath: address('a@partner.test') };

  it('that was made as client or in clear proves nothing', () => {
    assert.equal(atRcpt(value, session({ ...from, evidence: clearSession() })), 454);
    assert.equal(atRcpt(value, session({ ...from, evidence: serverEvidence() })), 'accept');
  });

  it('of another purpose or other anchors is no proof', () => {
    const evidence = serverEvidence();
    const path = evidence.tls!.paths[0]!;
    for (const other of [
      { ...path, purpose: 'serverAuth' as const },
      { ...path, anchors: 'system' },
    ]) {
      const foreign = serverEvidence({ paths: [other] });
      assert.equal(atRcpt(value, session({ ...from, evidence: foreign })), 550);
    }
  });

  it('that was good is none once the path has expired', () => {
    const later = { ...clock, nowMs: noon + 2 * 86_400_000 };
    const now = session({ ...from, evidence: serverEvidence() });
    assert.equal(judgeRecipient(value, now, address('user@example.test'), later).kind, 'refuse');
  });
});

describe('a connector that nothing can meet because of ourselves', () => {
  const lost = { kind: 'not-reached', anchors: 'bundled', purpose: 'clientAuth' } as const;
  const paths = [{ ...lost, problem: 'anchors-unavailable', detail: 'no file' } as const];
  const from = { reversePath: address('a@partner.test') };
  const evidence = serverEvidence({ paths });

  it('lets nothing pass and bounces nothing: its anchors are gone', () => {
    const value = policy(only(partner));
    assert.equal(atRcpt(value, session({ ...from, evidence })), 451);
    assert.equal(atHeader(value, ['a@partner.test']), 550);
  });

  it('lets nothing pass and bounces nothing: it asks for no name and no pin', () => {
    const value = policy(only({ ...partner, tlsSenderCertificateNames: [] }));
    assert.equal(atRcpt(value, session({ ...from, evidence: serverEvidence() })), 451);
  });

  it('does not make the refusal of another scope temporary', () => {
    const lockDown = inboundConnector('lock-down', {
      restrictDomainsToIPAddresses: true,
      senderIPAddresses: ['192.0.2.0/24'],
    });
    assert.equal(atRcpt(policy(only(partner, lockDown)), session({ ...from, evidence })), 550);
  });
});

describe('several organizations', () => {
  it("judge each recipient by its own organization's connectors", () => {
    const other = organization({
      id: 'other',
      acceptedDomains: [acceptedDomain('other.test')],
      mailboxes: [{ account: 'o', addresses: [address('o@other.test')] }],
      inboundConnectors: [partner],
    });
    const value = { ...policy(), organizations: [...policy().organizations, other] };
    const from = session({ reversePath: address('a@partner.test') });
    assert.equal(atRcpt(value, from, 'user@example.test'), 'accept');
    assert.equal(atRcpt(value, from, 'o@other.test'), 550);
  });
});
