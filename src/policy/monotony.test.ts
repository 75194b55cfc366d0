/**
 * For random policies and sessions: tightening any part never lets more mail pass, and the order in
 * which connectors are listed never changes a decision.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  acceptedDomain,
  address,
  certificate,
  clearSession,
  inboundConnector,
  noon,
  outboundConnector,
  patterns,
  policy,
  serverEvidence,
  tlsEvidence,
  evidence as makeEvidence,
} from '../../test/support/policy.ts';
import { chooseOutbound } from './choose-outbound.ts';
import type { InboundSession } from './inbound-session.ts';
import { judgeRecipient } from './judge-recipient.ts';
import { judgeHeader } from './judge-sender.ts';
import type { InboundConnector, Organization, OutboundConnector, TlsSettings } from './policy.ts';
import { judgeTls } from './tls-verdict.ts';

const domains = ['example.test', 'a.test', 'b.a.test', 'c.test'] as const;
const patternTexts = ['*', 'a.test', '*.a.test', 'b.a.test', 'c.test', 'example.test'] as const;
const ranges = ['192.0.2.0/24', '192.0.2.0/28', '203.0.113.9/32'] as const;
const addresses = ['192.0.2.7', '192.0.2.200', '203.0.113.9', '198.51.100.1'] as const;
const names = ['*.a.test', 'mx.a.test', 'example.test', '*.example.test'] as const;

const some = <T>(values: readonly T[], min = 0): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: min, maxLength: 3 });

const inbound: fc.Arbitrary<InboundConnector> = fc
  .record({
    type: fc.constantFrom('Partner' as const, 'OnPremises' as const),
    senders: some(patternTexts, 1),
    except: some(patternTexts),
    ips: some(ranges),
    names: some(names),
    flags: fc.record({
      enabled: fc.boolean(),
      requireTls: fc.boolean(),
      restrictDomainsToCertificate: fc.boolean(),
      restrictDomainsToIPAddresses: fc.boolean(),
      alsoHeaderFrom: fc.boolean(),
      mode: fc.constantFrom('enforce' as const, 'warn' as const, 'observe' as const),
    }),
  })
  .map(({ type, senders, except, ips, names: shown, flags }) =>
    inboundConnector('', {
      connectorType: type,
      senderDomains: patterns(...senders),
      exceptDomains: patterns(...except),
      senderIPAddresses: ips,
      tlsSenderCertificateNames: patterns(...shown),
      ...flags,
    }),
  );

const settings: readonly TlsSettings[] = [
  null,
  'EncryptionOnly',
  'CertificateValidation',
  'DomainValidation',
];
const outbound: fc.Arbitrary<OutboundConnector> = fc
  .record({
    recipients: some(patternTexts),
    tlsSettings: fc.constantFrom(...settings),
    enabled: fc.boolean(),
    isCentral: fc.boolean(),
    allAccepted: fc.boolean(),
    scoped: fc.boolean(),
  })
  .map(({ recipients, tlsSettings, enabled, isCentral, allAccepted, scoped }) =>
    outboundConnector('', {
      recipientDomains: patterns(...recipients),
      tlsSettings,
      enabled,
      routeAllMessagesViaOnPremises: isCentral,
      allAcceptedDomains: allAccepted,
      isTransportRuleScoped: scoped,
    }),
  );

/** Names of their own, so that they can be shuffled. */
const named = <T extends { readonly name: string }>(list: readonly T[]): T[] =>
  list.map((each, i) => ({ ...each, name: `n${i}` }));

const session: fc.Arbitrary<InboundSession> = fc.record({
  listener: fc.constant('mx' as const),
  clientAddress: fc.constantFrom(...addresses),
  heloName: fc.constantFrom('mx.a.test', 'x'),
  evidence: fc.oneof(
    fc.constant(clearSession()),
    fc
      .constantFrom('mx.a.test', 'example.test', 'x.test')
      .map((name) => serverEvidence({ chain: [certificate({ dnsNames: [name] })] })),
    fc.constant(serverEvidence({ chain: [], paths: [] })),
  ),
  account: fc.constant(null),
  reversePath: fc.option(fc.constantFrom(...domains).map((domain) => address(`s@${domain}`))),
});

const recipient = fc
  .constantFrom('user@example.test', 'x@a.test', 'x@else.test')
  .map((text) => address(text));

function organizationPart(inboundConnectors: readonly InboundConnector[]): Partial<Organization> {
  return { inboundConnectors, acceptedDomains: [acceptedDomain('example.test')] };
}

const clock = { nowMs: noon, firstRefusedAtMs: () => null };

function passes(
  connectors: readonly InboundConnector[],
  from: InboundSession,
  to: ReturnType<typeof address>,
): boolean {
  const value = policy(organizationPart(connectors));
  if (judgeRecipient(value, from, to, clock).kind === 'refuse') return false;
  const header = { kind: 'addresses', addresses: [address('s@a.test')] } as const;
  return judgeHeader(value, from, { from: header, recipients: [to] }, clock).refusal === null;
}

/**
 * Each makes one connector ask for more, or concern more, in its own scope. Names, keys and addresses
 * of an OnPremises connector are whom it concerns: fewer of them ask less.
 */
