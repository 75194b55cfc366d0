/** Ways that are not of the recipient's domain: rules, centralized transport, and inside this gateway. */
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
import type { OutboundDecision } from './decision.ts';
import { findWeakened, raiseFloor, requirementOf } from './floor.ts';
import type { Organization, OutboundConnector, Policy } from './policy.ts';
import { routeKeyFor } from './plan-deliveries.ts';
import type { Routing } from './routing.ts';
import { routingOf } from './routing.ts';
import type { Ruling } from './rules/ruling.ts';
import { textOf } from './tls-requirement.ts';

const hosts = { kind: 'smart-hosts', hosts: [{ host: 'filter.test', port: 25 }] } as const;
const forced = outboundConnector('forced', {
  recipientDomains: patterns('partner.test'),
  tlsSettings: 'DomainValidation',
  tlsDomains: patterns('mx.partner.test'),
});
const addOn = outboundConnector('add-on', { isTransportRuleScoped: true, route: hosts });

function ruledTo(connector: string, part: Partial<Ruling> = {}): Routing {
  const ruling = { connector, rule: 'R', overrides: [], clauses: [], ...part };
  return { ruling, isFromOnPremises: false };
}

function choose(
  connectors: readonly OutboundConnector[],
  to: string,
  routing?: Routing,
): OutboundDecision {
  const value = policy({ outboundConnectors: connectors });
  return chooseOutbound(value, 'org', address(to), routing);
}

function demandsOf({ requirement }: Pick<OutboundDecision, 'requirement'>): string[] {
  return requirement.clauses.map(({ kind, origin }) => `${kind} of ${origin.name}`);
}

const ofForced = ['encrypted', 'min-version', 'trust-anchors', 'name'].map((k) => `${k} of forced`);

describe('a rule that routes', () => {
  it('keeps the clauses of the connector that it takes mail past', () => {
    const decision = choose([forced, addOn], 'x@partner.test', ruledTo('add-on'));
    assert.equal(decision.connector, 'add-on');
    assert.deepEqual(decision.destination, hosts);
    assert.deepEqual(demandsOf(decision), ofForced);
  });

  it('drops them only where it says so by name', () => {
    const named = ruledTo('add-on', { overrides: ['forced'] });
    assert.deepEqual(demandsOf(choose([forced, addOn], 'x@partner.test', named)), []);
    const other = ruledTo('add-on', { overrides: ['another'] });
    assert.deepEqual(demandsOf(choose([forced, addOn], 'x@partner.test', other)), ofForced);
  });

  it('never sends in clear after failed TLS past a connector that forces it', () => {
    const lax = { ...addOn, clearTextAfterFailedTls: true };
    const decision = choose([forced, lax], 'x@partner.test', ruledTo('add-on'));
    assert.equal(decision.clearTextAfterFailedTls, false);
  });

  it('leads nowhere while its connector is off, and mail waits', () => {
    const off = { ...addOn, enabled: false };
    const decision = choose([forced, off], 'x@partner.test', ruledTo('add-on'));
    assert.deepEqual(demandsOf(decision), ['unsatisfiable of R', ...ofForced]);
  });

  it('holds mail of that time to what was demanded then, however the connector comes back', () => {
    const scan = { ...addOn, tlsSettings: 'EncryptionOnly' } as const;
    const off = [forced, { ...scan, enabled: false }];
    const floor = raiseFloor(
      [],
      choose(off, 'x@partner.test', ruledTo('add-on')).requirement.clauses,
    );
    const ofScan = ['encrypted of add-on', 'min-version of add-on'];
    assert.deepEqual(demandsOf({ requirement: { clauses: floor } }), [...ofScan, ...ofForced]);
    const lax = [{ ...forced, enabled: false }, addOn];
    const later = choose(lax, 'x@partner.test', ruledTo('add-on'));
    assert.deepEqual(
      findWeakened(floor, requirementOf(later, floor)).map(textOf),
      floor.map(textOf),
    );
    const mended = choose([forced, scan], 'x@partner.test', ruledTo('add-on'));
    assert.deepEqual(findWeakened(floor, requirementOf(mended, floor)), []);
  });

  it('keeps what the domain demands also where its connector does not exist', () => {
    const decision = choose([forced], 'x@partner.test', ruledTo('add-on'));
    assert.deepEqual(demandsOf(decision), ['unsatisfiable of R', ...ofForced]);
    const named = ruledTo('add-on', { overrides: ['forced'] });
    assert.deepEqual(demandsOf(choose([forced], 'x@partner.test', named)), ['unsatisfiable of R']);
  });

  it('leaves mailboxes here where they are', () => {
    const decision = choose([addOn], 'user@example.test', ruledTo('add-on'));
    assert.equal(decision.destination.kind, 'mailbox');
  });
});

