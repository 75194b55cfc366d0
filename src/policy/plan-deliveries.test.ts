/** The floor of each recipient is its own, whoever else shares its next hop. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
  address,
  organization,
  outboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { chooseOutbound } from './choose-outbound.ts';
import { findWeakened } from './floor.ts';
import { planDeliveries } from './plan-deliveries.ts';
import type { Organization, OutboundConnector, Policy } from './policy.ts';
import { routingOf } from './routing.ts';
import type { Ruling } from './rules/ruling.ts';
import { keyOf } from './tls-requirement.ts';

const route = { kind: 'smart-hosts', hosts: [{ host: 'hub.test', port: 25 }] } as const;
const bank = outboundConnector('bank', {
  recipientDomains: patterns('bank.test'),
  tlsSettings: 'EncryptionOnly',
});

function ofConnectors(...outboundConnectors: OutboundConnector[]): Policy {
  return policy({ outboundConnectors });
}

function withNeighbour(own: Partial<Organization>): Policy {
  const acceptedDomains = ['bank.test', 'other.test'].map((domain) => acceptedDomain(domain));
  const neighbour = organization({ id: 'neighbour', acceptedDomains, mailboxes: [] });
  return { ...policy(), organizations: [organization(own), neighbour] };
}

const ways: readonly (readonly [string, Policy, Ruling | null])[] = [
  [
    'behind a connector that takes all mail',
    ofConnectors(
      bank,
      outboundConnector('central', {
        connectorType: 'OnPremises',
        routeAllMessagesViaOnPremises: true,
        route,
      }),
    ),
    null,
  ],
  [
    'where a rule routes',
    ofConnectors(bank, outboundConnector('scan', { isTransportRuleScoped: true, route })),
    { connector: 'scan', rule: 'R', overrides: [], clauses: [] },
  ],
  [
    'where a rule names a connector that is off',
    ofConnectors(
      bank,
      outboundConnector('scan', { isTransportRuleScoped: true, enabled: false, route }),
    ),
    { connector: 'scan', rule: 'R', overrides: [], clauses: [] },
  ],
  [
    'behind a connector that only watches',
    ofConnectors(
      outboundConnector('watch', {
        mode: 'observe',
        recipientDomains: patterns('bank.test', 'other.test'),
        route,
        tlsSettings: 'EncryptionOnly',
      }),
      { ...bank, recipientDomains: patterns('*.bank.test') },
    ),
    null,
  ],
  ['inside', withNeighbour({ outboundConnectors: [bank] }), null],
];

describe('each recipient keeps what its own domain demands, and no more', () => {
  for (const [way, value, ruling] of ways) {
    for (const to of [
      ['a@bank.test', 'b@other.test'],
      ['b@other.test', 'a@bank.test'],
    ]) {
      it(`${way}, ${to.join(' first, then ')}`, () => {
        const message = {
          organization: 'org',
          recipients: to.map((text) => address(text)),
          clauses: [],
          source: { kind: 'submission', account: 'user' },
          evidence: null,
          ...(ruling === null ? {} : { ruling }),
        } as const;
        const floors = new Map<string, string[]>();
        for (const { recipients, floor } of planDeliveries(value, message)) {
          for (const recipient of recipients) {
            floors.set(recipient.domain, floor.map(keyOf));
            const today = chooseOutbound(value, 'org', recipient, routingOf(message)).requirement;
            assert.deepEqual(findWeakened(floor, today), []);
          }
        }
        assert.ok(floors.get('bank.test')!.includes('encrypted'));
        assert.deepEqual(floors.get('other.test'), []);
      });
    }
  }
});
