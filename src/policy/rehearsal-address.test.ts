/** Which address is a rehearsal address, and for whom; and that nobody is delivered to by it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  acceptedDomain,
  address,
  clearSession,
  deliveryTarget,
  organization,
  policy,
} from '../../test/support/policy.ts';
import { chooseOutbound } from './choose-outbound.ts';
import { findRecipient } from './find-recipient.ts';
import type { InboundSession } from './inbound-session.ts';
import { judgeRecipient, judgeSubmitted } from './judge-recipient.ts';
import type { Organization, Policy } from './policy.ts';
import { findRehearsal, isRehearsalAddress } from './rehearsal-address.ts';

const rehearsal = address('rehearsal@example.test');
const session: InboundSession = {
  listener: 'mx',
  clientAddress: '203.0.113.9',
  heloName: 'mail.partner.test',
  evidence: clearSession(),
  account: null,
  reversePath: address('ann@partner.test'),
};
const clock = { nowMs: 0, firstRefusedAtMs: () => null };

function withIt(part: Partial<Organization> = {}): Policy {
  return policy({ rehearsalAddress: rehearsal, ...part });
}

test('only where the organization names it, whatever the case', () => {
  assert.equal(isRehearsalAddress(policy(), rehearsal), false);
  assert.equal(isRehearsalAddress(withIt(), rehearsal), true);
  assert.equal(isRehearsalAddress(withIt(), address('Rehearsal@example.test')), true);
  assert.equal(isRehearsalAddress(withIt(), address('rehearsal+x@example.test')), false);
  assert.equal(isRehearsalAddress(withIt(), address('rehearsal@other.test')), false);
});

test('not in a domain that is not proven, nor in one of another organization', () => {
  const unproven = [acceptedDomain('example.test', { isProven: false })];
  assert.equal(isRehearsalAddress(withIt({ acceptedDomains: unproven }), rehearsal), false);
  const thief = organization({
    id: 'thief',
    acceptedDomains: [acceptedDomain('thief.test')],
    mailboxes: [],
    rehearsalAddress: rehearsal,
  });
  const both = { ...policy(), organizations: [...policy().organizations, thief] };
  assert.equal(isRehearsalAddress(both, rehearsal), false);
});

test('never the address of a mailbox, an alias or a listed recipient', () => {
  const listed = acceptedDomain('example.test', {
    deliveryTarget: 'store',
    recipients: { kind: 'list', localParts: ['rehearsal'] },
  });
  for (const part of [
    { mailboxes: [{ account: 'r', addresses: [rehearsal] }] },
    { aliases: [{ address: rehearsal, to: [address('user@example.test')] }] },
    { acceptedDomains: [listed], deliveryTargets: [deliveryTarget('store')] },
  ]) {
    assert.equal(isRehearsalAddress(withIt(part), rehearsal), false);
    assert.notEqual(findRecipient(withIt(part), rehearsal).kind, 'unknown');
  }
});

test('nobody who signed in rehearses', () => {
  const account = { organization: 'org', account: 'user' };
  assert.equal(findRehearsal(withIt(), session, rehearsal)?.id, 'org');
  const inside = { ...session, listener: 'inside' } as const;
  assert.equal(findRehearsal(withIt(), inside, rehearsal)?.id, 'org');
  assert.equal(findRehearsal(withIt(), { ...session, account }, rehearsal), null);
  const submission = { ...session, listener: 'submission' } as const;
  assert.equal(findRehearsal(withIt(), submission, rehearsal), null);
});

test('mail that reaches it by any other way finds nobody, also where every address exists', () => {
  const any = acceptedDomain('example.test', {
    deliveryTarget: 'store',
    recipients: { kind: 'any' },
  });
  const catching = acceptedDomain('example.test', { catchAll: address('user@example.test') });
  for (const acceptedDomains of [[any], [catching], [acceptedDomain('example.test')]]) {
    const current = withIt({ acceptedDomains, deliveryTargets: [deliveryTarget('store')] });
    for (const decision of [
      judgeRecipient(current, session, rehearsal, clock),
      judgeSubmitted(current, { organization: 'org' }, rehearsal),
    ]) {
      assert.ok(decision.kind === 'refuse');
      assert.equal(decision.reply.code, 550);
      assert.match(decision.reason, /is a rehearsal address, which answers mail of other servers/);
    }
    const { destination } = chooseOutbound(current, 'org', rehearsal);
    assert.ok(destination.kind === 'none' && destination.isPermanent, JSON.stringify(destination));
  }
});