describe('a rule that requires TLS', () => {
  it('binds whatever connector is chosen, and does not lose its clause when policy changes', () => {
    const origin = { kind: 'rule', name: 'R' } as const;
    const clause = { kind: 'encrypted', origin } as const;
    const decision = choose([], 'x@else.test');
    assert.deepEqual(requirementOf(decision, [clause]).clauses, [clause]);
  });
});

describe('centralized mail transport', () => {
  const central = outboundConnector('central', {
    connectorType: 'OnPremises',
    routeAllMessagesViaOnPremises: true,
    route: hosts,
  });

  it('takes all mail to the outside, with the clauses of the recipient domain’s connector', () => {
    assert.equal(choose([central], 'x@else.test').connector, 'central');
    const decision = choose([forced, central], 'x@partner.test');
    assert.equal(decision.connector, 'central');
    assert.deepEqual(demandsOf(decision), ofForced);
    assert.match(decision.considered[1]!.reason, /"central" takes all mail to the outside/);
  });

  it('takes no mail back that came from there, and none for our own domains', () => {
    const source = { kind: 'mx', inboundConnectors: [], ownServer: 'own' } as const;
    assert.equal(choose([central], 'x@else.test', routingOf({ source })).connector, null);
    assert.equal(choose([central], 'user@example.test').destination.kind, 'mailbox');
  });

  it('gives way to a rule', () => {
    assert.equal(choose([central, addOn], 'x@else.test', ruledTo('add-on')).connector, 'add-on');
  });
});

describe('modes other than enforce', () => {
  it('keep the route, demand nothing, and say what they would demand', () => {
    for (const mode of ['warn', 'observe'] as const) {
      const decision = choose([{ ...forced, mode, route: hosts }], 'x@partner.test');
      assert.equal(decision.connector, 'forced');
      assert.deepEqual(decision.destination, hosts);
      assert.deepEqual(demandsOf(decision), []);
      assert.deepEqual(
        decision.shadow.map(({ connector, requirement }) => [
          connector,
          requirement.clauses.length,
        ]),
        [['forced', 4]],
      );
      assert.equal(decision.clearTextAfterFailedTls, false);
    }
  });
});

describe('organizations of this gateway', () => {
  const other = organization({
    id: 'other',
    acceptedDomains: [acceptedDomain('other.test')],
    mailboxes: [{ account: 'o', addresses: [address('o@other.test')] }],
  });

  function both(part: Partial<Organization> = {}, theirs: Partial<Organization> = {}): Policy {
    const value = policy(part);
    return { ...value, organizations: [...value.organizations, { ...other, ...theirs }] };
  }

  function choosing(part: Partial<Organization>, theirs?: Partial<Organization>) {
    return chooseOutbound(both(part, theirs), 'org', address('o@other.test'));
  }

  it("hand over inside, never into the other's mailbox directly", () => {
    const decision = choosing({});
    assert.deepEqual(decision.destination, { kind: 'organization', organization: 'other' });
    const source = { kind: 'submission', account: 'user' } as const;
    const key = routeKeyFor(both(), { organization: 'org', source }, address('o@other.test'));
    assert.equal(key, 'organization org other');
  });

  it('a connector by MX leads inside under its clauses, a smart host is never short-cut', () => {
    const byMx = outboundConnector('c', {
      recipientDomains: patterns('other.test'),
      tlsSettings: 'CertificateValidation',
    });
    const inside = choosing({ outboundConnectors: [byMx] });
    assert.equal(inside.destination.kind, 'organization');
    assert.deepEqual(demandsOf(inside), [
      'encrypted of c',
      'min-version of c',
      'trust-anchors of c',
    ]);
    const smart = choosing({ outboundConnectors: [{ ...byMx, route: hosts }] });
    assert.deepEqual(smart.destination, hosts);
  });

  it('an outbound connector that trusts the organization needs no certificate of it inside', () => {
    const trusting = outboundConnector('c', {
      recipientDomains: patterns('other.test'),
      tlsSettings: 'DomainValidation',
      trustedOrganizations: ['other'],
    });
    assert.deepEqual(demandsOf(choosing({ outboundConnectors: [trusting] })), [
      'encrypted of c',
      'min-version of c',
    ]);
    // On a network the certificate is needed as ever.
    const elsewhere = chooseOutbound(
      both({ outboundConnectors: [{ ...trusting, route: hosts, tlsDomains: patterns('x.test') }] }),
      'org',
      address('o@other.test'),
    );
    assert.ok(demandsOf(elsewhere).includes('name of c'));
  });

  it('a domain that its organization has not proved is a stranger’s', () => {
    const acceptedDomains = [acceptedDomain('other.test', { isProven: false })];
    assert.equal(choosing({}, { acceptedDomains }).destination.kind, 'mx');
  });

  it("an unknown recipient of the other organization is the other's to refuse", () => {
    const decision = chooseOutbound(both(), 'org', address('nobody@other.test'));
    assert.equal(decision.destination.kind, 'organization');
  });
});
