/** Why a connector was passed over, in words that agree with what its demands came to. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { address, outboundConnector, patterns, policy } from '../../test/support/policy.ts';
import { chooseOutbound } from './choose-outbound.ts';
import type { OutboundConnector } from './policy.ts';

const validated = { tlsSettings: 'CertificateValidation' } as const;
const exact = (name: string, part: Partial<OutboundConnector> = {}): OutboundConnector =>
  outboundConnector(name, { recipientDomains: patterns('partner.test'), ...validated, ...part });
const wide = (name: string, part: Partial<OutboundConnector> = {}): OutboundConnector =>
  outboundConnector(name, { recipientDomains: patterns('*'), ...validated, ...part });

/** Of mail for partner.test: `name: result reason` of each, and whose demands hold. */
function choose(...connectors: readonly OutboundConnector[]) {
  const value = policy({ outboundConnectors: connectors });
  const decision = chooseOutbound(value, 'org', address('x@partner.test'));
  return {
    said: decision.considered.map(
      ({ connector, result, reason }) => `${connector} ${result}: ${reason}`,
    ),
    holding: [...new Set(decision.requirement.clauses.map(({ origin }) => origin.name))],
  };
}

describe('a connector that another one wins over', () => {
  it('is said to hold where the winner only watches, and so it does', () => {
    for (const mode of ['observe', 'warn'] as const) {
      const { said, holding } = choose(exact('watch', { mode }), wide('all'));
      assert.deepEqual(holding, ['all']);
      assert.equal(
        said[1],
        'all lost: its recipient domains have *, but "watch" wins: it is more specific; what it demands holds all the same',
      );
    }
  });

  it('is not said to hold where the winner enforces, and neither does it', () => {
    const { said, holding } = choose(exact('first'), wide('all'));
    assert.deepEqual(holding, ['first']);
    assert.match(said[1]!, /"first" wins: it is more specific$/);
  });

  it('is not said to hold where it only watches itself, nor behind another that holds', () => {
    const { said, holding } = choose(
      exact('a watches', { mode: 'observe' }),
      exact('b watches', { mode: 'warn' }),
      exact('c holds'),
      wide('d'),
    );
    assert.deepEqual(holding, ['c holds']);
    assert.deepEqual(
      said.map((each) => / holds all the same/.test(each)),
      [false, false, true, false],
    );
  });

  it('is not said to hold where it demands nothing', () => {
    const { said, holding } = choose(
      exact('watch', { mode: 'observe' }),
      wide('all', { tlsSettings: null }),
    );
    assert.deepEqual(holding, []);
    assert.match(said[1]!, /it is more specific$/);
  });

  it('is said to hold behind the connector that takes all mail, and where a rule routes past it', () => {
    const route = { kind: 'smart-hosts', hosts: [{ host: 'hub.test', port: 25 }] } as const;
    const central = outboundConnector('central', { routeAllMessagesViaOnPremises: true, route });
    assert.match(choose(central, exact('bank')).said[1]!, /^bank lost: .*; what it demands holds/);
    const scan = outboundConnector('scan', { isTransportRuleScoped: true, route });
    const value = policy({ outboundConnectors: [scan, exact('bank')] });
    const routed = (overrides: readonly string[]): string => {
      const ruling = { connector: 'scan', rule: 'R', overrides, clauses: [] };
      const routing = { ruling, isFromOnPremises: false };
      const decision = chooseOutbound(value, 'org', address('x@partner.test'), routing);
      return decision.considered.map(({ reason }) => reason).join('\n');
    };
    assert.match(routed([]), /"scan"; what it demands holds all the same$/);
    assert.doesNotMatch(routed(['bank']), /holds all the same/);
  });

  it('is said to cover the domain also where a rule names one that is off, or none', () => {
    const route = { kind: 'smart-hosts', hosts: [{ host: 'hub.test', port: 25 }] } as const;
    const scan = outboundConnector('scan', { isTransportRuleScoped: true, enabled: false, route });
    for (const connectors of [[scan, exact('bank')], [exact('bank')]]) {
      const value = policy({ outboundConnectors: connectors });
      const ruling = { connector: 'scan', rule: 'R', overrides: [], clauses: [] };
      const routing = { ruling, isFromOnPremises: false };
      const { considered } = chooseOutbound(value, 'org', address('x@partner.test'), routing);
      assert.equal(
        considered.find(({ connector }) => connector === 'bank')?.reason,
        'it covers the domain, but the rule "R" routes to "scan"; what it demands holds all the same',
      );
    }
  });
});
