/** Replay: what another policy would have made of recorded mail, and what the record does not tell. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
  address,
  clearSession,
  evidence,
  inboundConnector,
  noon,
  organization,
  outboundConnector,
  patterns,
  policy,
  reached,
  serverEvidence,
  tlsEvidence,
} from '../../test/support/policy.ts';
import type { Mail } from '../../test/support/recorded-mail.ts';
import { readBack } from '../../test/support/recorded-mail.ts';
import type { Evidence } from './evidence.ts';
import type { InboundSession } from './inbound-session.ts';
import type { Organization, OutboundConnector, Policy } from './policy.ts';
import type { Recorded } from './recorded.ts';
import type { Replayed } from './replayed.ts';
import { replayRecorded } from './replay.ts';
import type { MailFlowRule } from './rules/rule.ts';

function session(part: Partial<InboundSession> = {}): InboundSession {
  const shown = part.evidence ?? serverEvidence({ chain: [], paths: [] });
  const clientAddress = part.clientAddress ?? '203.0.113.9';
  return {
    listener: 'mx',
    heloName: 'mail.partner.test',
    account: null,
    reversePath: address('ann@partner.test'),
    ...part,
    clientAddress,
    evidence: { ...shown, peer: { ...shown.peer, address: clientAddress } },
  };
}

function arriving(part: Partial<InboundSession> = {}, to = 'user@example.test'): Mail {
  return { session: session(part), recipients: [address(to)], atMs: noon };
}

function leaving(to: string, server: Evidence = evidence()): Mail {
  const account = { organization: 'org', account: 'user' };
  const part = { listener: 'submission', account, reversePath: address('user@example.test') };
  const from = session(part as Partial<InboundSession>);
  return { session: from, recipients: [address(to)], atMs: noon, server: () => server };
}

/** Another revision, as any other text of the configuration has. */
function candidate(part: Partial<Organization> = {}): Policy {
  return { ...policy(part), revision: '111111111111' };
}

function replay(before: Policy, after: Policy, mail: Mail): Replayed {
  const all = readBack(before, mail).map((recorded) => replayRecorded(after, recorded));
  return {
    changes: all.flatMap(({ changes }) => changes),
    undecided: all.flatMap(({ undecided }) => undecided),
  };
}

function kinds({ changes, undecided }: Replayed): string[] {
  return [...changes.map(({ kind }) => kind), ...undecided.map(({ why }) => `? ${why}`)];
}

const inTls = inboundConnector('partner', {
  senderDomains: patterns('partner.test'),
  requireTls: true,
});
const byCertificate = inboundConnector('partner', {
  senderDomains: patterns('partner.test'),
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: patterns('mx.partner.test'),
});

