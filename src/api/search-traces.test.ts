import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleTrace } from '../../test/support/api-services.ts';
import { formatQueueId, parseQueueId } from '../mail/queue-id.ts';
import type { TraceMatch, TraceStep } from '../store/store.ts';
import { traceQuerySchema } from './contract/trace-search.ts';
import type { TraceSources } from './search-traces.ts';
import { searchTraces } from './search-traces.ts';

/** Keys of each shard; every third message bounced. Each shard looks at three keys per step. */
function fakeSources(shards: readonly (readonly number[])[]) {
  const matches: TraceMatch[] = [];
  const sources: TraceSources = {
    shards: shards.map((_, shard) => shard),
    search: async (shard, match, step: TraceStep) => {
      matches.push(match);
      const inside = shards[shard]!.filter((key) => key >= step.toKey && key <= step.fromKey);
      const seen = inside.sort((a, b) => b - a).slice(0, 3);
      const isEnd = seen.length === inside.length;
      return { found: seen, nextKey: isEnd ? null : seen.at(-1)! - 1 };
    },
    readTrace: async (id) =>
      sampleTrace(id, parseQueueId(id)!.key % 3 === 0 ? 'bounced' : 'delivered'),
  };
  return { matches, sources };
}

async function all(
  sources: TraceSources,
  query: object,
  organizations: readonly string[] | null = null,
): Promise<string[]> {
  const found: string[] = [];
  let before: string | undefined;
  for (let page = 0; page < 50; page++) {
    const parsed = traceQuerySchema.parse({ ...query, before });
    const { rows, next } = await searchTraces(parsed, sources, organizations);
    found.push(...rows.map(({ id }) => id));
    if (next === null) return found;
    before = next;
  }
  return assert.fail('it never ends');
}

const id = (key: number, shard: number) => formatQueueId({ key, shard });

test('every message of every shard is found once, newest first, whatever the size of a page', async () => {
  const { sources } = fakeSources([
    [1, 4, 6, 9, 12, 13],
    [2, 4, 5, 6, 20],
  ]);
  const expected = [
    id(20, 1),
    id(13, 0),
    id(12, 0),
    id(9, 0),
    id(6, 1),
    id(6, 0),
    id(5, 1),
    id(4, 1),
    id(4, 0),
    id(2, 1),
    id(1, 0),
  ];
  for (const limit of [1, 2, 3, 7, 100]) {
    assert.deepEqual(await all(sources, { limit }), expected, `limit ${limit}`);
  }
});

test('the state is held against the trace itself', async () => {
  const { matches, sources } = fakeSources([[1, 2, 3, 4, 5, 6]]);
  assert.deepEqual(await all(sources, { status: 'bounced' }), [id(6, 0), id(3, 0)]);
  assert.deepEqual(matches[0], { only: 'bounced' });
  assert.deepEqual(await all(sources, { to: 'nobody.test' }), []);
  assert.equal((await all(sources, { to: 'Doctor@Contoso.com' })).length, 6);
});

test('times bound the keys', async () => {
  const { sources } = fakeSources([[1, 4096 * 1000, 4096 * 2000]]);
  const at = (ms: number) => new Date(Date.UTC(2020, 0, 1) + ms).toISOString();
  assert.deepEqual(await all(sources, { since: at(1000), until: at(2000) }), [id(4096 * 1000, 0)]);
});

test('a message is found by the alias that it was sent to', async () => {
  const { sources } = fakeSources([[1]]);
  const readTrace = async (traced: string) => {
    const view = sampleTrace(traced, 'delivered');
    const recipients = view.recipients.map((each) => ({ ...each, aliasedFrom: 'Team@x.test' }));
    return { ...view, recipients };
  };
  const aliased = { ...sources, readTrace };
  assert.deepEqual(await all(aliased, { to: 'team@X.test' }), [id(1, 0)]);
  assert.deepEqual(await all(aliased, { to: 'x.test' }), [id(1, 0)]);
  assert.deepEqual(await all(aliased, { to: 'other@x.test' }), []);
});

test('of other organizations, and of nobody, nothing is found', async () => {
  const { sources } = fakeSources([[1, 2]]);
  assert.deepEqual(await all(sources, {}, ['contoso']), []);
  assert.deepEqual(await all(sources, {}, []), []);
  assert.deepEqual(await all(sources, { organization: 'example' }, ['contoso']), []);
  assert.deepEqual(await all(sources, { organization: 'contoso' }, ['contoso', 'example']), []);
  assert.equal((await all(sources, {}, ['contoso', 'example'])).length, 2);
  assert.equal((await all(sources, { organization: 'example' })).length, 2);
  const refused = { kind: 'refused', formatVersion: 1, id: 'x', at: '' } as const;
  const rest = {
    clientAddress: '',
    evidence: null,
    recipient: null,
    reply: { code: 550, status: null, lines: [] },
  };
  const ofNobody = {
    ...sources,
    readTrace: async (traced: string) => ({
      ...sampleTrace(traced, 'delivered'),
      events: [{ ...refused, ...rest, decision: { missing: 'x' } }],
    }),
  };
  assert.deepEqual(await all(ofNobody, {}, ['contoso']), []);
  assert.equal((await all(ofNobody, {})).length, 2);
});
