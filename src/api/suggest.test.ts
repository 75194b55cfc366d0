/** `GET /v1/suggestions`: over all pages, under today's policy, and never over half the records. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  address,
  evidence,
  outboundConnector,
  patterns,
  policy,
  reached,
  tlsEvidence,
} from '../../test/support/policy.ts';
import type { Mail } from '../../test/support/recorded-mail.ts';
import { recordedSources } from '../../test/support/recorded-sources.ts';
import { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import { suggestionsSchema, suggestQuerySchema } from './contract/suggestions.ts';
import type { SuggestSources } from './suggest.ts';
import { readingTimeMs } from './read-recorded.ts';
import { suggestConnectors } from './suggest.ts';

const startMs = Date.UTC(2026, 10, 1);
const dayMs = 24 * 3600_000;

const long = { notBefore: new Date(0).toISOString(), notAfter: '2099-01-01T00:00:00.000Z' };
const good = evidence({ tls: tlsEvidence({ paths: [reached(long)] }) });

function mail(day: number): Mail {
  return {
    session: {
      listener: 'submission',
      clientAddress: '203.0.113.9',
      heloName: 'client.test',
      evidence: evidence({ role: 'server' }),
      account: { organization: 'org', account: 'user' },
      reversePath: address('user@example.test'),
    },
    recipients: [address('bob@partner.test')],
    atMs: startMs + day * dayMs,
    server: () => good,
  };
}

async function fill(today: Policy = policy()): Promise<SuggestSources> {
  const sources = await recordedSources(policy(), [0, 1, 2, 3].map(mail), startMs + 10 * dayMs);
  return { policy: today, ...sources(null) };
}

const ask = (fields: Record<string, unknown> = {}) =>
  suggestQuerySchema.parse({ minMessages: 4, ...fields });

test('all pages are read, and the answer is what the contract says', async () => {
  const found = await suggestConnectors(ask(), await fill());
  assert.deepEqual(suggestionsSchema.parse(found), found);
  const [first, ...others] = found.suggestions;
  assert.deepEqual(others, []);
  assert.deepEqual([first?.messages, first?.days, found.messages], [4, 4, 4]);
  assert.deepEqual(first?.connector, {
    kind: 'outbound-connector',
    organization: 'org',
    name: 'partner.test',
    value: {
      name: 'partner.test',
      comment: 'suggested: all of 4 messages on 4 days, 2026-11-01 to 2026-11-04',
      mode: 'observe',
      recipientDomains: 'partner.test',
      tlsSettings: 'DomainValidation',
      tlsDomain: 'mx.partner.test',
    },
  });
});

test('days, bounds, direction and organization are what was asked for', async () => {
  const sources = await fill();
  const none = [{ days: 1 }, { organization: 'other' }, { direction: 'inbound' }, { minDays: 5 }];
  for (const fields of none) {
    const { suggestions } = await suggestConnectors(ask(fields), sources);
    assert.deepEqual(suggestions, [], JSON.stringify(fields));
  }
  const few = await suggestConnectors(ask({ days: 8 }), sources);
  assert.deepEqual(
    few.near.map(({ tooFew }) => tooFew),
    ['2 of 4 messages'],
  );
});

test('what is covered by the policy in force is left out', async () => {
  const outboundConnectors = [
    outboundConnector('own', { recipientDomains: patterns('partner.test') }),
  ];
  const found = await suggestConnectors(ask(), await fill(policy({ outboundConnectors })));
  assert.deepEqual([found.suggestions, found.covered], [[], 1]);
});

test('half the records are no ground for saying always', async () => {
  const sources = await fill();
  let steadyMs = 0;
  const slow = {
    ...sources,
    steadyMs: () => steadyMs,
    readRecords: (query: Parameters<SuggestSources['readRecords']>[0]) => {
      steadyMs += readingTimeMs / 2 + 1;
      return sources.readRecords(query);
    },
  };
  await assert.rejects(suggestConnectors(ask(), slow), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, 'api-timeout');
    assert.match(error.wireText, /fewer days/);
    return true;
  });
});