const tighten: readonly ((connector: InboundConnector) => InboundConnector)[] = [
  (each) => ({ ...each, requireTls: true }),
  (each) => ({ ...each, mode: 'enforce' }),
  (each) => ({ ...each, minVersion: 'TLSv1.3' }),
  (each) => ({ ...each, alsoHeaderFrom: true }),
  ofPartner((each) => ({
    ...each,
    tlsSenderCertificateNames: each.tlsSenderCertificateNames.slice(0, 1),
  })),
  ofPartner((each) =>
    each.restrictDomainsToIPAddresses
      ? { ...each, senderIPAddresses: each.senderIPAddresses.slice(0, 1) }
      : each,
  ),
  ofPartner((each) => ({ ...each, pins: ['another-key'] })),
];

function ofPartner(
  change: (connector: InboundConnector) => InboundConnector,
): (connector: InboundConnector) => InboundConnector {
  return (each) => (each.connectorType === 'Partner' ? change(each) : each);
}

test('tightening an inbound connector never lets more mail pass', () => {
  fc.assert(
    fc.property(
      fc.record({
        list: fc.array(inbound, { minLength: 1, maxLength: 4 }),
        from: session,
        to: recipient,
        pick: fc.nat(),
        change: fc.constantFrom(...tighten),
      }),
      ({ list, from, to, pick, change }) => {
        const before = named(list);
        const at = pick % before.length;
        const connector = before[at]!;
        const changed = change(connector);
        // A connector that begins to enforce is a further alternative where others share its scope, and
        // once it is met, it proves who sends under our own domain.
        const isOwnSender = from.reversePath?.domain === 'example.test';
        fc.pre(changed.mode === connector.mode || (before.length === 1 && !isOwnSender));
        const after = before.with(at, changed);
        if (passes(after, from, to)) assert.ok(passes(before, from, to));
      },
    ),
    { numRuns: 4000 },
  );
});

test('a further Partner connector of a new scope never lets more mail pass', () => {
  fc.assert(
    fc.property(
      fc.array(inbound, { maxLength: 3 }),
      inbound,
      session,
      recipient,
      (list, more, from, to) => {
        const fresh = { ...more, connectorType: 'Partner' as const };
        const known = new Set(list.flatMap((each) => each.senderDomains.map(scopeText)));
        fc.pre(fresh.senderDomains.every((pattern) => !known.has(scopeText(pattern))));
        // One that proves its source opens our own domain as MAIL FROM: that is its purpose.
        fc.pre(from.reversePath?.domain !== 'example.test');
        if (passes(named([...list, fresh]), from, to)) assert.ok(passes(named(list), from, to));
      },
    ),
    { numRuns: 4000 },
  );
});

const scopeText = (pattern: InboundConnector['senderDomains'][number]): string =>
  JSON.stringify(pattern);

test('the order of inbound connectors never changes a decision', () => {
  fc.assert(
    fc.property(fc.array(inbound, { maxLength: 5 }), session, recipient, (list, from, to) => {
      const listed = named(list);
      const decide = (connectors: readonly InboundConnector[]) =>
        judgeRecipient(policy(organizationPart(connectors)), { ...from }, to, clock);
      assert.deepEqual(decide(listed.toReversed()), decide(listed));
    }),
    { numRuns: 4000 },
  );
});

test('the order of outbound connectors never changes a decision', () => {
  const ruling = { connector: 'n0', rule: 'R', overrides: ['n1'], clauses: [] };
  fc.assert(
    fc.property(
      fc.array(outbound, { maxLength: 5 }),
      recipient,
      fc.boolean(),
      (list, to, isRuled) => {
        const listed = named(list);
        const routing = { ruling: isRuled ? ruling : null, isFromOnPremises: false };
        const decide = (outboundConnectors: readonly OutboundConnector[]) =>
          chooseOutbound(policy({ outboundConnectors }), 'org', to, routing);
        assert.deepEqual(decide(listed.toReversed()), decide(listed));
      },
    ),
    { numRuns: 4000 },
  );
});

test('raising the TLS settings of an outbound connector never lets more evidence proceed', () => {
  const evidences = [
    makeEvidence({ encryption: 'not-offered', tls: null }),
    makeEvidence(),
    makeEvidence({ tls: tlsEvidence({ paths: [], chain: [] }) }),
    makeEvidence({ tls: tlsEvidence({ chain: [certificate({ dnsNames: ['x.test'] })] }) }),
    makeEvidence({ encryption: 'internal', tls: null, fromOrganization: 'o' }),
  ];
  fc.assert(
    fc.property(
      fc.record({
        list: fc.array(outbound, { minLength: 1, maxLength: 4 }),
        to: recipient,
        pick: fc.nat(),
        seen: fc.constantFrom(...evidences),
        raise: fc.nat({ max: 3 }),
      }),
      ({ list, to, pick, seen, raise }) => {
        const before = named(list);
        const at = pick % before.length;
        const from = settings.indexOf(before[at]!.tlsSettings);
        const tlsSettings = settings[Math.min(3, from + raise)]!;
        const after = before.with(at, { ...before[at]!, tlsSettings });
        const mayGo = (outboundConnectors: readonly OutboundConnector[]): boolean => {
          const { requirement } = chooseOutbound(policy({ outboundConnectors }), 'org', to);
          return judgeTls(requirement, seen, noon, null).kind === 'proceed';
        };
        if (mayGo(after)) assert.ok(mayGo(before));
      },
    ),
    { numRuns: 4000 },
  );
});
