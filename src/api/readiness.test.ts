/** `GET /v1/readiness`: what recorded mail met, and nothing of an organization that is not one's own. */
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
  serverEvidence,
} from '../../test/support/policy.ts';
import type { Mail } from '../../test/support/recorded-mail.ts';
import { recordedSources } from '../../test/support/recorded-sources.ts';
import { Failure } from '../mail/failure.ts';
import type { Evidence } from '../policy/evidence.ts';
import { readinessQuerySchema, readinessSchema } from './contract/readiness.ts';
import { answerReadiness } from './readiness.ts';
import type { ReadinessSources } from './readiness.ts';
import type { Organizations } from './services.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
const partner = inboundConnector('partner', {
  senderDomains: patterns('partner.test'),
  requireTls: true,
  mode: 'observe',
});
const secret = inboundConnector('secret-merger', { senderDomains: patterns('merger.test') });

function ofOrganization(id: string, connectors: (typeof partner)[]) {
  const acceptedDomains = [acceptedDomain(`${id}.test`)];
  const mailboxes = [{ ...organization().mailboxes[0]!, addresses: [address(`user@${id}.test`)] }];
  return organization({ id, acceptedDomains, mailboxes, inboundConnectors: connectors });
}

const both = {
  ...policy(),
  organizations: [ofOrganization('mine', [partner]), ofOrganization('theirs', [partner, secret])],
};

function arriving(to: string, shown: Evidence, hoursAgo: number): Mail {
  return {
    session: {
      listener: 'mx',
      clientAddress: '203.0.113.9',
      heloName: 'mail.partner.test',
      evidence: { ...shown, peer: { ...shown.peer, address: '203.0.113.9' } },
      account: null,
      reversePath: address('ann@partner.test'),
    },
    recipients: [address(to)],
    atMs: nowMs - hoursAgo * 3600_000,
  };
}

const inTls = serverEvidence({ chain: [], paths: [] });
const mails = [
  arriving('user@mine.test', inTls, 24 * 20),
  arriving('user@theirs.test', inTls, 3),
  arriving('user@mine.test', clearSession(), 2),
  arriving('user@mine.test', inTls, 1),
];

async function sourcesFor(organizations: Organizations): Promise<ReadinessSources> {
  const sources = await recordedSources(both, mails, nowMs);
  return { policy: both, organizations, ...sources(organizations) };
}

const ask = async (organizations: Organizations, query: object) =>
  answerReadiness(readinessQuerySchema.parse(query), await sourcesFor(organizations));

test('of each organization and direction, as the contract says', async () => {
  const found = await ask(null, { name: 'partner', days: 10 });
  assert.deepEqual(readinessSchema.parse(found), found);
  assert.deepEqual(
    found.results.map((each) => [each.organization, each.met, each.unmet, each.isReady]),
    [
      ['mine', 1, 1, false],
      ['theirs', 1, 0, true],
    ],
  );
  assert.match(found.results[0]!.failures[0]!.reason, /not encrypted/);
  assert.equal((await ask(null, { name: 'partner' })).results[0]!.met, 2);
  const one = await ask(null, { name: 'partner', organization: 'theirs' });
  assert.deepEqual(
    one.results.map((each) => each.organization),
    ['theirs'],
  );
  const outbound = ask(null, { name: 'partner', direction: 'outbound' });
  await assert.rejects(outbound, { code: 'connector-unknown' });
});

test('whoever looks after one organization learns nothing of another', async () => {
  const found = await ask(['mine'], { name: 'partner' });
  assert.deepEqual(
    found.results.map((each) => each.organization),
    ['mine'],
  );
  const foreign = ['secret-merger', 'secret-merge', 'partner'];
  for (const name of foreign) {
    const query = { name, organization: 'theirs' };
    await assert.rejects(ask(['mine'], query), (error) => {
      assert.ok(error instanceof Failure && error.code === 'connector-unknown');
      assert.equal(error.message, `there is no connector ${name}`);
      return true;
    });
  }
  await assert.rejects(ask(['mine'], { name: 'secret-merge' }), {
    message: 'there is no connector secret-merge',
  });
  // Whoever may see it is told what was meant.
  await assert.rejects(ask(null, { name: 'secret-merge' }), {
    message: /did you mean secret-merger/,
  });
});