describe('replay of what came in', () => {
  it('names mail that a connector would refuse, by the domain of MAIL FROM and the connector', () => {
    const before = policy();
    const after = candidate({ inboundConnectors: [inTls] });
    const { changes } = replay(before, after, arriving({ evidence: clearSession() }));
    assert.deepEqual(changes, [
      {
        kind: 'refused',
        direction: 'inbound',
        partner: 'partner.test',
        recipient: 'user@example.test',
        because: '454 4.7.0 by the connector "partner"',
        reason: 'connector "partner" requires encryption; the session was not encrypted',
      },
    ]);
    assert.deepEqual(kinds(replay(before, after, arriving())), ['stricter']);
  });

  it('a connector that observes refuses nothing, and restricts nobody any more', () => {
    const strict = policy({ inboundConnectors: [inTls] });
    const quiet = candidate({ inboundConnectors: [{ ...inTls, mode: 'observe' }] });
    assert.deepEqual(kinds(replay(strict, quiet, arriving())), ['weaker']);
    const refused = replay(strict, quiet, arriving({ evidence: clearSession() }));
    assert.deepEqual(kinds(refused), ['accepted']);
    assert.equal(
      refused.changes[0]!.because,
      'was refused with 454 4.7.0 by the connector "partner"',
    );
  });

  it('a refusal that has become final by time is the same refusal', () => {
    const slow = policy({ inboundConnectors: [inTls] });
    const fast = candidate({ inboundConnectors: [{ ...inTls, requireTlsTemporaryMs: 0 }] });
    assert.deepEqual(kinds(replay(slow, fast, arriving({ evidence: clearSession() }))), []);
  });

  it('names recipients that would not exist, and those that would', () => {
    const fewer = candidate({ mailboxes: [] });
    const gone = replay(policy(), fewer, arriving());
    assert.equal(gone.changes[0]!.because, '550 5.4.1: there is no such recipient');
    const back = replay(fewer, policy(), arriving());
    assert.deepEqual(kinds(back), ['accepted']);
  });

  it('does not call mail refused whose certificate was never examined for the anchors', () => {
    const before = policy({ inboundConnectors: [{ ...byCertificate, mode: 'observe' }] });
    const other = { ...byCertificate, anchors: 'file:/partner.pem' };
    const after = candidate({ inboundConnectors: [other] });
    const shown = arriving({ evidence: serverEvidence() });
    assert.deepEqual(kinds(replay(before, after, shown)), ['? not-examined']);
    const wrong = { ...other, tlsSenderCertificateNames: patterns('mx.other.test') };
    const both = candidate({ inboundConnectors: [wrong, { ...other, name: 'second' }] });
    assert.deepEqual(kinds(replay(before, both, shown)), ['? not-examined']);
  });

  it('does not call mail refused whose client was never asked for a certificate', () => {
    const after = candidate({ inboundConnectors: [byCertificate] });
    const unasked = serverEvidence({ chain: [], paths: [], isCertificateRequested: false });
    const mail = arriving({ evidence: unasked });
    assert.deepEqual(kinds(replay(policy(), after, mail)), ['? not-requested']);
    assert.deepEqual(kinds(replay(policy(), after, arriving())), ['refused']);
    const inClear = arriving({ evidence: clearSession() });
    assert.deepEqual(kinds(replay(policy(), after, inClear)), ['refused']);
  });

  it('says that the From of a bounce is not recorded, and of other mail where a connector looks', () => {
    const bounce = arriving({ reversePath: null, heloName: 'mail.other.test' });
    const before = policy();
    const after = candidate({ inboundConnectors: [inTls] });
    assert.deepEqual(kinds(replay(before, after, bounce)), ['? header-from']);
    const other = arriving({ reversePath: address('ann@other.test') });
    assert.deepEqual(kinds(replay(before, after, other)), []);
    const looking = candidate({ inboundConnectors: [{ ...inTls, alsoHeaderFrom: true }] });
    assert.deepEqual(kinds(replay(before, looking, other)), ['? header-from']);
    const same = { ...looking, revision: before.revision };
    assert.deepEqual(kinds(replay(same, same, bounce)), []);
  });

  it('an own server that would not be known may not relay', () => {
    const own = inboundConnector('exchange', {
      connectorType: 'OnPremises',
      senderIPAddresses: ['203.0.113.9/32'],
    });
    const before = policy({ inboundConnectors: [own] });
    const mail = arriving({ reversePath: address('user@example.test') }, 'bob@fabrikam.test');
    const gone = replay(before, candidate(), mail);
    assert.deepEqual(kinds(gone), ['refused']);
    assert.match(gone.changes[0]!.because, /^550 5\.7\.64/);
    assert.deepEqual(kinds(replay(candidate(), before, mail)), ['accepted']);
    assert.deepEqual(kinds(replay(before, { ...before, revision: 'x' }, mail)), []);
  });

  it('names mail that would belong to another organization', () => {
    const moved: Policy = {
      ...candidate(),
      organizations: [
        organization({ acceptedDomains: [acceptedDomain('other.test')], mailboxes: [] }),
        organization({ id: 'new', name: 'New' }),
      ],
    };
    assert.deepEqual(kinds(replay(policy(), moved, arriving())), ['attributed']);
  });

  it('a submission under an organization that is gone cannot be decided', () => {
    const after = { ...candidate(), organizations: [organization({ id: 'new' })] };
    assert.deepEqual(kinds(replay(policy(), after, leaving('bob@x.test'))), ['? no-organization']);
    const fewer = candidate({ mailboxes: [] });
    const gone = replay(policy(), fewer, leaving('bob@x.test'));
    assert.deepEqual(kinds(gone), ['refused']);
    assert.equal(gone.changes[0]!.partner, 'x.test');
  });

  it('names aliases that lead elsewhere', () => {
    const alias = (...to: string[]) => ({
      mailboxes: [
        { account: 'a', addresses: [address('a@example.test')] },
        { account: 'b', addresses: [address('b@example.test')] },
      ],
      aliases: [{ address: address('sales@example.test'), to: to.map(address) }],
    });
    const before = policy(alias('a@example.test'));
    const after = candidate(alias('a@example.test', 'b@example.test'));
    const { changes } = replay(before, after, arriving({}, 'sales@example.test'));
    assert.deepEqual(
      changes.map(({ kind, because, reason }) => [kind, because, reason]),
      [
        [
          'routed',
          'the alias sales@example.test leads elsewhere',
          'sales@example.test would lead to a@example.test, b@example.test instead of a@example.test',
        ],
      ],
    );
  });
});

