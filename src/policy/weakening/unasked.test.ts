/**
 * Where no weakening is found, nothing is let in or sent under less than before: of one organization,
 * its Partner connectors without pins, its outbound connectors by TlsSettings alone, and its rules.
 *
 * Own servers and other organizations have files of their own beside this one.
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
  reached,
  serverEvidence,
} from '../../../test/support/policy.ts';
import { changed } from '../../../test/support/policy-changes.ts';
import { rule as makeRule, run, message } from '../../../test/support/rules.ts';
import { chooseOutbound } from '../choose-outbound.ts';
import { findWeakened } from '../floor.ts';
import type { InboundSession } from '../inbound-session.ts';
import { judgePartners } from '../partner-verdict.ts';
import type { InboundConnector, Organization, Policy } from '../policy.ts';
import type { RuleAction } from '../rules/rule.ts';
import { findWeakenings } from './weakening.ts';

const texts = ['*', '*.bank.test', 'bank.test', '*.a.bank.test', 'a.bank.test', 'example.test'];
const domainsOf = fc.uniqueArray(fc.constantFrom(...texts), { minLength: 1, maxLength: 2 });
const ranges = ['192.0.2.0/24', '192.0.2.0/25', '192.0.2.128/25', '0.0.0.0/0', '198.51.100.1/32'];
const accepted = ['example.test', 'other.test', 'third.test'];

/** Mostly what restricts nothing, so that policies that differ a little are frequent. */
const inbound = fc.record({
  senderDomains: domainsOf.map((each) => patterns(...each)),
  exceptDomains: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: domainsOf.map((each) => patterns(...each)) },
  ),
  senderIPAddresses: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...ranges), { maxLength: 2 }) },
  ),
  restrictDomainsToIPAddresses: fc.boolean(),
  requireTls: fc.boolean(),
  restrictDomainsToCertificate: fc.boolean(),
  associatedAcceptedDomains: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...accepted), { maxLength: 2 }) },
  ),
  alsoHeaderFrom: fc.boolean(),
  enabled: fc.constantFrom(true, true, true, false),
  mode: fc.constantFrom('enforce', 'enforce', 'enforce', 'observe'),
});

function inboundOf(name: string, part: Partial<InboundConnector>): InboundConnector {
  const isLimited = part.restrictDomainsToIPAddresses && (part.senderIPAddresses?.length ?? 0) > 0;
  return inboundConnector(name, {
    ...part,
    restrictDomainsToIPAddresses: isLimited ?? false,
    tlsSenderCertificateNames: patterns('mx.bank.test'),
  });
}

const certified = serverEvidence({
  chain: [certificate({ dnsNames: ['mx.bank.test'] })],
  paths: [reached({ purpose: 'clientAuth' })],
});
const encrypted = serverEvidence({ chain: [] });
const addresses = [
  '0.0.0.1',
  '192.0.2.1',
  '192.0.2.200',
  '198.51.100.1',
  '203.0.113.1',
  '2001:db8::1',
];
const senders = [
  'bank.test',
  'x.bank.test',
  'a.bank.test',
  'y.a.bank.test',
  'example.test',
  'z.test',
];

function isLetIn(
  value: Policy,
  session: Pick<InboundSession, 'clientAddress' | 'evidence'>,
  scope: { readonly sender: string; readonly to: string; readonly isHeader: boolean },
): boolean {
  const [organizationOf] = value.organizations as [Organization];
  const { unmet, proven } = judgePartners({
    organization: organizationOf,
    acceptedDomain: scope.to,
    senders: [scope.sender],
    isHeader: scope.isHeader,
    nowMs: noon,
    ...session,
  });
  const isOwn = scope.sender === 'example.test' && !scope.isHeader;
  return unmet === null && (!isOwn || proven.length > 0);
}

/** The same, and yet not equal, so that all of it is compared. */
function renamed(value: Policy): Policy {
  const organizations = value.organizations.map((each) => ({
    ...each,
    name: `${each.name} again`,
    inboundConnectors: each.inboundConnectors.map((one) => ({ ...one, comment: 'again' })),
  }));
  return structuredClone({ ...value, organizations });
}

const acceptedDomains = accepted.map((each) => acceptedDomain(each));

