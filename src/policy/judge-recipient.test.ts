/** Partner connectors at RCPT: the documented examples, and the ways around them that must fail. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
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
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { InboundSession } from './judge-recipient.ts';
import { judgeRecipient } from './judge-recipient.ts';
import { judgeHeader, judgeMailFrom } from './judge-sender.ts';
import type { HeaderFrom } from './judge-sender.ts';
import type { InboundConnector, Organization } from './policy.ts';

const clock = { nowMs: noon, firstRefusedAtMs: () => null };

function session(from: string | null, part: Partial<InboundSession> = {}): InboundSession {
  return {
    listener: 'mx',
    clientAddress: '203.0.113.9',
    heloName: 'mail.sender.test',
    evidence: clearSession(),
    account: null,
    reversePath: from === null ? null : address(from),
    ...part,
  };
}

function judge(
  connectors: readonly InboundConnector[],
  from: InboundSession,
  part: Partial<Organization> = {},
): string {
  const value = policy({ inboundConnectors: connectors, ...part });
  const decision = judgeRecipient(value, from, address('user@example.test'), clock);
  if (decision.kind === 'accept') return 'accept';
  return `${decision.reply.code} ${formatEnhancedStatus(decision.reply.status!)}`;
}

const bank = 'a@contosobank.com';
const bankDomains = patterns('contosobank.com');
const example1 = inboundConnector('bank-tls', { senderDomains: bankDomains, requireTls: true });
const example2 = inboundConnector('bank-certificate', {
  senderDomains: bankDomains,
  requireTls: true,
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: patterns('mx.partner.test'),
});
const example3 = inboundConnector('bank-addresses', {
  senderDomains: bankDomains,
  restrictDomainsToIPAddresses: true,
  senderIPAddresses: ['192.0.2.0/24', '2001:db8::/32'],
});
const example4 = inboundConnector('lock-down', {
  restrictDomainsToIPAddresses: true,
  senderIPAddresses: ['192.0.2.0/24'],
});
const example5 = inboundConnector('by-address', {
  requireTls: true,
  senderIPAddresses: ['192.0.2.0/24'],
});
const underTls = { evidence: serverEvidence() };
const inside = { clientAddress: '192.0.2.7' };
const otherName = { evidence: serverEvidence({ chain: [certificate({ dnsNames: ['x.test'] })] }) };
const noClientCertificate = { evidence: serverEvidence({ chain: [], paths: [] }) };

describe('partner example 1: by domain, TLS', () => {
  it('refuses clear text and takes TLS, whatever the certificate', () => {
    assert.equal(judge([example1], session(bank)), '454 4.7.0');
    assert.equal(judge([example1], session(bank, underTls)), 'accept');
    assert.equal(judge([example1], session(bank, noClientCertificate)), 'accept');
    const path = { kind: 'not-reached', anchors: 'bundled', purpose: 'clientAuth' } as const;
    const paths = [{ ...path, problem: 'untrusted-root', detail: '' } as const];
    const untrusted = { evidence: serverEvidence({ paths }) };
    assert.equal(judge([example1], session(bank, untrusted)), 'accept');
  });

  it('leaves other senders untouched', () => {
    assert.equal(judge([example1], session('a@else.test')), 'accept');
    assert.equal(judge([example1], session('a@evilcontosobank.com')), 'accept');
  });

  it('answers 550 once the same refusal is an hour old', () => {
    const value = policy({ inboundConnectors: [example1] });
    const keys: string[] = [];
    const later = (ms: number) => ({
      nowMs: noon,
      firstRefusedAtMs: (key: string) => {
        keys.push(key);
        return noon - ms;
      },
    });
    const code = (ms: number) => {
      const rcpt = address('user@example.test');
      const decision = judgeRecipient(value, session(bank), rcpt, later(ms));
      assert.equal(decision.kind, 'refuse');
      assert.equal(decision.temporaryKey, keys.at(-1));
      return decision.reply.code;
    };
    assert.equal(code(3599_000), 454);
    assert.equal(code(3600_000), 550);
  });
});

describe('partner example 2: by domain, TLS and certificate name', () => {
  it('asks for TLS, then for the name', () => {
    assert.equal(judge([example2], session(bank)), '454 4.7.0');
    assert.equal(judge([example2], session(bank, otherName)), '550 5.7.51');
    assert.equal(judge([example2], session(bank, noClientCertificate)), '550 5.7.51');
    assert.equal(judge([example2], session(bank, underTls)), 'accept');
  });

  it('takes no certificate that reaches no anchor of this connector', () => {
    const foreign = { evidence: serverEvidence({ paths: [reached({ anchors: 'file:/x' })] }) };
    assert.equal(judge([example2], session(bank, foreign)), '550 5.7.51');
  });

  it('takes a serverAuth-only certificate by explicit rule only', () => {
    const either = [reached({ purpose: 'either' })];
    const serverOnly = { evidence: serverEvidence({ paths: either }) };
    assert.equal(judge([example2], session(bank, serverOnly)), '550 5.7.51');
    const lenient = { ...example2, acceptServerAuthOnly: true };
    assert.equal(judge([lenient], session(bank, serverOnly)), 'accept');
  });
});

describe('partner examples 3 and 4: addresses', () => {
  it('takes mail of the domain from its addresses only, in IPv4, IPv6 and mapped form', () => {
    assert.equal(judge([example3], session(bank)), '550 5.7.51');
    assert.equal(judge([example3], session(bank, inside)), 'accept');
    for (const [clientAddress, result] of [
      ['2001:db8::1', 'accept'],
      ['2001:db9::1', '550 5.7.51'],
      ['::ffff:192.0.2.7', 'accept'],
      ['::ffff:192.0.3.7', '550 5.7.51'],
      ['nonsense', '550 5.7.51'],
    ] as const) {
      assert.equal(judge([example3], session(bank, { clientAddress })), result, clientAddress);
    }
  });

  it('`*` closes the organization, also to the null reverse-path', () => {
    assert.equal(judge([example4], session('a@else.test')), '550 5.7.51');
    assert.equal(judge([example4], session(null)), '550 5.7.51');
    assert.equal(judge([example4], session('a@else.test', inside)), 'accept');
    const literal = session('a@[192.0.2.1]');
    assert.equal(judge([example4], literal), '550 5.7.51');
  });
});

describe('partner example 5: by address, TLS', () => {
  it('asks sessions from these addresses for TLS and leaves others untouched', () => {
    assert.equal(judge([example5], session('a@any.test', inside)), '454 4.7.0');
    assert.equal(judge([example5], session('a@any.test', { ...inside, ...underTls })), 'accept');
    assert.equal(judge([example5], session('a@any.test')), 'accept');
  });
});

describe('several connectors', () => {
  it('of an equal scope are alternatives, one of which is met whole', () => {
    const both = [example2, example3];
    assert.equal(judge(both, session(bank, inside)), 'accept');
    assert.equal(judge(both, session(bank, underTls)), 'accept');
    assert.equal(judge(both, session(bank, otherName)), '550 5.7.51');
  });

  it('of unequal scopes must each be met: a partner connector does not open a lock-down', () => {
    const both = [example1, example4];
    assert.equal(judge(both, session(bank, underTls)), '550 5.7.51');
    assert.equal(judge(both, session(bank, inside)), '454 4.7.0');
    assert.equal(judge(both, session(bank, { ...underTls, ...inside })), 'accept');
    const opened = [example1, { ...example4, exceptDomains: bankDomains }];
    assert.equal(judge(opened, session(bank, underTls)), 'accept');
    assert.equal(judge(opened, session('a@else.test', underTls)), '550 5.7.51');
  });

  it('narrowed by address does not open a lock-down of the same pattern', () => {
    const certificateOnly = inboundConnector('certificate', {
      restrictDomainsToCertificate: true,
      tlsSenderCertificateNames: patterns('mx.partner.test'),
    });
    const from = session('a@any.test', { ...inside, ...otherName });
    assert.equal(judge([example5, certificateOnly], from), '550 5.7.51');
  });

  it('with several covering patterns stand in the scope of each', () => {
    const wide = { ...example2, senderDomains: patterns('*', 'contosobank.com') };
    const weak = { ...example1, name: 'weak' };
    assert.equal(judge([wide, weak], session(bank, otherName)), '550 5.7.51');
    assert.equal(judge([wide, weak], session(bank, underTls)), 'accept');
  });

  it('name the domain whose policy it is in the reply', () => {
    for (const [connector, from] of [
      [example1, session(bank)],
      [example2, session(bank, otherName)],
    ] as const) {
      const value = policy({ inboundConnectors: [connector] });
      const decision = judgeRecipient(value, from, address('user@example.test'), clock);
      assert.equal(decision.kind, 'refuse');
      assert.match(decision.reply.lines.join(' '), /policy of example\.test: connector "bank/);
    }
  });

  it('says a final refusal before one that TLS would heal', () => {
    const both = [example1, example4];
    assert.equal(judge(both, session(bank)), '550 5.7.51');
  });

  it('that are off, or for other recipients, do not count', () => {
    assert.equal(judge([{ ...example4, enabled: false }], session('a@else.test')), 'accept');
    const other = { ...example4, associatedAcceptedDomains: ['other.test'] };
    assert.equal(judge([other], session('a@else.test')), 'accept');
  });
});

describe('the null reverse-path', () => {
  it('is restricted by the EHLO name and the domains above it', () => {
    const from = session(null, { heloName: 'mx1.mail.contosobank.com' });
    assert.equal(judge([example3], from), '550 5.7.51');
    assert.equal(judge([example3], { ...from, ...inside }), 'accept');
    assert.equal(judge([example3], session(null)), 'accept');
  });

  it('is restricted by RFC5322.From once it is known, and by one that cannot be read', () => {
    const value = policy({ inboundConnectors: [example3] });
    const header = (from: HeaderFrom, part: Partial<InboundSession> = {}) => {
      const message = { from, recipients: [address('user@example.test')] };
      return (
        judgeHeader(value, session(null, part), message, clock).refusal?.reply.code ?? 'accept'
      );
    };
    const partner: HeaderFrom = { kind: 'addresses', addresses: [address(bank)] };
    assert.equal(header(partner), 550);
    assert.equal(header(partner, inside), 'accept');
    assert.equal(header({ kind: 'unreadable' }), 550);
    assert.equal(header({ kind: 'none' }), 'accept');
    const hidden = [address('a@else.test'), address(bank)];
    assert.equal(header({ kind: 'addresses', addresses: hidden }), 550);
  });

  it('never grants: a bounce from our own mailbox gets no further than its recipient', () => {
    const value = policy();
    const foreign = address('x@else.test');
    assert.equal(judgeRecipient(value, session(null), foreign, clock).kind, 'refuse');
  });
});

describe('recipients', () => {
  it('of foreign domains are refused: no open relay', () => {
    for (const rcpt of ['x@else.test', 'x@[127.0.0.1]', 'x@sub.example.test']) {
      const decision = judgeRecipient(policy(), session('a@b.test'), address(rcpt), clock);
      assert.equal(decision.kind, 'refuse', rcpt);
      assert.equal(decision.reply.code, 550);
    }
  });

  it('unknown in an authoritative domain are refused, in an internal-relay domain taken', () => {
    const relay = [
      acceptedDomain('example.test', { type: 'internal-relay', matchSubDomains: true }),
    ];
    const nobody = address('nobody@example.test');
    assert.equal(judgeRecipient(policy(), session('a@b.test'), nobody, clock).kind, 'refuse');
    const value = policy({ acceptedDomains: relay });
    assert.equal(judgeRecipient(value, session('a@b.test'), nobody, clock).kind, 'accept');
    const below = address('x@sub.example.test');
    assert.equal(judgeRecipient(value, session('a@b.test'), below, clock).kind, 'accept');
  });
});

describe('our own domain as MAIL FROM', () => {
  it('is refused on the MX port unless a connector proves the sender', () => {
    const own = session('boss@example.test');
    assert.equal(judge([], own), '550 5.7.68');
    assert.equal(judge([example1], own), '550 5.7.68');
    const anyTls = inboundConnector('any-tls', { requireTls: true });
    assert.equal(judge([anyTls], { ...own, ...underTls }), '550 5.7.68');
    assert.equal(judge([example4], { ...own, ...inside }), 'accept');
    assert.equal(judge([], own, { rejectDirectSend: false }), 'accept');
  });
});

describe('a submission', () => {
  const account = { organization: 'org', account: 'user' };
  const signedIn = session('user@example.test', { listener: 'submission', account });

  it('needs a signed-in account and sends as its own addresses only', () => {
    const anonymous = session('user@example.test', { listener: 'submission' });
    assert.equal(judgeMailFrom(policy(), anonymous)?.reply.code, 530);
    assert.equal(judgeMailFrom(policy(), signedIn), null);
    for (const from of ['boss@example.test', null]) {
      const foreign = session(from, { listener: 'submission', account });
      assert.equal(judgeMailFrom(policy(), foreign)?.reply.code, 550);
    }
  });

  it('must carry a From of the account', () => {
    const check = (from: HeaderFrom) => {
      const message = { from, recipients: [] };
      return judgeHeader(policy(), signedIn, message, clock).refusal?.reply.code ?? 'accept';
    };
    const own = address('User@example.test');
    assert.equal(check({ kind: 'addresses', addresses: [own] }), 'accept');
    const both = [own, address('boss@example.test')];
    assert.equal(check({ kind: 'addresses', addresses: both }), 550);
    assert.equal(check({ kind: 'none' }), 550);
    assert.equal(check({ kind: 'unreadable' }), 550);
  });

  it('goes anywhere but to mailboxes that our own domains do not have', () => {
    const to = (rcpt: string) => judgeRecipient(policy(), signedIn, address(rcpt), clock).kind;
    assert.equal(to('x@else.test'), 'accept');
    assert.equal(to('user@example.test'), 'accept');
    assert.equal(to('nobody@example.test'), 'refuse');
  });
});