const encrypted: Partial<OutboundConnector> = {
  recipientDomains: patterns('fabrikam.test'),
  tlsSettings: 'EncryptionOnly',
};
const validated: Partial<OutboundConnector> = {
  ...encrypted,
  tlsSettings: 'DomainValidation',
  tlsDomains: patterns('mx.partner.test'),
};
const withConnector = (part: Partial<OutboundConnector>) => ({
  outboundConnectors: [outboundConnector('fabrikam', part)],
});
const toFabrikam = 'bob@fabrikam.test';

describe('replay of what went out', () => {
  it('names mail that would go under less, and under more', () => {
    const [strict, loose] = [withConnector(validated), withConnector(encrypted)];
    const less = replay(policy(strict), candidate(loose), leaving(toFabrikam));
    assert.deepEqual(kinds(less), ['weaker']);
    assert.match(less.changes[0]!.because, /^no longer demanded: .*mx\.partner\.test/);
    assert.equal(less.changes[0]!.partner, 'fabrikam.test');
    const more = replay(policy(loose), candidate(strict), leaving(toFabrikam));
    assert.deepEqual(kinds(more), ['stricter']);
  });

  it('a connector that is set to observe demands less', () => {
    const after = candidate(withConnector({ ...validated, mode: 'observe' }));
    const found = replay(policy(withConnector(validated)), after, leaving(toFabrikam));
    assert.deepEqual(kinds(found), ['weaker']);
  });

  it('names mail that would wait, since the recorded TLS does not meet the demand', () => {
    const after = candidate(withConnector({ ...validated, tlsDomains: patterns('mx.other.test') }));
    const found = replay(policy(withConnector(encrypted)), after, leaving(toFabrikam));
    assert.deepEqual(kinds(found), ['deferred']);
    const [change] = found.changes;
    assert.equal(change!.because, 'SubjectMismatch for connector "fabrikam"');
    assert.match(change!.reason, /Presented Subject: mx\.partner\.test/);
    const clear = evidence({ encryption: 'not-offered', tls: null });
    const inClear = replay(policy(), after, leaving(toFabrikam, clear));
    assert.deepEqual(kinds(inClear), ['routed', 'deferred']);
  });

  it('names mail that waited for TLS and would not', () => {
    const wrong = withConnector({ ...validated, tlsDomains: patterns('mx.other.test') });
    const found = replay(policy(wrong), candidate(withConnector(validated)), leaving(toFabrikam));
    assert.deepEqual(kinds(found), ['weaker', 'passed']);
  });

  it('cannot tell what was not examined, but a clause that is not met stands beside it', () => {
    const other = { ...validated, anchors: 'file:/partner.pem' };
    const before = policy(withConnector(encrypted));
    const untold = replay(before, candidate(withConnector(other)), leaving(toFabrikam));
    assert.deepEqual(kinds(untold), ['stricter', '? not-examined']);
    const wrong = withConnector({ ...other, tlsDomains: patterns('mx.other.test') });
    assert.deepEqual(kinds(replay(before, candidate(wrong), leaving(toFabrikam))), ['deferred']);
    const examined = evidence({
      tls: tlsEvidence({
        paths: [reached({ anchors: 'file:/partner.pem' })],
        openssl: { anchors: 'file:/partner.pem', result: 'ok' },
      }),
    });
    const told = replay(before, candidate(withConnector(other)), leaving(toFabrikam, examined));
    assert.deepEqual(kinds(told), ['stricter']);
  });

  it('names mail that would wait since two sets of trust anchors are demanded', () => {
    const central = outboundConnector('central', {
      connectorType: 'OnPremises',
      routeAllMessagesViaOnPremises: true,
      tlsSettings: 'CertificateValidation',
      anchors: 'file:/own.pem',
    });
    const before = policy({ outboundConnectors: [central] });
    const whole = outboundConnector('all', {
      recipientDomains: patterns('*'),
      tlsSettings: 'CertificateValidation',
    });
    const after = candidate({ outboundConnectors: [central, whole] });
    const openssl = { anchors: 'file:/own.pem', result: 'ok' };
    const paths = [reached({ anchors: 'file:/own.pem' })];
    const shown = evidence({ tls: tlsEvidence({ paths, openssl }) });
    const found = replay(before, after, leaving(toFabrikam, shown));
    assert.deepEqual(kinds(found), ['deferred']);
    assert.equal(found.changes[0]!.because, 'TwoAnchorSets for connector "all"');
  });

  it('names mail that would go elsewhere, and does not judge one server by another', () => {
    const hosts = [{ host: 'relay.fabrikam.test', port: 25 }];
    const relayed = withConnector({ ...encrypted, route: { kind: 'smart-hosts', hosts } });
    const found = replay(policy(withConnector(encrypted)), candidate(relayed), leaving(toFabrikam));
    assert.deepEqual(kinds(found), ['routed', '? other-hop']);
    assert.equal(
      found.changes[0]!.because,
      'connector "fabrikam", by MX → connector "fabrikam", to relay.fabrikam.test:25',
    );
    const more = [...hosts, { host: 'relay2.fabrikam.test', port: 25 }];
    const both = withConnector({ ...encrypted, route: { kind: 'smart-hosts', hosts: more } });
    const kept = replay(policy(relayed), candidate(both), leaving(toFabrikam));
    assert.deepEqual(kinds(kept), ['routed']);
  });

  it('names mail that would lead nowhere', () => {
    const elsewhere = { domain: 'fabrikam.test', type: 'internal-relay', isProven: true } as const;
    const accepted = [acceptedDomain('example.test'), acceptedDomain('fabrikam.test', elsewhere)];
    const waits = candidate({ acceptedDomains: accepted });
    assert.deepEqual(kinds(replay(policy(), waits, leaving(toFabrikam))), ['deferred']);
  });

  it('another certificate of ours may be refused by the other side', () => {
    const own = candidate(withConnector({ ...encrypted, clientCertificate: 'ours' }));
    const found = replay(policy(withConnector(encrypted)), own, leaving(toFabrikam));
    assert.deepEqual(kinds(found), ['? own-certificate']);
  });

  it('a broken policy stops mail; one that is mended cannot be judged without a server', () => {
    const broken = withConnector({
      ...validated,
      tlsDomains: [],
      route: { kind: 'smart-hosts', hosts: [{ host: 'mx.fabrikam.test', port: 25 }] },
    });
    const sound = withConnector({
      ...encrypted,
      route: { kind: 'smart-hosts', hosts: [{ host: 'mx.fabrikam.test', port: 25 }] },
    });
    assert.deepEqual(kinds(replay(policy(sound), candidate(broken), leaving(toFabrikam))), [
      'deferred',
    ]);
  });
});

