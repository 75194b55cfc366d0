/** Appendix vectors of Exchange's documents, and what lost and why. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
  address,
  noon,
  outboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { chooseOutbound } from './choose-outbound.ts';
import { mayGoClear } from './clear-text.ts';
import { findWeakened, raiseFloor, requirementOf } from './floor.ts';
import { planDeliveries } from './plan-deliveries.ts';
import type { OutboundConnector, Organization } from './policy.ts';
import type { Routing } from './routing.ts';
import { describeDemand, isForced, nothingRequired } from './tls-requirement.ts';

const hosts = { kind: 'smart-hosts', hosts: [{ host: 'hub.contoso.com', port: 25 }] } as const;
const relay = { type: 'internal-relay' } as const;
const exchange: Partial<Organization> = {
  acceptedDomains: [
    acceptedDomain('contoso.com', relay),
    acceptedDomain('sales.contoso.com', relay),
    acceptedDomain('fabrikam.com', relay),
    acceptedDomain('contoso.onmicrosoft.com', relay),
  ],
  mailboxes: [],
  outboundConnectors: [
    outboundConnector('C1', {
      connectorType: 'OnPremises',
      allAcceptedDomains: true,
      route: hosts,
    }),
    outboundConnector('C2', { recipientDomains: patterns('contoso.com'), route: hosts }),
    outboundConnector('C3', { recipientDomains: patterns('*.contoso.com'), route: hosts }),
    outboundConnector('C9', { isTransportRuleScoped: true, route: hosts }),
  ],
};

function chosen(
  part: Partial<Organization>,
  to: string,
  rule: string | null = null,
): string | null {
  return chooseOutbound(policy(part), 'org', address(to), routedTo(rule)).connector;
}

function routedTo(connector: string | null): Routing {
  const ruling = connector === null ? null : { connector, rule: 'R', overrides: [], clauses: [] };
  return { ruling, isFromOnPremises: false };
}

function withConnectors(...outboundConnectors: OutboundConnector[]): Partial<Organization> {
  return { outboundConnectors };
}

describe('outbound choice', () => {
  it("follows Exchange's worked example", () => {
    assert.equal(chosen(exchange, 'john@fabrikam.com'), 'C1');
    assert.equal(chosen(exchange, 'john@contoso.com'), 'C2');
    assert.equal(chosen(exchange, 'john@sales.contoso.com'), 'C3');
    assert.equal(chosen(exchange, 'user@gmail.com'), null);
    assert.equal(chosen(exchange, 'user@gmail.com', 'C9'), 'C9');
    assert.equal(chosen(exchange, 'john@contoso.com', 'C9'), 'C9');
  });

  it('prefers the longest wildcard, and `*` last', () => {
    const three = withConnectors(
      outboundConnector('any', { recipientDomains: patterns('*') }),
      outboundConnector('short', { recipientDomains: patterns('*.contoso.com') }),
      outboundConnector('long', { recipientDomains: patterns('*.marketing.contoso.com') }),
      outboundConnector('exact', { recipientDomains: patterns('marketing.contoso.com') }),
    );
    assert.equal(chosen(three, 'julia@marketing.contoso.com'), 'exact');
    assert.equal(chosen(three, 'julia@x.marketing.contoso.com'), 'long');
    assert.equal(chosen(three, 'julia@contoso.com'), 'short');
    assert.equal(chosen(three, 'julia@evilcontoso.com'), 'any');
  });

  it('puts all accepted domains before `*`, also on one connector', () => {
    const part = {
      acceptedDomains: [acceptedDomain('inside.test', relay)],
      mailboxes: [],
      outboundConnectors: [
        outboundConnector('a-any', { recipientDomains: patterns('*') }),
        outboundConnector('z-accepted', {
          allAcceptedDomains: true,
          recipientDomains: patterns('*'),
        }),
      ],
    };
    assert.equal(chosen(part, 'a@inside.test'), 'z-accepted');
    assert.equal(chosen(part, 'a@outside.test'), 'a-any');
  });

  it('breaks ties by name and says so', () => {
    const twins = withConnectors(
      outboundConnector('b', { recipientDomains: patterns('partner.test') }),
      outboundConnector('a', { recipientDomains: patterns('partner.test') }),
    );
    const decision = chooseOutbound(policy(twins), 'org', address('x@partner.test'));
    assert.equal(decision.connector, 'a');
    assert.match(decision.considered[1]!.reason, /"a" wins: its name sorts first/);
  });

  it('lists every connector that covers the domain once, with the reason why it lost', () => {
    const decision = chooseOutbound(policy(exchange), 'org', address('j@sales.contoso.com'));
    assert.deepEqual(
      decision.considered.map(({ connector, result }) => `${connector} ${result}`),
      ['C3 chosen', 'C1 lost'],
    );
    assert.ok(decision.considered.every(({ reason }) => reason.length > 5));
  });

  it('never uses a connector that is off', () => {
    const off = withConnectors(
      outboundConnector('off', { enabled: false, recipientDomains: patterns('partner.test') }),
    );
    assert.equal(chosen(off, 'x@partner.test'), null);
  });

  it('defers mail that a rule routes to a connector that is gone or off', () => {
    for (const rule of ['gone', 'off']) {
      const off = withConnectors(outboundConnector('off', { enabled: false }));
      const decision = chooseOutbound(
        policy(off),
        'org',
        address('x@partner.test'),
        routedTo(rule),
      );
      assert.equal(decision.requirement.clauses[0]?.kind, 'unsatisfiable');
    }
  });

  it('keeps mail for our mailboxes here and knows which recipients cannot exist', () => {
    const here = chooseOutbound(policy(), 'org', address('USER@example.test'));
    assert.equal(here.destination.kind, 'mailbox');
    const unknown = chooseOutbound(policy(), 'org', address('nobody@example.test'));
    assert.deepEqual(unknown.destination, {
      kind: 'none',
      reason: 'example.test is ours and has no such mailbox',
      isPermanent: true,
    });
  });

  it('never sends mail for an internal-relay domain by MX', () => {
    const part = { acceptedDomains: [acceptedDomain('inside.test', relay)], mailboxes: [] };
    const { destination } = chooseOutbound(policy(part), 'org', address('a@inside.test'));
    assert.equal(destination.kind, 'none');
    assert.equal(destination.isPermanent, false);
  });
});

const forcedConnector = outboundConnector('partner', {
  recipientDomains: patterns('partner.test'),
  tlsSettings: 'DomainValidation',
  tlsDomains: patterns('mx.partner.test'),
});

function requirementFor(connector: OutboundConnector | null) {
  const part = connector === null ? {} : withConnectors(connector);
  return chooseOutbound(policy(part), 'org', address('x@partner.test')).requirement;
}

describe('a connector that only watches', () => {
  const demanded = (...connectors: OutboundConnector[]) => {
    const decision = chooseOutbound(
      policy(withConnectors(...connectors)),
      'org',
      address('x@partner.test'),
    );
    const { connector, requirement, shadow } = decision;
    return { connector, requirement, shadow: shadow.map((each) => each.connector) };
  };
  const enforced = requirementFor(forcedConnector);

  it('takes nothing from one that enforces for the same domain, whichever name sorts first', () => {
    for (const name of ['a-new', 'z-new']) {
      for (const mode of ['observe', 'warn'] as const) {
        const watching = { ...forcedConnector, name, mode, tlsSettings: 'EncryptionOnly' } as const;
        const { requirement } = demanded(watching, forcedConnector);
        assert.deepEqual(requirement, enforced, `${name} ${mode}`);
      }
    }
  });

  it('takes nothing from one that enforces for a wider pattern', () => {
    const wide = { ...forcedConnector, name: 'wide', recipientDomains: patterns('*') };
    const watching = { ...forcedConnector, mode: 'observe' } as const;
    const { connector, requirement, shadow } = demanded(watching, wide);
    assert.equal(connector, 'partner');
    assert.deepEqual(shadow, ['partner']);
    assert.deepEqual(requirement.clauses.map(describeDemand), enforced.clauses.map(describeDemand));
    assert.ok(requirement.clauses.every(({ origin }) => origin.name === 'wide'));
  });

  it('lends the anchors of the demands to the way, so that they can be met', () => {
    const anchors = 'file:/partner.pem';
    const wide = { ...forcedConnector, name: 'wide', anchors, recipientDomains: patterns('*') };
    const watching = { ...forcedConnector, mode: 'observe' } as const;
    const value = policy(withConnectors(watching, wide));
    assert.equal(chooseOutbound(value, 'org', address('x@partner.test')).anchors, anchors);
  });

  it('binds nothing alone', () => {
    assert.deepEqual(
      demanded({ ...forcedConnector, mode: 'observe' }).requirement,
      nothingRequired,
    );
  });
});

describe('the floor', () => {
  const floor = requirementFor(forcedConnector).clauses;

  it('holds mail whose connector was deleted, turned off or loosened', () => {
    const loosened: (OutboundConnector | null)[] = [
      null,
      { ...forcedConnector, enabled: false },
      { ...forcedConnector, tlsSettings: null },
      { ...forcedConnector, tlsSettings: 'EncryptionOnly' },
      { ...forcedConnector, tlsSettings: 'CertificateValidation' },
      { ...forcedConnector, tlsDomains: patterns('mx.other.test') },
      { ...forcedConnector, tlsDomains: patterns('mx.partner.test', 'mx.other.test') },
      { ...forcedConnector, tlsDomains: patterns('*.partner.test') },
      { ...forcedConnector, anchors: 'file:/other.pem' },
    ];
    for (const connector of loosened) {
      const weakened = findWeakened(floor, requirementFor(connector));
      assert.ok(weakened.length > 0, JSON.stringify(connector));
    }
  });

  it('lets stricter policy act at once', () => {
    const stricter: OutboundConnector[] = [
      forcedConnector,
      { ...forcedConnector, name: 'renamed' },
      { ...forcedConnector, minVersion: 'TLSv1.3' },
      { ...forcedConnector, pins: ['key'] },
      { ...forcedConnector, tlsSettings: 'Pinned', pins: ['key'] },
    ];
    for (const connector of stricter) {
      assert.deepEqual(findWeakened(floor, requirementFor(connector)), [], connector.name);
    }
    const wide = requirementFor({ ...forcedConnector, tlsDomains: patterns('*.partner.test') });
    assert.deepEqual(findWeakened(wide.clauses, requirementFor(forcedConnector)), []);
  });

  it('holds nothing that was never forced', () => {
    assert.deepEqual(findWeakened([], nothingRequired), []);
  });

  it('rises with each attempt and keeps each demand once', () => {
    const raised = raiseFloor(floor, requirementFor({ ...forcedConnector, pins: ['key'] }).clauses);
    assert.equal(raised.length, floor.length + 1);
    assert.equal(raiseFloor(raised, floor), raised);
  });

  it('does not keep a broken policy beside its sound clauses, so that mending it frees the mail', () => {
    const hosts = { kind: 'smart-hosts', hosts: [{ host: 'mx.partner.test', port: 25 }] } as const;
    const broken = requirementFor({ ...forcedConnector, route: hosts, tlsDomains: [] });
    assert.ok(broken.clauses.some(({ kind }) => kind === 'unsatisfiable'));
    const kept = raiseFloor([], broken.clauses);
    assert.deepEqual(findWeakened(kept, requirementFor(forcedConnector)), []);
    assert.ok(findWeakened(kept, requirementFor(null)).length > 0);
  });

  it('lets mail go whose rule named a connector that is on again', () => {
    const named = (enabled: boolean) => {
      const part = withConnectors({ ...forcedConnector, recipientDomains: [], enabled });
      return chooseOutbound(policy(part), 'org', address('x@else.test'), routedTo('partner'))
        .requirement;
    };
    const off = named(false);
    assert.equal(off.clauses[0]?.kind, 'unsatisfiable');
    assert.deepEqual(findWeakened(raiseFloor([], off.clauses), named(true)), []);
    const raised = raiseFloor(floor, off.clauses);
    assert.deepEqual(raised, floor);
  });

  it('lowers a pin set only with a hold', () => {
    const pinned = { ...forcedConnector, tlsSettings: 'Pinned', pins: ['a', 'b'] } as const;
    const before = requirementFor(pinned).clauses;
    assert.deepEqual(findWeakened(before, requirementFor({ ...pinned, pins: ['a'] })), []);
    assert.ok(findWeakened(before, requirementFor({ ...pinned, pins: ['a', 'c'] })).length > 0);
    assert.ok(findWeakened(before, requirementFor(forcedConnector)).length > 0);
  });

  it('joins what the message itself brought, so that a DSN about forced mail stays encrypted', () => {
    const brought = { kind: 'encrypted', origin: { kind: 'dsn', name: 'ID' } } as const;
    const decision = chooseOutbound(policy(), 'org', address('x@elsewhere.test'));
    const requirement = requirementOf(decision, [brought]);
    assert.ok(isForced(requirement));
    assert.deepEqual(findWeakened([brought], requirement), []);
  });
});

describe('planning deliveries', () => {
  it('keeps recipients of one next hop together, each with the floor of its connector', () => {
    const to = ['a@partner.test', 'user@example.test', 'b@partner.test', 'c@else.test'];
    const plan = planDeliveries(policy({ outboundConnectors: [forcedConnector] }), {
      organization: 'org',
      recipients: to.map(address),
      clauses: [],
      source: { kind: 'submission', account: 'user' },
      evidence: null,
    });
    assert.deepEqual(
      plan.map((part) => [part.recipients.length, part.floor.map(describeDemand).length]),
      [
        [2, 4],
        [1, 0],
        [1, 0],
      ],
    );
  });
});

describe('clear text after failed TLS', () => {
  const on = { clearTextAfterFailedTls: true };
  const decision = chooseOutbound(
    policy({ defaultConnector: on }),
    'org',
    address('x@elsewhere.test'),
  );
  const apart = [noon, noon + 15 * 60_000];

  it('needs the setting, no clause, no floor, and two failures 15 minutes apart', () => {
    assert.ok(mayGoClear(decision, nothingRequired, [], apart) !== null);
    const off = { ...decision, clearTextAfterFailedTls: false };
    assert.equal(mayGoClear(off, nothingRequired, [], apart), null);
    const clause = { kind: 'encrypted', origin: { kind: 'connector', name: 'c' } } as const;
    assert.equal(mayGoClear(decision, { clauses: [clause] }, [], apart), null);
    assert.equal(mayGoClear(decision, nothingRequired, [clause], apart), null);
    assert.equal(mayGoClear(decision, nothingRequired, [], [noon]), null);
    assert.equal(mayGoClear(decision, nothingRequired, [], [noon, noon + 14 * 60_000]), null);
  });
});

it('states no domain to the other side that the organization only claims', () => {
  const hybrid = outboundConnector('hybrid', {
    connectorType: 'OnPremises',
    recipientDomains: patterns('contoso.com'),
    route: hosts,
    cloudServicesMailEnabled: true,
  });
  const claimed = acceptedDomain('bank.test', { isProven: false });
  const statedWith = (...acceptedDomains: Organization['acceptedDomains']): string | null => {
    const value = policy({ acceptedDomains, mailboxes: [], outboundConnectors: [hybrid] });
    return chooseOutbound(value, 'org', address('x@contoso.com')).originatorOrg;
  };
  assert.equal(statedWith(claimed, acceptedDomain('contoso.com', relay)), 'contoso.com');
  assert.equal(statedWith(claimed), null);
});
