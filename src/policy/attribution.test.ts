/** Whose a session is, who may relay, and what nobody gets by claiming another's names. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
  address,
  certificate,
  clearSession,
  inboundConnector,
  noon,
  organization,
  patterns,
  reached,
  serverEvidence,
} from '../../test/support/policy.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { attributeSession } from './attribution.ts';
import type { Evidence } from './evidence.ts';
import { evidenceFor } from './inbound-paths.ts';
import type { InboundSession } from './inbound-session.ts';
import { judgeRecipient } from './judge-recipient.ts';
import type { InboundConnector, Organization, Policy } from './policy.ts';

const clock = { nowMs: noon, firstRefusedAtMs: () => null };

function ownServer(name: string, part: Partial<InboundConnector> = {}): InboundConnector {
  return inboundConnector(name, { connectorType: 'OnPremises', ...part });
}

function organizationOf(
  id: string,
  domains: readonly string[],
  inboundConnectors: readonly InboundConnector[],
  part: Partial<Organization> = {},
): Organization {
  return organization({
    id,
    acceptedDomains: domains.map((domain) => acceptedDomain(domain)),
    mailboxes: [{ account: 'user', addresses: [address(`user@${domains[0]!}`)] }],
    inboundConnectors,
    ...part,
  });
}

function policyOf(...organizations: readonly Organization[]): Policy {
  return { formatVersion: 1, revision: '0', hostName: 'gw.test', organizations };
}

function showing(...names: string[]): Evidence {
  return serverEvidence({ chain: [certificate({ dnsNames: names })] });
}

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

function whose(policy: Policy, from: InboundSession): string {
  const { originating, tie } = attributeSession(policy, from, noon);
  if (originating !== null) return `${originating.organization.id} by ${originating.by}`;
  return tie.length > 0 ? 'tie' : 'incoming';
}

function send(policy: Policy, from: InboundSession, to: string): string {
  const decision = judgeRecipient(policy, from, address(to), clock);
  if (decision.kind === 'accept') return `${decision.organization} ${decision.origin.kind}`;
  return `${decision.reply.code} ${formatEnhancedStatus(decision.reply.status!)}`;
}

const byName = ownServer('by-name', { tlsSenderCertificateNames: patterns('*.contoso.com') });
const contoso = organizationOf('contoso', ['contoso.com'], [byName]);
const server = { evidence: showing('exchange.contoso.com') };

/** An own server by certificate name. */
function named(name: string): InboundConnector {
  return ownServer('by-name', { tlsSenderCertificateNames: patterns(name) });
}

