/** Who exists: names, extensions, postmaster, and the rule of each domain. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
  address,
  clearSession,
  deliveryTarget,
  inboundConnector,
  noon,
  policy,
} from '../../test/support/policy.ts';
import { chooseOutbound } from './choose-outbound.ts';
import { findMailbox } from './directory.ts';
import { findRecipient } from './find-recipient.ts';
import type { InboundSession } from './judge-recipient.ts';
import { judgeRecipient, refuseUnverified } from './judge-recipient.ts';
import type { AcceptedDomain, Organization } from './policy.ts';

const kept = { deliveryTarget: 'store' } as const;

function organizationWith(part: Partial<AcceptedDomain>, more: Partial<Organization> = {}) {
  return policy({
    acceptedDomains: [acceptedDomain('example.test', part)],
    deliveryTargets: [deliveryTarget('store')],
    ...more,
  });
}

function found(to: string, part: Partial<AcceptedDomain> = {}, more: Partial<Organization> = {}) {
  const result = findRecipient(organizationWith(part, more), address(to));
  if (result.kind === 'alias') return `${result.via} ${result.to[0]!.localPart}`;
  return result.kind === 'elsewhere' ? `elsewhere ${result.existence}` : result.kind;
}

describe('recipients', () => {
  it('are by the rule of the domain what they are not by name', () => {
    const list = { kind: 'list', localParts: ['ann'] } as const;
    assert.equal(found('user@example.test'), 'mailbox');
    assert.equal(found('ann@example.test'), 'unknown');
    assert.equal(found('ANN@example.test', { ...kept, recipients: list }), 'elsewhere listed');
    assert.equal(found('bob@example.test', { ...kept, recipients: list }), 'unknown');
    assert.equal(
      found('bob@example.test', { ...kept, recipients: { kind: 'verify' } }),
      'elsewhere verify',
    );
    assert.equal(
      found('bob@example.test', { ...kept, recipients: { kind: 'any' } }),
      'elsewhere any',
    );
    assert.equal(found('bob@else.test'), 'foreign');
  });

  it('go to a catch-all where they are unknown, listed ones do not', () => {
    const part = {
      ...kept,
      recipients: { kind: 'list', localParts: ['ann'] },
      catchAll: address('user@example.test'),
    } as const;
    assert.equal(found('bob@example.test', part), 'catch-all user');
    assert.equal(found('ann@example.test', part), 'elsewhere listed');
  });

  it('have extensions, but the whole name comes first, and nothing before it is no name', () => {
    const more: Partial<Organization> = {
      addressExtension: '+',
      aliases: [
        { address: address('team@example.test'), to: [address('user@example.test')] },
        { address: address('user+x@example.test'), to: [address('x@else.test')] },
      ],
    };
    assert.equal(found('user+news@example.test', {}, more), 'mailbox');
    assert.equal(found('User+a+b@example.test', {}, more), 'mailbox');
    assert.equal(found('team+news@example.test', {}, more), 'alias user');
    assert.equal(found('user+x@example.test', {}, more), 'alias x');
    assert.equal(found('+user@example.test', {}, more), 'unknown');
    assert.equal(found('user-news@example.test', {}, more), 'unknown');
    assert.equal(found('user+news@example.test'), 'unknown');
    const list = { ...kept, recipients: { kind: 'list', localParts: ['ann', 'user+z'] } } as const;
    assert.equal(found('ann+news@example.test', list, more), 'elsewhere listed');
    const value = organizationWith(list, more);
    assert.equal(findMailbox(value, address('user+news@example.test'))?.mailbox.account, 'user');
    assert.equal(findMailbox(value, address('user+x@example.test')), null);
    // What RCPT found is what delivery finds: the listed name, not the mailbox without its extension.
    assert.equal(found('user+z@example.test', list, more), 'elsewhere listed');
    const decision = chooseOutbound(value, 'org', address('user+z@example.test'));
    assert.equal(decision.destination.kind, 'hand-over');
  });

  it('are found among a hundred thousand without a search', () => {
    const localParts = Array.from({ length: 100_000 }, (_, i) => `user${i}`);
    const value = organizationWith({ ...kept, recipients: { kind: 'list', localParts } });
    findRecipient(value, address('user0@example.test'));
    const before = process.cpuUsage();
    for (let i = 0; i < 10_000; i++) {
      const to = { localPart: `USER${99_999 - i}`, domain: 'example.test' };
      assert.equal(findRecipient(value, to).kind, 'elsewhere');
    }
    assert.ok(process.cpuUsage(before).user < 2_000_000);
  });
});

describe('postmaster', () => {
  it('is the mailbox or alias of that name, else the first mailbox', () => {
    const aliases = [
      { address: address('postmaster@example.test'), to: [address('ops@else.test')] },
    ];
    assert.equal(found('PostMaster@example.test'), 'postmaster user');
    assert.equal(found('postmaster@example.test', {}, { aliases }), 'alias ops');
    const mailboxes = [{ account: 'p', addresses: [address('postmaster@example.test')] }];
    assert.equal(found('postmaster@example.test', {}, { mailboxes }), 'mailbox');
  });

  it('is without mailboxes the catch-all, or the server of the domain, unasked', () => {
    const none = { mailboxes: [] };
    const to = 'postmaster@example.test';
    assert.equal(found(to, { catchAll: address('a@example.test') }, none), 'postmaster a');
    assert.equal(
      found(to, { ...kept, recipients: { kind: 'verify' } }, none),
      'elsewhere postmaster',
    );
    assert.equal(found(to, {}, none), 'unknown');
  });
});

const clock = { nowMs: noon, firstRefusedAtMs: () => null };
const session: InboundSession = {
  listener: 'mx',
  clientAddress: '203.0.113.9',
  heloName: 'mail.sender.test',
  evidence: clearSession(),
  account: null,
  reversePath: address('a@sender.test'),
};

describe('at RCPT', () => {
  const ask = { ...kept, recipients: { kind: 'verify' } } as const;
  const judge = (to: string, more: Partial<Organization>, part: Partial<InboundSession> = {}) =>
    judgeRecipient(organizationWith(ask, more), { ...session, ...part }, address(to), clock);

  it('asks about the recipient only once the connectors are met', () => {
    const accepted = judge('ann@example.test', {});
    assert.ok(accepted.kind === 'accept' && accepted.mustVerify);
    const locked = { inboundConnectors: [inboundConnector('locked', { requireTls: true })] };
    for (const to of ['ann@example.test', 'user@example.test', 'postmaster@example.test']) {
      const refused = judge(to, locked);
      assert.ok(refused.kind === 'refuse' && refused.reply.code === 454, to);
    }
  });

  it('holds for signed-in accounts too', () => {
    const account = { listener: 'submission', account: { organization: 'org', account: 'user' } };
    const signedIn = account as Partial<InboundSession>;
    const asked = judge('ann@example.test', {}, signedIn);
    assert.ok(asked.kind === 'accept' && asked.mustVerify);
    const own = judgeRecipient(
      organizationWith({}),
      { ...session, ...signedIn },
      address('ann@example.test'),
      clock,
    );
    assert.ok(own.kind === 'refuse' && own.reply.code === 550);
    const away = judge('x@else.test', {}, signedIn);
    assert.ok(away.kind === 'accept' && !away.mustVerify);
  });

  it('passes on what the server said, made harmless, and no trouble of ours with it', () => {
    const reply = { code: 550, status: null, lines: ['x'] };
    const reason = 'no such\r\nuser \u001b[31m';
    const to = address('ann@example.test');
    const unknown = refuseUnverified(to, { kind: 'unknown', reply, reason });
    assert.equal(unknown.reply.code, 550);
    assert.ok(!/[\r\n\u001b]/.test(unknown.reply.lines.join('')));
    assert.match(unknown.reply.lines[0]!, /no such.*user/);
    const silent = refuseUnverified(to, { kind: 'silent', reason: 'timed out' });
    assert.equal(silent.reply.code, 451);
    assert.equal(silent.reason, 'timed out');
    assert.doesNotMatch(silent.reply.lines[0]!, /timed out/);
  });
});