const rule = (part: Partial<MailFlowRule> = {}): MailFlowRule => ({
  name: 'to the vault',
  enabled: true,
  comments: '',
  mode: 'Enforce',
  activationAtMs: null,
  expiryAtMs: null,
  senderAddressLocation: 'Envelope',
  conditions: [],
  exceptions: [],
  actions: [{ kind: 'route-to-connector', connector: 'vault' }],
  stopRuleProcessing: false,
  overrides: [],
  ...part,
});

describe('replay beside mail-flow rules', () => {
  const subject = { kind: 'subject' } as const;
  const secret = { kind: 'contains-words', place: subject, words: ['secret'] } as const;

  it('says that a rule may act by content, unless the envelope rules it out', () => {
    const mail = leaving(toFabrikam);
    const found = (part: Partial<MailFlowRule>) =>
      kinds(replay(policy(), candidate({ rules: [rule(part)] }), mail));
    assert.deepEqual(found({ conditions: [secret] }), ['? rules']);
    const toOthers = { kind: 'recipient-domain-is', domains: ['other.test'] } as const;
    assert.deepEqual(found({ conditions: [secret, toOthers] }), []);
    assert.deepEqual(found({ exceptions: [{ ...toOthers, domains: ['fabrikam.test'] }] }), []);
    assert.deepEqual(found({ mode: 'Audit' }), []);
    assert.deepEqual(found({ enabled: false }), []);
    assert.deepEqual(found({ expiryAtMs: noon - 1 }), []);
    assert.deepEqual(found({ activationAtMs: noon + 1 }), []);
  });

  it('keeps the way of a rule that is there, and loses that of one that is gone', () => {
    const origin = { kind: 'rule', name: 'to the vault' } as const;
    const ruling = {
      connector: 'vault',
      rule: 'to the vault',
      overrides: [],
      clauses: [{ kind: 'encrypted', origin } as const],
    };
    const vault = {
      outboundConnectors: [outboundConnector('vault', { isTransportRuleScoped: true })],
    };
    const before = policy({ ...vault, rules: [rule()] });
    const mail = { ...leaving(toFabrikam), ruling };
    assert.deepEqual(kinds(replay(before, { ...before }, mail)), []);
    const gone = replay(before, candidate(vault), mail);
    assert.deepEqual(kinds(gone), ['routed', 'weaker']);
  });
});

