/** Aliases when a message is planned: who gets it, under which clauses, and what is told of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  acceptedDomain,
  address,
  clearSession,
  outboundConnector,
  patterns,
  policy,
  serverEvidence,
} from '../../test/support/policy.ts';
import { formatAddress } from '../mail/address.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { ExpandableMessage } from './expand-recipients.ts';
import { expandRecipients } from './expand-recipients.ts';
import { requirementOf } from './floor.ts';
import { chooseOutbound } from './choose-outbound.ts';
import { planDeliveries, routeKeyFor } from './plan-deliveries.ts';
import type { Alias, Organization, Policy } from './policy.ts';

const alias = (from: string, ...to: string[]): Alias => ({
  address: address(from),
  to: to.map(address),
});

function withAliases(aliases: readonly Alias[], part: Partial<Organization> = {}): Policy {
  return policy({
    mailboxes: [
      { account: 'user', addresses: [address('user@example.test')] },
      { account: 'bob', addresses: [address('bob@example.test')] },
    ],
    aliases,
    ...part,
  });
}

function message(
  to: readonly Recipient[],
  part: Partial<ExpandableMessage> = {},
): ExpandableMessage {
  return {
    organization: 'org',
    recipients: to,
    clauses: [],
    source: { kind: 'mx', inboundConnectors: [] },
    evidence: clearSession(),
    ...part,
  };
}

function finalsOf(value: Policy, ...to: string[]): string[] {
  const recipients = expandRecipients(value, message(to.map(address)));
  return recipients.map(({ recipient }) => formatAddress(recipient));
}

describe('expanding aliases', () => {
  it('leaves messages without aliases as they are', () => {
    const to = [address('user@example.test'), address('x@else.test')];
    const recipients = expandRecipients(withAliases([]), message(to));
    assert.ok(recipients.every(({ recipient }, i) => recipient === to[i]));
  });

  it('follows aliases of aliases, ignores case, and names each address once', () => {
    const value = withAliases([
      alias('all@example.test', 'Team@example.test', 'user@example.test'),
      alias('team@example.test', 'bob@example.test', 'USER@example.test', 'x@else.test'),
    ]);
    const found = finalsOf(value, 'ALL@example.test', 'team@example.test');
    assert.deepEqual(found, ['user@example.test', 'bob@example.test', 'x@else.test']);
  });

  it('keeps the case of local-parts elsewhere', () => {
    const value = withAliases([alias('team@example.test', 'X@else.test', 'x@else.test')]);
    assert.deepEqual(finalsOf(value, 'team@example.test'), ['X@else.test', 'x@else.test']);
  });

  it('prefers who was named directly, with what was asked for it', () => {
    const value = withAliases([
      alias('team@example.test', 'bob@example.test', 'user@example.test'),
    ]);
    const named = { ...address('bob@example.test'), notify: ['success'] as const };
    const recipients = expandRecipients(value, message([address('team@example.test'), named]));
    assert.deepEqual(
      recipients.map(({ recipient }) => [recipient.localPart, recipient.aliasedFrom?.localPart]),
      [
        ['bob', undefined],
        ['user', 'team'],
      ],
    );
    assert.equal(recipients[0]!.recipient, named);
  });

  it('keeps two spellings that were both named: each has an outcome of its own', () => {
    const value = withAliases([alias('team@example.test', 'user@example.test')]);
    const found = finalsOf(value, 'user@example.test', 'User@example.test', 'team@example.test');
    assert.deepEqual(found, ['user@example.test', 'User@example.test']);
  });

  it('ends circles, and loses nobody in them', () => {
    const circle = withAliases([
      alias('a@example.test', 'b@example.test'),
      alias('b@example.test', 'a@example.test'),
      alias('c@example.test', 'c@example.test', 'user@example.test'),
    ]);
    assert.deepEqual(finalsOf(circle, 'a@example.test'), ['a@example.test']);
    assert.deepEqual(finalsOf(circle, 'c@example.test'), ['user@example.test']);
  });

  it('ends after ten steps: what is left is tried as it stands', () => {
    const chain = Array.from({ length: 40 }, (_, i) =>
      alias(`a${i}@example.test`, `a${i + 1}@example.test`),
    );
    assert.deepEqual(finalsOf(withAliases(chain), 'a0@example.test'), ['a10@example.test']);
  });

  it('does not expand what was expanded before', () => {
    const value = withAliases([alias('team@example.test', 'x@else.test')]);
    const before = { ...address('team@example.test'), aliasedFrom: address('old@example.test') };
    const recipients = expandRecipients(value, message([before]));
    assert.deepEqual(recipients, [{ recipient: before, clauses: [] }]);
    assert.equal(routeKeyFor(value, message([before]), address('x@else.test')), 'mx org else.test');
  });

  it('leaves aliases of another organization to their own server', () => {
    const value = withAliases([alias('team@example.test', 'x@else.test')]);
    const foreign = message([address('team@example.test')], { organization: 'another' });
    assert.equal(expandRecipients(value, foreign)[0]!.recipient.localPart, 'team');
  });

  it('never loses a recipient, whatever the aliases are', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'user', 'bob', 'nobody');
    const place = fc.constantFrom('example.test', 'else.test');
    const any = fc.tuple(name, place).map(([local, domain]) => `${local}@${domain}`);
    const graph = fc.array(fc.tuple(name, fc.array(any, { minLength: 1, maxLength: 4 })));
    fc.assert(
      fc.property(graph, fc.array(any, { minLength: 1, maxLength: 4 }), (edges, to) => {
        const aliases = edges.map(([from, targets]) => alias(`${from}@example.test`, ...targets));
        const value = withAliases(aliases, { mailboxes: [] });
        const found = finalsOf(value, ...to);
        assert.ok(found.length > 0);
        for (const each of to) assert.ok(finalsOf(value, each).every((one) => found.includes(one)));
      }),
    );
  });
});

describe('aliases out of our domains', () => {
  const value = withAliases([alias('team@example.test', 'x@else.test', 'user@example.test')], {
    outboundConnectors: [
      outboundConnector('forced', {
        recipientDomains: patterns('forced.test'),
        tlsSettings: 'EncryptionOnly',
      }),
    ],
  });
  const to = [address('team@example.test'), address('y@else.test')];
  const floors = (part: Partial<ExpandableMessage>) =>
    planDeliveries(value, message(to, part)).map(({ routeKey, recipients, floor }) => [
      routeKey,
      recipients.map(({ localPart }) => localPart).join(),
      floor.map(({ kind, origin }) => `${kind} ${origin.kind} ${origin.name}`).join(),
    ]);

  it('keep mail encrypted that came encrypted, and bind nobody else', () => {
    const evidence = serverEvidence();
    assert.deepEqual(floors({ evidence }), [
      ['mx org else.test', 'y', ''],
      ['mx org else.test', 'x', 'encrypted alias team@example.test'],
      ['mailbox', 'user', ''],
    ]);
    const decision = chooseOutbound(value, 'org', address('x@else.test'));
    const { floor } = planDeliveries(value, message(to, { evidence }))[1]!;
    assert.equal(requirementOf(decision, floor).clauses[0]?.kind, 'encrypted');
  });

  it('lead to one delivery for one domain, however many they are', () => {
    const many = Array.from({ length: 20 }, (_, i) =>
      alias(`a${i}@example.test`, `b${i}@far.test`, `both@far.test`),
    );
    const named = many.map(({ address: from }) => from);
    const evidence = serverEvidence();
    const plans = planDeliveries(withAliases(many), {
      ...message([]),
      recipients: named,
      evidence,
    });
    assert.deepEqual(
      plans.map(({ recipients, floor }) => [recipients.length, floor[0]?.kind]),
      [[21, 'encrypted']],
    );
  });

  it('demand nothing of mail that came in clear', () => {
    assert.deepEqual(floors({}), [
      ['mx org else.test', 'y,x', ''],
      ['mailbox', 'user', ''],
    ]);
  });

  it('keep what came through the socket of the API, and leave DSNs their own clauses', () => {
    const api = { evidence: null, source: { kind: 'submission', account: 'x' } } as const;
    assert.equal(floors(api)[1]![2], 'encrypted alias team@example.test');
    const dsn = { evidence: null, source: { kind: 'dsn', about: 'ID' } } as const;
    assert.equal(floors(dsn).length, 2);
    const encrypted = { kind: 'encrypted', origin: { kind: 'dsn', name: 'ID' } } as const;
    assert.deepEqual(
      floors({ ...dsn, clauses: [encrypted] }).map(([, , floor]) => floor),
      ['encrypted dsn ID', 'encrypted dsn ID'],
    );
  });

  it('join the clause with a direct recipient of the same address', () => {
    const both = [address('x@else.test'), address('team@example.test')];
    const plans = planDeliveries(value, message(both, { evidence: serverEvidence() }));
    const plan = plans.find(({ routeKey }) => routeKey === 'mx org else.test')!;
    assert.deepEqual([plan.recipients.length, plan.floor.length], [1, 1]);
  });
});

describe('what is told of aliases', () => {
  const one = withAliases([alias('one@example.test', 'user@example.test')]);
  const two = withAliases([alias('two@example.test', 'user@example.test', 'x@else.test')]);
  const ask = (value: Policy, to: string, part: Partial<Recipient>) =>
    expandRecipients(value, message([{ ...address(to), ...part }]));

  it('passes on what was asked, with the alias as original recipient', () => {
    const recipients = ask(one, 'one@example.test', { notify: ['success', 'delay'] });
    assert.deepEqual(recipients[0]!.recipient, {
      ...address('user@example.test'),
      notify: ['success', 'delay'],
      originalRecipient: { type: 'rfc822', text: 'one@example.test' },
      aliasedFrom: address('one@example.test'),
    });
  });

  it('leaves an original recipient that the sender gave', () => {
    const originalRecipient = { type: 'rfc822', text: 'first@else.test' };
    const recipients = ask(one, 'one@example.test', { originalRecipient });
    assert.equal(recipients[0]!.recipient.originalRecipient, originalRecipient);
    assert.ok(!('notify' in recipients[0]!.recipient));
  });

  it('promises success of nobody where one became several', () => {
    const named = { notify: ['success', 'failure'] } as const;
    const recipients = ask(two, 'two@example.test', named);
    assert.deepEqual(
      recipients.map(({ recipient }) => recipient.notify),
      [['failure'], ['failure']],
    );
    const never = ask(two, 'two@example.test', { notify: ['success'] });
    assert.deepEqual(never[0]!.recipient.notify, []);
  });
});

describe('catch-all and postmaster', () => {
  it('lead to the address that takes them', () => {
    const value = withAliases([], {
      acceptedDomains: [acceptedDomain('example.test', { catchAll: address('bob@example.test') })],
    });
    assert.deepEqual(finalsOf(value, 'whoever@example.test'), ['bob@example.test']);
    assert.deepEqual(finalsOf(value, 'Postmaster@example.test'), ['user@example.test']);
    const recipients = expandRecipients(value, message([address('whoever@example.test')]));
    assert.equal(recipients[0]!.recipient.aliasedFrom?.localPart, 'whoever');
  });
});