describe('by certificate', () => {
  it('`*.contoso.com` with contoso.com accepted matches the certificate exchange.contoso.com', () => {
    assert.equal(
      whose(policyOf(contoso), session('a@else.test', server)),
      'contoso by certificate',
    );
  });

  it('an exact name has to be an accepted domain itself', () => {
    const exact = ownServer('exact', {
      tlsSenderCertificateNames: patterns('exchange.contoso.com'),
    });
    const without = policyOf(organizationOf('contoso', ['contoso.com'], [exact]));
    assert.equal(whose(without, session('a@else.test', server)), 'incoming');
    const domains = ['contoso.com', 'exchange.contoso.com'];
    const withName = policyOf(organizationOf('contoso', domains, [exact]));
    assert.equal(whose(withName, session('a@else.test', server)), 'contoso by certificate');
  });

  it('a wildcard is valid where only a domain below it is accepted', () => {
    const value = policyOf(organizationOf('jpn', ['jpn.contoso.com'], [byName]));
    assert.equal(whose(value, session('a@else.test', server)), 'jpn by certificate');
  });

  it('relays forwarded mail and bounces, whatever MAIL FROM is', () => {
    for (const from of ['a@else.test', null]) {
      assert.equal(
        send(policyOf(contoso), session(from, server), 'x@partner.test'),
        'contoso originating',
      );
    }
  });

  it('takes no certificate that reaches no anchor of the connector, is expired, or of a server only', () => {
    const chain = [certificate({ dnsNames: ['exchange.contoso.com'] })];
    const elsewhere = [reached({ purpose: 'clientAuth', anchors: 'file:/other' })];
    const past = [reached({ purpose: 'clientAuth', notAfter: new Date(noon - 1).toISOString() })];
    const serverOnly = [reached({ purpose: 'serverAuth' })];
    for (const paths of [elsewhere, past, serverOnly, []]) {
      const from = session('a@contoso.com', { evidence: serverEvidence({ chain, paths }) });
      assert.equal(whose(policyOf(contoso), from), 'incoming');
      assert.equal(send(policyOf(contoso), from, 'x@partner.test'), '550 5.7.64');
    }
  });

  it('a stranger with a valid certificate of another name is refused with 5.7.64', () => {
    const stranger = session('a@contoso.com', { evidence: showing('mail.stranger.test') });
    assert.equal(send(policyOf(contoso), stranger, 'x@partner.test'), '550 5.7.64');
  });

  it('the closest name wins, and equal ones of two organizations are nobody but the sender', () => {
    const wide = organizationOf('wide', ['a.contoso.com'], [byName]);
    const narrow = organizationOf(
      'narrow',
      ['b.contoso.com'],
      [ownServer('x', { tlsSenderCertificateNames: patterns('*.b.contoso.com') })],
    );
    const shown = { evidence: showing('mx.b.contoso.com') };
    assert.equal(
      whose(policyOf(wide, narrow), session('a@else.test', shown)),
      'narrow by certificate',
    );
    const twin = organizationOf('twin', ['c.contoso.com'], [byName]);
    const tie = policyOf(wide, twin);
    assert.equal(whose(tie, session('a@else.test', server)), 'tie');
    assert.equal(send(tie, session('a@else.test', server), 'x@partner.test'), '550 5.7.64');
    assert.equal(whose(tie, session('a@c.contoso.com', server)), 'twin by certificate');
  });

  it("nobody claims a name in another organization's domain", () => {
    const thief = organizationOf('thief', ['thief.test'], [byName]);
    const value = policyOf(contoso, thief);
    assert.equal(whose(value, session('a@else.test', server)), 'contoso by certificate');
    const alone = policyOf(organizationOf('contoso', ['contoso.com'], []), thief);
    assert.equal(whose(alone, session('a@else.test', server)), 'incoming');
    assert.equal(send(alone, session('a@else.test', server), 'x@partner.test'), '550 5.7.64');
  });

  it("a wildcard reaches no server whose name lies in another organization's domain", () => {
    const wide = organizationOf('wide', ['wide.host.test'], [named('*.host.test')]);
    const parent = organizationOf('parent', ['host.test'], [named('*.host.test')]);
    const byAddress = ownServer('own', { senderIPAddresses: ['203.0.113.9/32'] });
    const victim = organizationOf('victim', ['victim.host.test'], [byAddress]);
    const shown = { evidence: showing('mx.victim.host.test') };
    for (const thief of [wide, parent]) {
      const value = policyOf(thief, victim);
      assert.equal(whose(value, session('a@victim.host.test', shown)), 'victim by address');
      assert.equal(whose(value, session('a@else.test', shown)), 'incoming');
      assert.equal(whose(value, session(null, shown)), 'incoming');
      assert.equal(send(value, session(null, shown), 'x@partner.test'), '550 5.7.64');
    }
    const ownShown = { evidence: showing('mx.wide.host.test') };
    assert.equal(
      whose(policyOf(wide, victim), session('a@else.test', ownShown)),
      'wide by certificate',
    );
  });

  it('a name of one is never closer than a name of the other: the sender decides', () => {
    const short = organizationOf('short', ['b.test'], [named('*.b.test')]);
    const long = organizationOf('long', ['longer.test'], [named('*.longer.test')]);
    const exact = organizationOf('exact', ['mx.exact.test'], [named('mx.exact.test')]);
    const value = policyOf(short, long, exact);
    const shown = { evidence: showing('mx.b.test', 'mx.longer.test', 'mx.exact.test') };
    assert.equal(whose(value, session('a@b.test', shown)), 'short by certificate');
    assert.equal(whose(value, session('a@longer.test', shown)), 'long by certificate');
    assert.equal(whose(value, session('a@mx.exact.test', shown)), 'exact by certificate');
    for (const from of ['a@else.test', null]) {
      assert.equal(whose(value, session(from, shown)), 'tie');
      assert.equal(send(value, session(from, shown), 'x@partner.test'), '550 5.7.64');
    }
  });

  it("a certificate's wildcard over domains of two organizations says nothing of either by itself", () => {
    const first = organizationOf('first', ['first.host.test'], [named('*.host.test')]);
    const exact = organizationOf('exact', ['exact.host.test'], [named('exact.host.test')]);
    const silent = organizationOf('silent', ['silent.host.test'], []);
    const shown = { evidence: showing('*.host.test') };
    for (const other of [exact, silent]) {
      const value = policyOf(first, other);
      assert.equal(whose(value, session('a@else.test', shown)), 'incoming');
      assert.equal(whose(value, session(null, shown)), 'incoming');
      assert.equal(whose(value, session('a@first.host.test', shown)), 'first by certificate');
    }
    assert.equal(
      whose(policyOf(first, exact), session('a@exact.host.test', shown)),
      'exact by certificate',
    );
    assert.equal(whose(policyOf(first, silent), session('a@silent.host.test', shown)), 'incoming');
    assert.equal(whose(policyOf(first), session(null, shown)), 'first by certificate');
  });

  it('a pinned key knows the server where its name is in an accepted domain', () => {
    const pinned = ownServer('pinned', { pins: ['leaf-key'] });
    const value = policyOf(organizationOf('contoso', ['contoso.com'], [pinned]));
    const own = { evidence: showing('contoso.com') };
    assert.equal(whose(value, session('a@else.test', own)), 'contoso by certificate');
    const other = { evidence: showing('contoso.net') };
    assert.equal(whose(value, session('a@else.test', other)), 'incoming');
    assert.equal(whose(value, session('a@contoso.com', other)), 'contoso by certificate');
  });

  it('a domain that is not proven gives no right to relay', () => {
    const unproven = organizationOf('contoso', ['contoso.com'], [byName], {
      acceptedDomains: [acceptedDomain('contoso.com', { isProven: false })],
    });
    assert.equal(whose(policyOf(unproven), session('a@contoso.com', server)), 'incoming');
  });
});

