/** `POST /v1/replay`: another policy over recorded mail, and nothing of an organization that is not one's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  address,
  clearSession,
  inboundConnector,
  organization,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import type { Mail } from '../../test/support/recorded-mail.ts';
import { recordedSources } from '../../test/support/recorded-sources.ts';
import type { AcceptedDomain, InboundConnector, Policy } from '../policy/policy.ts';
import { replayedSchema, replayOrderSchema } from './contract/replay.ts';
import { replayMail } from './replay.ts';
import type { Organizations } from './services.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
const strict = inboundConnector('partner', {
  senderDomains: patterns('partner.test'),
  requireTls: true,
});

interface Parts {
  readonly connectors?: readonly InboundConnector[];
  readonly domains?: readonly AcceptedDomain[];
}

function ofOrganization(
  id: string,
  { connectors = [], domains = [acceptedDomain(`${id}.test`)] }: Parts = {},
) {
  const addresses = domains.map(({ domain }) => address(`user@${domain}`));
  return organization({
    id,
    acceptedDomains: domains,
    mailboxes: [{ account: `${id}-user`, addresses }],
    inboundConnectors: connectors,
  });
}

function withBoth(mine: Parts, theirs: Parts = {}): Policy {
  const organizations = [ofOrganization('mine', mine), ofOrganization('theirs', theirs)];
  return { ...policy(), organizations };
}

function arriving(to: string, hoursAgo: number): Mail {
  return {
    session: {
      listener: 'mx',
      clientAddress: '203.0.113.9',
      heloName: 'mail.partner.test',
      evidence: clearSession(),
      account: null,
      reversePath: address('ann@partner.test'),
    },
    recipients: [address(to)],
    atMs: nowMs - hoursAgo * 3600_000,
  };
}

const mails = [
  arriving('user@theirs.test', 50),
  arriving('user@mine.test', 40),
  arriving('user@mine.test', 1),
];

async function replay(candidate: Policy, organizations: Organizations, order: object = {}) {
  const sources = await recordedSources(withBoth({}), mails, nowMs);
  const asked = replayOrderSchema.parse(order);
  return replayMail(asked, { candidate, organizations, ...sources(organizations) });
}

test('what would be otherwise is counted, as the contract says', async () => {
  const both = { connectors: [strict] };
  const found = await replay(withBoth(both, both), null);
  assert.deepEqual(replayedSchema.parse(found), found);
  assert.deepEqual([found.messages, found.changed, found.undecidedOnly], [3, 3, 0]);
  assert.deepEqual(found.kinds, [
    { kind: 'refused', direction: 'inbound', messages: 3, partners: 1 },
  ]);
  assert.equal((await replay(withBoth(both, both), null, { days: 1 })).messages, 1);
  const theirs = await replay(withBoth(both, both), null, { organization: 'theirs' });
  assert.equal(theirs.changed, 1);
  assert.equal((await replay(withBoth({}), null)).changed, 0);
});

test('whoever looks after one organization is told of its mail, by its policy', async () => {
  const secret = inboundConnector('secret', {
    senderDomains: patterns('partner.test'),
    requireTls: true,
  });
  const candidate = withBoth({ connectors: [strict] }, { connectors: [secret] });
  const found = await replay(candidate, ['mine']);
  assert.deepEqual([found.messages, found.changed], [2, 2]);
  assert.doesNotMatch(JSON.stringify(found), /secret|theirs/);
  const foreign = await replay(candidate, ['mine'], { organization: 'theirs' });
  assert.deepEqual([foreign.messages, foreign.changed], [0, 0]);
});

test('what depends on another organization is undecided, and does not say on which', async () => {
  const domains = [acceptedDomain('theirs.test'), acceptedDomain('mine.test')];
  const moved = withBoth({ domains: [acceptedDomain('new.test')] }, { domains });
  const whole = await replay(moved, null);
  assert.match(JSON.stringify(whole), /theirs/);
  const found = await replay(moved, ['mine']);
  assert.deepEqual([found.messages, found.changed, found.undecidedOnly], [2, 0, 2]);
  assert.deepEqual(
    found.undecided.map(({ why }) => why),
    ['elsewhere'],
  );
  assert.doesNotMatch(JSON.stringify(found), /theirs/);
});

test('changes are bounded, and a configuration of its own excludes them', () => {
  const both = replayOrderSchema.safeParse({ changes: [], config: 'hostName: a' });
  assert.deepEqual(both.error?.issues[0]?.path, ['config']);
  const object = { kind: 'rule', organization: 'mine', name: 'a' };
  const many = Array.from({ length: 1001 }, () => ({ kind: 'remove', object }));
  assert.ok(!replayOrderSchema.safeParse({ changes: many }).success);
  assert.ok(replayOrderSchema.safeParse({ changes: many.slice(1) }).success);
});