describe('replay of records that do not tell all', () => {
  const [whole] = readBack(policy(), arriving()) as [Recorded & { kind: 'message' }];

  it('says what is missing', () => {
    const partial = { ...whole, arrival: null, isPartial: true };
    assert.deepEqual(kinds(replayRecorded(candidate(), partial)), ['? partial']);
    const reason = 'a record is damaged';
    const unreadable = { kind: 'unreadable', id: whole.id, atMs: noon, reason } as const;
    assert.deepEqual(replayRecorded(candidate(), unreadable).undecided, [
      { why: 'unreadable', detail: reason },
    ]);
    const untried = whole.recipients.map((each) => ({ ...each, last: null }));
    const waiting = replayRecorded(candidate(), { ...whole, recipients: untried });
    assert.deepEqual(kinds(waiting), ['? not-tried']);
  });

  it('asks no server whether a recipient exists, and believes the one that took mail', () => {
    const verify = candidate({
      acceptedDomains: [acceptedDomain('example.test', { recipients: { kind: 'verify' } })],
      mailboxes: [],
    });
    const sent = whole.recipients.map((each) => ({ ...each, last: null }));
    const asked = replayRecorded(verify, { ...whole, recipients: sent });
    assert.ok(kinds(asked).includes('? verification'));
    assert.ok(!kinds(replayRecorded(verify, whole)).includes('? verification'));
  });

  it('a refusal for rates, size or content is not decided by policy', () => {
    const refusal: Recorded = {
      kind: 'refusal',
      id: whole.id,
      atMs: noon,
      policyRevision: null,
      organization: null,
      session: session(),
      recipient: address('user@example.test'),
      code: 450,
      status: '4.7.1',
      connector: null,
      reason: 'too many',
      isPartial: false,
    };
    assert.deepEqual(kinds(replayRecorded(candidate(), refusal)), []);
    assert.deepEqual(kinds(replayRecorded(candidate(), { ...refusal, status: '5.4.1' })), [
      'accepted',
    ]);
    const byHeader = { ...refusal, recipient: null, status: '5.7.51' };
    assert.deepEqual(kinds(replayRecorded(candidate(), byHeader)), ['? header-from']);
  });
});