describe('by address', () => {
  const byAddress = ownServer('by-address', { senderIPAddresses: ['203.0.113.0/24'] });
  const value = policyOf(organizationOf('contoso', ['contoso.com'], [byAddress]));

  it('relays for senders in accepted domains only: no foreign sender, no null reverse-path', () => {
    assert.equal(send(value, session('a@contoso.com'), 'x@partner.test'), 'contoso originating');
    assert.equal(send(value, session('a@else.test'), 'x@partner.test'), '550 5.7.64');
    assert.equal(send(value, session(null), 'x@partner.test'), '550 5.7.64');
    const outside = session('a@contoso.com', { clientAddress: '198.51.100.1' });
    assert.equal(send(value, outside, 'x@partner.test'), '550 5.7.64');
  });

  it('brings mail of anybody to its own organization, as incoming', () => {
    assert.equal(send(value, session('a@else.test'), 'user@contoso.com'), 'contoso incoming');
  });

  it('an address that two organizations name is the sender organization’s', () => {
    const other = organizationOf('other', ['other.test'], [byAddress]);
    const both = policyOf(organizationOf('contoso', ['contoso.com'], [byAddress]), other);
    assert.equal(whose(both, session('a@other.test')), 'other by address');
    assert.equal(whose(both, session('a@contoso.com')), 'contoso by address');
    assert.equal(whose(both, session('a@else.test')), 'incoming');
  });
});

describe('what an OnPremises connector demands', () => {
  const strict = ownServer('strict', {
    senderIPAddresses: ['203.0.113.0/24'],
    requireTls: true,
    restrictDomainsToCertificate: true,
    tlsSenderCertificateNames: patterns('*.contoso.com'),
  });
  const value = policyOf(organizationOf('contoso', ['contoso.com'], [strict]));

  it('acts: TLS, and the certificate besides the address', () => {
    assert.equal(send(value, session('a@contoso.com'), 'x@partner.test'), '454 4.7.0');
    const bare = session('a@contoso.com', { evidence: serverEvidence({ chain: [], paths: [] }) });
    assert.equal(send(value, bare, 'x@partner.test'), '550 5.7.51');
    assert.equal(send(value, bare, 'user@contoso.com'), '550 5.7.51');
    assert.equal(
      send(value, session('a@contoso.com', server), 'x@partner.test'),
      'contoso originating',
    );
  });

  it('is only recorded in the mode observe', () => {
    const watching = policyOf(
      organizationOf('contoso', ['contoso.com'], [{ ...strict, mode: 'observe' }]),
    );
    const decision = judgeRecipient(
      watching,
      session('a@contoso.com'),
      address('x@partner.test'),
      clock,
    );
    assert.equal(decision.kind, 'accept');
    assert.deepEqual(
      decision.shadow.map(({ connector, mode, isMet }) => [connector, mode, isMet]),
      [['strict', 'observe', false]],
    );
  });
});