test('a session that Partner connectors refused is let in by no change for which nobody is asked', () => {
  let unasked = 0;
  fc.assert(
    fc.property(changed(inbound, ['a', 'b', 'c']), (connectors) => {
      const of = (when: 'before' | 'after'): Policy =>
        policy({
          acceptedDomains,
          inboundConnectors: connectors.flatMap((each) =>
            each[when] === null ? [] : [inboundOf(each.name, each[when])],
          ),
        });
      const [before, after] = [of('before'), of('after')];
      assert.deepEqual(findWeakenings(before, renamed(before)), []);
      if (findWeakenings(before, after).length > 0) return;
      unasked++;
      for (const evidence of [clearSession(), encrypted, certified]) {
        for (const clientAddress of addresses) {
          for (const sender of senders) {
            for (const to of accepted) {
              for (const isHeader of [false, true]) {
                const scope = { sender, to, isHeader };
                const session = { evidence, clientAddress };
                const isNewly = !isLetIn(before, session, scope) && isLetIn(after, session, scope);
                assert.ok(
                  !isNewly,
                  JSON.stringify({ ...scope, clientAddress, is: evidence.encryption }),
                );
              }
            }
          }
        }
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(unasked > 20, `only ${unasked} changes of which nobody was asked`);
});

const outbound = fc.record({
  recipientDomains: domainsOf.map((each) => patterns(...each)),
  tlsSettings: fc.constantFrom(null, 'EncryptionOnly', 'CertificateValidation'),
  enabled: fc.constantFrom(true, true, true, false),
  mode: fc.constantFrom('enforce', 'enforce', 'enforce', 'observe'),
  isTransportRuleScoped: fc.boolean(),
  routeAllMessagesViaOnPremises: fc.constantFrom(false, false, false, true),
  clearTextAfterFailedTls: fc.constantFrom(false, false, true),
});

const condition = fc.constantFrom(
  ...['bank.test', 'a.bank.test', 'z.test'].map((domain) => ({
    kind: 'recipient-domain-is' as const,
    domains: [domain],
  })),
);
const action: fc.Arbitrary<RuleAction> = fc.oneof(
  fc
    .constantFrom('p', 'q', 'r')
    .map((connector) => ({ kind: 'route-to-connector' as const, connector })),
  fc.constantFrom<RuleAction>({ kind: 'require-tls' }, { kind: 'prepend-subject', text: 'x' }),
);
const ruled = fc.record({
  actions: fc.array(action, { minLength: 1, maxLength: 2 }),
  conditions: fc.oneof(
    fc.constant([]),
    condition.map((each) => [each]),
  ),
  exceptions: fc.oneof(
    fc.constant([]),
    condition.map((each) => [each]),
  ),
  stopRuleProcessing: fc.constantFrom(false, false, true),
  overrides: fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 1 }),
  enabled: fc.constantFrom(true, true, true, false),
});

/** What is demanded of the way of mail to the domain, by connectors and rules; null where it goes nowhere. */
function wayOf(value: Policy, domain: string, isFromOnPremises: boolean) {
  const [{ rules }] = value.organizations as [Organization];
  const recipient = address(`ann@${domain}`);
  const result = run(rules, message({ recipients: [recipient] }), undefined, {});
  assert.equal(result.kind, 'pass');
  const ruling = result.forks[0]!.ruling;
  const decision = chooseOutbound(value, 'org', recipient, { ruling, isFromOnPremises });
  const clauses = [...decision.requirement.clauses, ...ruling.clauses];
  return { clauses, decision, isClear: clauses.length === 0 && decision.clearTextAfterFailedTls };
}

test('mail leaves by connectors and rules under less by no change for which nobody is asked', () => {
  let unasked = 0;
  const both = fc.tuple(
    changed(outbound, ['p', 'q', 'r']),
    changed(ruled, ['R', 'S', 'T']),
    fc.constantFrom(['R', 'S', 'T'], ['S', 'R', 'T'], ['T', 'S', 'R']),
  );
  fc.assert(
    fc.property(both, ([connectors, rules, order]) => {
      const of = (when: 'before' | 'after'): Policy => {
        const made = rules.flatMap((each) => {
          const part = each[when];
          return part === null ? [] : [makeRule(each.name, part)];
        });
        const sorted = order.flatMap((name) => made.filter((each) => each.name === name));
        return policy({
          outboundConnectors: connectors.flatMap((each) => {
            const part = each[when];
            return part === null ? [] : [outboundConnector(each.name, part)];
          }),
          rules: when === 'before' ? made : sorted,
        });
      };
      const [before, after] = [of('before'), of('after')];
      assert.deepEqual(findWeakenings(before, renamed(before)), []);
      if (findWeakenings(before, after).length > 0) return;
      unasked++;
      for (const domain of ['bank.test', 'x.bank.test', 'a.bank.test', 'y.a.bank.test', 'z.test']) {
        for (const isFromOnPremises of [false, true]) {
          const earlier = wayOf(before, domain, isFromOnPremises);
          const today = wayOf(after, domain, isFromOnPremises);
          if (today.decision.destination.kind === 'none') continue;
          const owed = earlier.clauses.filter(({ kind }) => kind !== 'unsatisfiable');
          assert.deepEqual(findWeakened(owed, today), [], domain);
          assert.ok(!today.isClear || earlier.isClear, `${domain} newly in clear`);
        }
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(unasked > 20, `only ${unasked} changes of which nobody was asked`);
});
