/** Pages of whole traces: over all shards, since a time, and of one organization alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedDomain, address, clearSession } from '../../test/support/policy.ts';
import { inboundConnector, organization, patterns } from '../../test/support/policy.ts';
import type { Mail } from '../../test/support/recorded-mail.ts';
import { recordMail } from '../../test/support/recorded-mail.ts';
import { nextQueueKey, parseQueueId } from '../mail/queue-id.ts';
import type { Policy } from '../policy/policy.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { emptyBatch } from '../store/store.ts';
import type { RecordPage, RecordQueryInput } from './contract/records.ts';
import { recordQuerySchema } from './contract/records.ts';
import type { RecordSources } from './read-records.ts';
import { readRecords } from './read-records.ts';

const startMs = Date.UTC(2026, 10, 1);
const since = new Date(startMs).toISOString();
const policy: Policy = {
  formatVersion: 1,
  revision: '000000000000',
  hostName: 'mx.example.test',
  organizations: [
    organization({
      id: 'one',
      acceptedDomains: [acceptedDomain('one.test')],
      mailboxes: [box('one')],
    }),
    organization({
      id: 'two',
      acceptedDomains: [acceptedDomain('two.test')],
      mailboxes: [box('two')],
      inboundConnectors: [
        inboundConnector('secret', { senderDomains: patterns('partner.test'), requireTls: true }),
      ],
    }),
  ],
};

function box(name: string) {
  return { account: 'user', addresses: [address(`user@${name}.test`)] };
}

function mail(...to: string[]): Mail {
  return {
    session: {
      listener: 'mx',
      clientAddress: '203.0.113.9',
      heloName: 'mail.partner.test',
      evidence: clearSession(),
      account: null,
      reversePath: address('ann@partner.test'),
    },
    recipients: to.map(address),
    atMs: startMs,
  };
}

/** One transaction in each of the shards, a minute apart. */
async function fill(...shards: (readonly Mail[])[]): Promise<RecordSources> {
  const stores = await Promise.all(
    shards.map(async (mails) => {
      const store = new MemoryStore();
      for (const [i, each] of mails.entries()) {
        const key = nextQueueKey(startMs + i * 60_000, 0);
        const { records: traces, facts } = recordMail(policy, each, key);
        await store.commit({ ...emptyBatch, traces, facts });
      }
      return store;
    }),
  );
  return {
    shards: stores.map((_, shard) => shard),
    scan: (shard, step) => stores[shard]!.scanTraces(step),
  };
}

async function readAll(
  sources: RecordSources,
  query: Partial<RecordQueryInput> = {},
  organizations: readonly string[] | null = null,
) {
  const pages: RecordPage[] = [];
  let next: string | null = null;
  do {
    const asked = { since, ...query, ...(next === null ? {} : { after: next }) };
    const page: RecordPage = await readRecords(
      recordQuerySchema.parse(asked),
      sources,
      organizations,
    );
    pages.push(page);
    next = page.next;
  } while (next !== null && pages.length < 100);
  return pages;
}

const idsOf = (pages: readonly RecordPage[]) =>
  pages.flatMap((page) => page.traces.map(({ id }) => id));

test('pages go through every shard, newest first in each, and end', async () => {
  const sources = await fill(
    [mail('user@one.test'), mail('user@one.test')],
    [],
    [mail('user@one.test')],
  );
  const pages = await readAll(sources, { limit: 1 });
  const ids = idsOf(pages).map((id) => parseQueueId(id)!);
  assert.deepEqual(
    ids.map(({ shard }) => shard),
    [0, 0, 2],
  );
  assert.ok(ids[0]!.key > ids[1]!.key);
  assert.equal(pages[0]!.traces[0]!.at, new Date(startMs + 60_000).toISOString());
  assert.deepEqual(idsOf(await readAll(sources)), idsOf(pages));
});

test('what came in before is left out, and nowhere is nothing', async () => {
  const sources = await fill([mail('user@one.test'), mail('user@one.test')]);
  const later = new Date(startMs + 1000).toISOString();
  assert.equal(idsOf(await readAll(sources, { since: later })).length, 1);
  assert.deepEqual(await readAll(await fill()), [{ traces: [], facts: [], next: null }]);
  const lost = await readRecords(
    recordQuerySchema.parse({ since, after: '06X9T5K1G007' }),
    sources,
    null,
  );
  assert.deepEqual(lost, { traces: [], facts: [], next: null });
});

test('of one organization nothing of another is given: no message, refusal, fact or name', async () => {
  const both = mail('user@one.test', 'user@two.test', 'nobody@one.test', 'bob@far.test');
  const sources = await fill([both, mail('user@two.test')]);
  const all = await readAll(sources);
  // A refusal by the connector of "two", one by "one", one by nobody, and the message to "one".
  assert.equal(idsOf(all).length, 5);
  const ofOne = await readAll(sources, { organization: 'one' });
  assert.equal(idsOf(ofOne).length, 2);
  const text = JSON.stringify(ofOne);
  for (const foreign of ['two.test', 'secret', '"two"', 'far.test']) {
    assert.ok(!text.includes(foreign), foreign);
  }
  const ofTwo = await readAll(sources, { organization: 'two' });
  assert.equal(idsOf(ofTwo).length, 2);
  assert.ok(!JSON.stringify(ofTwo).includes('one.test'));
  assert.equal(idsOf(await readAll(sources, { organization: 'three' })).length, 0);
  // Whoever may see but one sees the same, whatever is asked for.
  assert.deepEqual(await readAll(sources, {}, ['one']), ofOne);
  assert.deepEqual(await readAll(sources, { organization: 'one' }, ['one']), ofOne);
  assert.equal(idsOf(await readAll(sources, { organization: 'two' }, ['one'])).length, 0);
  assert.equal(idsOf(await readAll(sources, {}, ['one', 'two'])).length, 4);
  assert.equal(idsOf(await readAll(sources, {}, [])).length, 0);
});

test('a record that cannot be read is of no organization', async () => {
  const store = new MemoryStore();
  const key = nextQueueKey(startMs, 0);
  const traces = [{ key, atMs: startMs, kind: 'received', json: '{"organization":"one"' }] as const;
  await store.commit({ ...emptyBatch, traces });
  const sources = {
    shards: [0],
    scan: (_: number, step: Parameters<typeof store.scanTraces>[0]) => store.scanTraces(step),
  };
  assert.equal(idsOf(await readAll(sources)).length, 1);
  assert.equal(idsOf(await readAll(sources, { organization: 'one' })).length, 0);
  assert.equal(idsOf(await readAll(sources, {}, ['one', ''])).length, 0);
});