describe('Partner connectors and own servers', () => {
  const lockDown = inboundConnector('lock-down', {
    restrictDomainsToIPAddresses: true,
    senderIPAddresses: ['192.0.2.0/24'],
  });

  it('a lock-down does not refuse an own server that may relay, and does refuse a foreign sender by address', () => {
    const byAddress = ownServer('own', { senderIPAddresses: ['203.0.113.0/24'] });
    const value = policyOf(organizationOf('contoso', ['contoso.com'], [byAddress, lockDown]));
    assert.equal(send(value, session('a@contoso.com'), 'user@contoso.com'), 'contoso originating');
    assert.equal(send(value, session('a@else.test'), 'user@contoso.com'), '550 5.7.51');
  });

  it('a Partner connector never lets anybody relay', () => {
    const partner = inboundConnector('partner', {
      restrictDomainsToCertificate: true,
      tlsSenderCertificateNames: patterns('*.contoso.com'),
    });
    const value = policyOf(organizationOf('contoso', ['contoso.com'], [partner]));
    assert.equal(send(value, session('a@contoso.com', server), 'x@partner.test'), '550 5.7.64');
  });
});

describe('between organizations', () => {
  const other = organizationOf('other', ['other.test'], []);

  it('an own server’s mail to another organization belongs to its own first', () => {
    const value = policyOf(contoso, other);
    assert.equal(
      send(value, session('a@contoso.com', server), 'user@other.test'),
      'contoso originating',
    );
  });

  it("an own server does not send in another organization's name to the outside", () => {
    const value = policyOf(contoso, other);
    const spoofing = session('user@other.test', server);
    assert.equal(send(value, spoofing, 'x@partner.test'), '550 5.7.64');
    assert.equal(send(value, spoofing, 'user@other.test'), '550 5.7.64');
    assert.equal(send(value, spoofing, 'user@contoso.com'), 'contoso originating');
  });

  it('tells a refused session nothing about other organizations', () => {
    const value = policyOf(contoso, other);
    const decision = judgeRecipient(
      value,
      session('a@else.test', { evidence: showing('mail.stranger.test') }),
      address('x@partner.test'),
      clock,
    );
    assert.equal(decision.kind, 'refuse');
    assert.doesNotMatch(JSON.stringify(decision.reply), /contoso|other/);
    assert.deepEqual(decision.considered, []);
  });

  it("another organization's domain as MAIL FROM is not our direct send", () => {
    const value = policyOf(contoso, other);
    assert.equal(send(value, session('a@contoso.com'), 'user@other.test'), 'other incoming');
    assert.equal(send(value, session('a@other.test'), 'user@other.test'), '550 5.7.68');
  });

  it('mail for a domain that is not proven waits', () => {
    const waiting = organizationOf('other', ['other.test'], [], {
      acceptedDomains: [acceptedDomain('other.test', { isProven: false })],
    });
    assert.equal(send(policyOf(waiting), session('a@x.test'), 'user@other.test'), '450 4.7.1');
  });
});

describe('evidence of a session', () => {
  it('tells an organization nothing of the CAs that another trusts', () => {
    const trusting = (id: string): Organization =>
      organizationOf(
        id,
        [`${id}.test`],
        [
          inboundConnector('partner', {
            restrictDomainsToCertificate: true,
            tlsSenderCertificateNames: patterns('mx.partner.test'),
            anchors: `file:/${id}.pem`,
          }),
        ],
      );
    const value = policyOf(trusting('a'), trusting('b'));
    const paths = ['a', 'b'].map((id) =>
      reached({ purpose: 'clientAuth', anchors: `file:/${id}.pem` }),
    );
    const seen = serverEvidence({ paths });
    const of = (id: string | null): string[] =>
      evidenceFor(value, id, seen).tls!.paths.map(({ anchors }) => anchors);
    assert.deepEqual(of('a'), ['file:/a.pem']);
    assert.deepEqual(of('b'), ['file:/b.pem']);
    // What is of no organization is read by gateway administrators alone.
    assert.deepEqual(of(null), ['file:/a.pem', 'file:/b.pem']);
    assert.equal(evidenceFor(policyOf(trusting('a')), 'a', seen), seen);
  });
});
