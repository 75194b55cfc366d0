/** Readiness: what a connector said of real mail, message by message. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  address,
  clearSession,
  evidence,
  inboundConnector,
  noon,
  outboundConnector,
  patterns,
  policy,
  reached,
  serverEvidence,
  tlsEvidence,
} from '../../test/support/policy.ts';
import type { Mail } from '../../test/support/recorded-mail.ts';
import { readBack } from '../../test/support/recorded-mail.ts';
import type { ConnectorMode, OutboundConnector, Policy } from './policy.ts';
import type { ReadinessQuestion } from './readiness.ts';
import { readReadiness } from './readiness.ts';
import type { RecordedMessage, RecordedRoute } from './recorded.ts';

const ask = (direction: 'inbound' | 'outbound', part: Partial<ReadinessQuestion> = {}) =>
  ({ name: 'partner', direction, organization: null, ...part }) as const;
const clear = clearSession();
const inTls = serverEvidence({ chain: [], paths: [] });

function arriving(shown = inTls, from: string | null = 'ann@partner.test'): Mail {
  const peer = { ...shown.peer, address: '203.0.113.9' };
  return {
    session: {
      listener: 'mx',
      clientAddress: '203.0.113.9',
      heloName: 'mail.partner.test',
      evidence: { ...shown, peer },
      account: null,
      reversePath: from === null ? null : address(from),
    },
    recipients: [address('user@example.test')],
    atMs: noon,
  };
}

function leaving(server = evidence()): Mail {
  const { session } = arriving();
  const account = { organization: 'org', account: 'user' };
  const from = address('user@example.test');
  return {
    session: { ...session, listener: 'submission', account, reversePath: from },
    recipients: [address('bob@partner.test')],
    atMs: noon,
    server: () => server,
  };
}

function inbound(mode: ConnectorMode): Policy {
  const part = { mode, senderDomains: patterns('partner.test'), requireTls: true };
  return policy({ inboundConnectors: [inboundConnector('partner', part)] });
}

function outbound(mode: ConnectorMode): Policy {
  return policy({
    outboundConnectors: [
      outboundConnector('partner', {
        mode,
        recipientDomains: patterns('partner.test'),
        tlsSettings: 'DomainValidation',
        tlsDomains: patterns('mx.partner.test'),
      }),
    ],
  });
}

describe('readiness of an inbound connector', () => {
  it('counts what observing and warning connectors would have said, with the failure', () => {
    for (const mode of ['observe', 'warn'] as const) {
      const [good, bad] = readBack(inbound(mode), arriving(), arriving(clear));
      const passed = readReadiness(ask('inbound'), good!);
      assert.deepEqual([passed?.isMet, passed?.mode, passed?.failure], [true, mode, null]);
      const failed = readReadiness(ask('inbound'), bad!);
      assert.equal(failed?.isMet, false);
      assert.deepEqual(failed?.failure, {
        id: bad!.id,
        atMs: noon,
        from: '<ann@partner.test>',
        to: 'user@example.test',
        other: '203.0.113.9',
        reason: 'connector "partner" requires encryption; the session was not encrypted',
      });
    }
  });

  it('counts refusals of an enforcing one, and mail that met it', () => {
    const [good, refused] = readBack(inbound('enforce'), arriving(), arriving(clear));
    assert.equal(readReadiness(ask('inbound'), good!)?.isMet, true);
    const failed = readReadiness(ask('inbound'), refused!);
    assert.deepEqual([failed?.isMet, failed?.mode], [false, 'enforce']);
    assert.equal(failed?.failure?.other, '203.0.113.9');
  });

  it('says nothing of mail that it does not concern, nor for others', () => {
    const [other] = readBack(inbound('observe'), arriving(clear, 'eve@other.test'));
    assert.equal(readReadiness(ask('inbound'), other!), null);
    const [own] = readBack(inbound('observe'), arriving());
    assert.equal(readReadiness(ask('inbound', { name: 'partner2' }), own!), null);
    assert.equal(readReadiness(ask('outbound'), own!), null);
    assert.equal(readReadiness(ask('inbound', { organization: 'two' }), own!), null);
    assert.notEqual(readReadiness(ask('inbound', { organization: 'org' }), own!), null);
    const [refused] = readBack(inbound('enforce'), arriving(clear));
    assert.equal(readReadiness(ask('inbound', { organization: 'two' }), refused!), null);
    assert.notEqual(readReadiness(ask('inbound', { organization: 'org' }), refused!), null);
  });
});

describe('readiness of an outbound connector', () => {
  const opportunistic = evidence({ encryption: 'not-offered', tls: null });

  it('counts what it would have said of the servers that took the mail', () => {
    const [good, bad] = readBack(outbound('observe'), leaving(), leaving(opportunistic));
    assert.equal(readReadiness(ask('outbound'), good!)?.isMet, true);
    const failed = readReadiness(ask('outbound'), bad!);
    assert.equal(failed?.isMet, false);
    assert.equal(failed?.failure?.to, 'partner.test');
    assert.equal(failed?.failure?.other, 'mx.partner.test [192.0.2.9]');
    assert.match(failed?.failure?.reason ?? '', /STARTTLS was not offered/);
    assert.equal(readReadiness(ask('inbound'), good!), null);
  });

  it('counts the verdicts of an enforcing one, of its own clauses alone', () => {
    const [good, bad] = readBack(outbound('enforce'), leaving(), leaving(opportunistic));
    assert.equal(readReadiness(ask('outbound'), good!)?.isMet, true);
    assert.equal(readReadiness(ask('outbound'), bad!)?.isMet, false);
  });

  it('another server of the same delivery that meets it is enough; of another delivery it is not', () => {
    const [good, bad] = readBack(outbound('observe'), leaving(), leaving(opportunistic)) as [
      RecordedMessage,
      RecordedMessage,
    ];
    const join = (ordinal: number): RecordedMessage => {
      const later: RecordedRoute = { ...good.routes[0]!, ordinal };
      return { ...bad, routes: [...bad.routes, later] };
    };
    assert.equal(readReadiness(ask('outbound'), join(0))?.isMet, true);
    assert.equal(readReadiness(ask('outbound'), join(1))?.isMet, false);
  });

  it('is decided neither way where its anchors were not examined, unless something else fails', () => {
    const bank = { anchors: 'file:/bank.pem', recipientDomains: patterns('partner.test') };
    const beside = (mode: ConnectorMode, part: Partial<OutboundConnector> = {}): Policy =>
      policy({
        outboundConnectors: [
          outboundConnector('partner', {
            ...bank,
            mode,
            tlsSettings: 'CertificateValidation',
            ...part,
          }),
          outboundConnector('all', {
            recipientDomains: patterns('*'),
            tlsSettings: 'CertificateValidation',
          }),
        ],
      });
    const named = {
      tlsSettings: 'DomainValidation',
      tlsDomains: patterns('mx.other.test'),
    } as const;
    const said = (value: Policy, server = evidence()) => {
      const { isMet, failure } = readReadiness(
        ask('outbound'),
        readBack(value, leaving(server))[0]!,
      )!;
      assert.equal(failure === null, isMet !== false);
      return isMet;
    };
    for (const mode of ['observe', 'warn', 'enforce'] as const) {
      assert.equal(said(beside(mode)), null, mode);
      assert.equal(said(beside(mode, named)), false, mode);
    }
    const paths = [reached(), reached({ anchors: bank.anchors })];
    const examined = evidence({ tls: tlsEvidence({ paths }) });
    assert.equal(said(beside('observe'), examined), true);
    // A verdict that sends needs OpenSSL's word besides, which is about others here.
    assert.equal(said(beside('enforce'), examined), null);
  });

  it('one delivery that nobody can judge keeps a message from counting as met', () => {
    const watch = policy({
      outboundConnectors: [
        outboundConnector('partner', {
          mode: 'observe',
          recipientDomains: patterns('partner.test'),
          tlsSettings: 'CertificateValidation',
        }),
      ],
    });
    const elsewhere = evidence({ tls: tlsEvidence({ paths: [] }) });
    const [good, open] = readBack(watch, leaving(), leaving(elsewhere)) as [
      RecordedMessage,
      RecordedMessage,
    ];
    const later: RecordedRoute = { ...good.routes[0]!, ordinal: 1 };
    const both = { ...open, routes: [...open.routes, later] };
    assert.equal(readReadiness(ask('outbound'), both)?.isMet, null);
    const again = { ...open, routes: [...open.routes, { ...later, ordinal: 0 }] };
    assert.equal(readReadiness(ask('outbound'), again)?.isMet, true);
  });

  it('a connector that demands nothing is never ready nor unready', () => {
    const loose = policy({
      outboundConnectors: [
        outboundConnector('partner', { recipientDomains: patterns('partner.test') }),
      ],
    });
    assert.equal(readReadiness(ask('outbound'), readBack(loose, leaving())[0]!), null);
  });
});
