/**
 * What every store must do, as tests; run over each by handing in how to open one.
 *
 * For whoever writes another store: `testStore('name', open)` in its test file.
 */
import assert from 'node:assert/strict';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Content } from '../mail/content.ts';
import type { Recipient } from '../mail/recipient.ts';
import { Failure } from '../mail/failure.ts';
import {
  sampleAccept,
  sampleComplete,
  sampleDelivery,
  sampleFact,
  sampleMessage,
  sampleOutcome,
} from './sample-batch.ts';
import { testScan } from './conformance-scan.ts';
import { openSpool } from './spool.ts';
import type { TraceRecord } from '../report/record.ts';
import type { Batch, DeliveryKey, QueueMatch, QueuePage, Store } from './store.ts';
import type { TraceMatch, TracePage } from './store.ts';
import { emptyBatch } from './store.ts';

/** Opens the store of this folder: a new one, or what was closed before. */
export type OpenStore = (folder: {
  readonly path: string;
  readonly spoolFolder: string;
}) => Promise<Store>;

interface Opened {
  store: Store;
  readonly spoolFolder: string;
  reopen(): Promise<void>;
}

type Get = () => Opened;

export function testStore(name: string, open: OpenStore): void {
  describe(name, () => {
    let opened: Opened;
    let root: string;

    beforeEach(async () => {
      root = await mkdtemp(path.join(tmpdir(), 'postern-store-'));
      const spoolFolder = path.join(root, 'spool-0');
      const folder = { path: path.join(root, 'queue-0.db'), spoolFolder };
      opened = {
        store: await open(folder),
        spoolFolder,
        async reopen() {
          await this.store.close();
          this.store = await open(folder);
        },
      };
    });
    afterEach(async () => {
      await opened.store.close();
      await rm(root, { recursive: true, force: true });
    });

    const get: Get = () => opened;
    testMessages(get);
    testDeclared(get);
    testDeliveries(get);
    testDsnRequests(get);
    testFilters(get);
    testDue(get);
    testTrace(get);
    testClock(get);
    testSearch(get);
    testScan(get);
    testConcurrency(get);
    testSpool(get);
  });
}

function testDeclared(get: Get): void {
  it('keeps what MAIL and RCPT declared', async () => {
    const recipients: Recipient[] = [
      { localPart: 'ü', domain: 'fabrikam.com', notify: ['success', 'delay'] },
      {
        localPart: 'bob',
        domain: 'fabrikam.com',
        notify: [],
        originalRecipient: { type: 'utf-8', text: 'ö@contoso.com' },
      },
    ];
    const declared = { smtpUtf8: true, dsn: { ret: 'headers', envelopeId: 'QQ 314' } } as const;
    await get().store.commit(sampleAccept(1, [sampleDelivery(1, 0, { recipients })], declared));
    await get().reopen();
    assert.deepEqual(await get().store.readMessage(1), sampleMessage(1, declared));
    const [row] = await get().store.listQueue({ limit: 1 });
    assert.deepEqual(row?.delivery.recipients, recipients);
    assert.deepEqual(row.message.dsn, declared.dsn);
    assert.equal(row.message.smtpUtf8, true);
  });
}

function testMessages(get: Get): void {
  it('gives an accepted message back whole, also after it was opened again', async () => {
    const deliveries = [sampleDelivery(7, 0), sampleDelivery(7, 1, { lastOutcome: sampleOutcome })];
    await get().store.commit(sampleAccept(7, deliveries));
    await get().reopen();
    assert.deepEqual(await get().store.readMessage(7), sampleMessage(7));
    const rows = await get().store.listQueue({ limit: 10 });
    assert.deepEqual(
      rows.map((row) => row.delivery),
      deliveries,
    );
    const { content, ...message } = sampleMessage(7);
    assert.ok(content.kind === 'memory');
    assert.deepEqual(rows[0]!.message, { ...message, sizeBytes: content.bytes.length });
  });

  it('keeps the null reverse-path and an empty content', async () => {
    const content: Content = { kind: 'memory', bytes: Buffer.alloc(0) };
    const over = { reversePath: null, content };
    await get().store.commit(sampleAccept(1, undefined, over));
    assert.deepEqual(await get().store.readMessage(1), sampleMessage(1, over));
  });

  it('keeps 300 KB of every byte value', async () => {
    const bytes = Buffer.from(Array.from({ length: 300 * 1024 }, (_, i) => (i * 7) % 256));
    await get().store.commit(sampleAccept(1, undefined, { content: { kind: 'memory', bytes } }));
    const message = await get().store.readMessage(1);
    assert.ok(message?.content.kind === 'memory' && message.content.bytes.equals(bytes));
  });

  it("leaves the caller's buffer usable", async () => {
    const bytes = Buffer.from('Subject: x\r\n\r\n');
    await get().store.commit(sampleAccept(1, undefined, { content: { kind: 'memory', bytes } }));
    assert.equal(bytes.toString(), 'Subject: x\r\n\r\n');
  });

  it('answers null for an unknown message', async () => {
    assert.equal(await get().store.readMessage(99), null);
    assert.equal(await get().store.nextOrdinal(99), 0);
  });

  it('refuses a second message with a key, and stores nothing of that batch', async () => {
    const { store } = get();
    await store.commit(sampleAccept(1));
    const both = [sampleAccept(2).accepted[0]!, sampleAccept(1).accepted[0]!];
    const batch: Batch = { ...emptyBatch, accepted: both, completed: [{ key: 1, ordinal: 0 }] };
    await assert.rejects(store.commit(batch), isFailure('store-conflict'));
    assert.equal(await store.readMessage(2), null);
    assert.equal((await store.listQueue({ limit: 10 })).length, 1);
  });

  it('remembers the largest key, of messages and of refusals, when all are gone', async () => {
    assert.equal(await get().store.lastKey(), 0);
    await get().store.commit(sampleAccept(41));
    await get().store.commit(sampleComplete(41));
    await get().reopen();
    assert.equal(await get().store.lastKey(), 41);
    const refused = { key: 50, atMs: 1, kind: 'refused', json: '{}' } as const;
    await get().store.commit({ ...emptyBatch, traces: [refused] });
    await get().reopen();
    assert.equal(await get().store.lastKey(), 50);
  });

  it('refuses commits after it was closed', async () => {
    const { store } = get();
    await store.close();
    await assert.rejects(store.commit(sampleAccept(1)), isFailure('store-closed'));
    await get().reopen();
  });
}

function testDeliveries(get: Get): void {
  it('removes a message with its last delivery', async () => {
    const { store } = get();
    await store.commit(sampleAccept(1, [sampleDelivery(1, 0), sampleDelivery(1, 1)]));
    await store.commit(sampleComplete(1, 0));
    assert.notEqual(await store.readMessage(1), null);
    await store.commit(sampleComplete(1, 1));
    assert.equal(await store.readMessage(1), null);
    assert.deepEqual(await store.listQueue({ limit: 10 }), []);
    assert.deepEqual(await store.summarize(), { queued: 0, held: 0, routes: [] });
  });

  it('completes twice without harm', async () => {
    const { store } = get();
    await store.commit(sampleAccept(1));
    await store.commit(sampleComplete(1));
    await store.commit(sampleComplete(1));
    await store.commit(sampleComplete(2));
  });

  it('updates a delivery, and splits one', async () => {
    const { store } = get();
    await store.commit(sampleAccept(1));
    const later = sampleDelivery(1, 0, { attempts: 1, dueAtMs: 9000, lastOutcome: sampleOutcome });
    const held = sampleDelivery(1, 1, { state: 'held', failedTlsAtMs: [1, 2] });
    await store.commit({ ...emptyBatch, updated: [later, held] });
    const rows = await store.listQueue({ limit: 10 });
    assert.deepEqual(
      rows.map((row) => row.delivery),
      [later, held],
    );
    assert.equal(await store.nextOrdinal(1), 2);
    await get().reopen();
    assert.deepEqual((await get().store.listQueue({ limit: 1, state: 'held' }))[0]!.delivery, held);
  });

  it('accepts before it updates, and completes last', async () => {
    const { store } = get();
    await store.commit({
      ...sampleAccept(1),
      updated: [sampleDelivery(1, 0, { attempts: 3 }), sampleDelivery(1, 1)],
      completed: [{ key: 1, ordinal: 0 }],
    });
    const rows = await store.listQueue({ limit: 10 });
    assert.deepEqual(
      rows.map((row) => row.delivery.ordinal),
      [1],
    );
  });

  it('refuses a delivery of an unknown message', async () => {
    const { store } = get();
    const batch: Batch = { ...sampleAccept(1), updated: [sampleDelivery(9)] };
    await assert.rejects(store.commit(batch), isFailure('store-conflict'));
    assert.equal(await store.readMessage(1), null);
  });
}

function testDsnRequests(get: Get): void {
  it('keeps what was asked of DSNs, and what the sender was told', async () => {
    const dsn = { ret: 'full', envelopeId: 'QQ 1' } as const;
    const over = { smtpUtf8: true, dsn };
    const recipient = {
      localPart: 'j\u00fcrgen',
      domain: 'fabrikam.com',
      notify: ['success', 'delay'],
      originalRecipient: { type: 'utf-8', text: 'j\u00fcrgen@fabrikam.com' },
      aliasedFrom: { localPart: 'all', domain: 'contoso.com' },
    } as const;
    const delivery = sampleDelivery(1, 0, {
      recipients: [recipient],
      delayToldAtMs: 5,
      tlsDelayToldAtMs: 6,
      regularDueAtMs: 7,
      extraAttempts: 1,
    });
    await get().store.commit(sampleAccept(1, [delivery], over));
    await get().reopen();
    assert.deepEqual(await get().store.readMessage(1), sampleMessage(1, over));
    assert.deepEqual((await get().store.listQueue({ limit: 1 }))[0]!.delivery, delivery);
  });
}

function testFilters(get: Get): void {
  it('filters the queue by message, state and recipient domain', async () => {
    const { store } = get();
    const other = [{ localPart: 'x', domain: 'example.org' }];
    await store.commit(sampleAccept(1, [sampleDelivery(1, 0, { recipients: other })]));
    await store.commit(sampleAccept(2, [sampleDelivery(2, 0, { state: 'held' })]));
    await store.commit(sampleAccept(3));
    const keys = async (filter: object): Promise<number[]> => {
      const rows = await store.listQueue({ limit: 10, ...filter });
      return rows.map((row) => row.message.key);
    };
    assert.deepEqual(await keys({}), [1, 2, 3]);
    assert.deepEqual(await keys({ limit: 2 }), [1, 2]);
    assert.deepEqual([await keys({ key: 3 }), await keys({ state: 'queued' })], [[3], [1, 3]]);
    assert.deepEqual(await keys({ after: { key: 1, ordinal: 0 } }), [2, 3]);
    assert.deepEqual(await keys({ recipientDomain: 'example.org' }), [1]);
    assert.deepEqual(await keys({ recipientDomain: 'fabrikam.com', state: 'held' }), [2]);
    assert.deepEqual(await keys({ recipientDomain: 'rikam.com' }), []);
  });

  it('filters by sender, cause, connector, route, organization and age', async () => {
    const { store } = get();
    const floor = sampleDelivery(1).floor;
    const smart = { routeKey: 'connector contoso backup', floor: [] };
    const tried = { lastOutcome: sampleOutcome, floor };
    await store.commit(sampleAccept(1, [sampleDelivery(1, 0, smart)], { reversePath: null }));
    await store.commit(sampleAccept(2, [sampleDelivery(2, 0, tried)], { organization: 'other' }));
    const keys = async (match: QueueMatch): Promise<number[]> =>
      (await store.listQueue({ limit: 10, ...match })).map((row) => row.message.key);
    const address = { localPart: 'ANNA', domain: 'contoso.com' };
    assert.deepEqual(await keys({ sender: { kind: 'null' } }), [1]);
    assert.deepEqual(await keys({ sender: { kind: 'domain', domain: 'contoso.com' } }), [2]);
    assert.deepEqual(await keys({ sender: { kind: 'domain', domain: 'so.com' } }), []);
    assert.deepEqual(await keys({ sender: { kind: 'address', address } }), [2]);
    assert.deepEqual(await keys({ cause: 'timeout' }), [2]);
    assert.deepEqual(await keys({ cause: 'dns' }), []);
    assert.deepEqual(await keys({ connector: 'backup' }), [1]);
    assert.deepEqual(await keys({ connector: 'fabrikam' }), [2]);
    assert.deepEqual(await keys({ routeKey: 'mx contoso fabrikam.com' }), [2]);
    assert.deepEqual(await keys({ organization: 'other' }), [2]);
    assert.deepEqual(await keys({ receivedBeforeMs: 1002 }), [1]);
  });

  it('goes through the queue in bounded steps, each delivery looked at once', async () => {
    const { store } = get();
    for (let key = 1; key <= 5; key++) {
      const held = { state: 'held' } as const;
      const deliveries = [sampleDelivery(key, 0), sampleDelivery(key, 1, held)];
      await store.commit(sampleAccept(key, deliveries));
    }
    const found: string[] = [];
    let steps = 0;
    let after: DeliveryKey | null = null;
    do {
      const page: QueuePage = await store.pageQueue({ state: 'held' }, { after, looks: 3 });
      assert.ok(page.rows.length <= 3);
      found.push(...page.rows.map(({ delivery }) => `${delivery.key}.${delivery.ordinal}`));
      after = page.next;
      steps += 1;
    } while (after !== null);
    assert.deepEqual(found, ['1.1', '2.1', '3.1', '4.1', '5.1']);
    assert.equal(steps, 4);
    const one = await store.pageQueue({ key: 3 }, { after: null, looks: 100 });
    assert.deepEqual(
      one.rows.map(({ delivery }) => delivery.ordinal),
      [0, 1],
    );
    assert.equal(one.next, null);
    const none = await store.pageQueue({ key: 99 }, { after: null, looks: 100 });
    assert.deepEqual(none, { rows: [], next: null });
  });
}

function testDue(get: Get): void {
  it('lists what is due on a route, the longest due first', async () => {
    const { store } = get();
    await store.commit(sampleAccept(1, [sampleDelivery(1, 0, { dueAtMs: 300 })]));
    await store.commit(sampleAccept(2, [sampleDelivery(2, 0, { dueAtMs: 100 })]));
    await store.commit(sampleAccept(3, [sampleDelivery(3, 0, { dueAtMs: 200, state: 'held' })]));
    await store.commit(sampleAccept(4, [sampleDelivery(4, 0, { dueAtMs: 150, routeKey: 'b' })]));
    await store.commit(sampleAccept(5, [sampleDelivery(5, 0, { dueAtMs: 301 })]));
    const route = sampleDelivery(1).routeKey;
    const due = async (untilMs: number, limit = 10): Promise<number[]> =>
      (await store.listDue(route, untilMs, limit)).map(({ key }) => key);
    assert.deepEqual(await due(300), [2, 1]);
    assert.deepEqual(await due(300, 1), [2]);
    assert.deepEqual(await due(99), []);
    assert.deepEqual(await due(1000), [2, 1, 5]);
    assert.equal(await store.nextDueAtMs(route, 99), 100);
    assert.equal(await store.nextDueAtMs(route, 100), 300);
    assert.equal(await store.nextDueAtMs(route, 301), null);
    assert.equal(await store.nextDueAtMs('nowhere', 0), null);
    const { routes, ...counts } = await store.summarize();
    assert.deepEqual(counts, { queued: 4, held: 1 });
    assert.deepEqual(
      [...routes].sort((a, b) => a.dueAtMs - b.dueAtMs),
      [
        { routeKey: route, dueAtMs: 100 },
        { routeKey: 'b', dueAtMs: 150 },
      ],
    );
  });
}

function testTrace(get: Get): void {
  it('gives the records of a key in order of time, with the facts that they cite', async () => {
    const { store } = get();
    const [one, two, three] = [sampleFact('one'), sampleFact('two'), sampleFact('three')];
    const record = (key: number, atMs: number, json: string) =>
      ({ key, atMs, kind: 'attempt', json }) as const;
    const late = record(1, 200, JSON.stringify({ evidence: two.hash }));
    const early = record(1, 100, JSON.stringify({ decision: one.hash, list: [one.hash] }));
    const same = record(1, 200, '{"second":true}');
    const other = record(2, 150, JSON.stringify({ evidence: three.hash }));
    const facts = [one, two];
    await store.commit({ ...emptyBatch, traces: [late, other], facts });
    await store.commit({ ...emptyBatch, traces: [early, same], facts: [two, three, two] });
    for (let i = 0; i < 2; i++) {
      const trace = await get().store.readTrace(1);
      assert.deepEqual(trace.records, [early, late, same]);
      assert.deepEqual(trace.facts, [one, two]);
      assert.deepEqual((await get().store.readTrace(2)).facts, [three]);
      assert.deepEqual(await get().store.readTrace(3), { records: [], facts: [] });
      await get().reopen();
    }
  });

  it('keeps the trace of a finished message', async () => {
    const { store } = get();
    const trace = { key: 1, atMs: 5, kind: 'received', json: '{}' } as const;
    await store.commit({ ...sampleAccept(1), traces: [trace] });
    await store.commit(sampleComplete(1));
    assert.deepEqual((await store.readTrace(1)).records, [trace]);
  });
}

function testClock(get: Get): void {
  const times = {
    retriesFromMs: 1001,
    dueAtMs: 5000,
    failedTlsAtMs: [2000, 3000],
    delayToldAtMs: 4000,
    tlsDelayToldAtMs: 4500,
    regularDueAtMs: 6000,
  };

  it('moves every time of every delivery along, in the order of the commits', async () => {
    const { store } = get();
    const [full, bare] = [sampleDelivery(1, 0, times), sampleDelivery(1, 1, { state: 'held' })];
    const before = store.commit(sampleAccept(1, [full, bare]), 60_000);
    const moved = store.shiftTimes(-500);
    const after = store.commit(sampleAccept(2));
    await Promise.all([before, moved, after]);
    await get().reopen();
    const rows = await get().store.listQueue({ limit: 10 });
    assert.deepEqual(
      rows.map(({ delivery }) => delivery),
      [
        {
          ...full,
          retriesFromMs: 501,
          dueAtMs: 4500,
          failedTlsAtMs: [1500, 2500],
          delayToldAtMs: 3500,
          tlsDelayToldAtMs: 4000,
          regularDueAtMs: 5500,
        },
        { ...bare, retriesFromMs: 501, dueAtMs: 501 },
        sampleDelivery(2),
      ],
    );
    assert.equal(rows[0]!.message.receivedAtMs, 1001);
  });

  it('lets nothing that is queued be due later than that', async () => {
    const { store } = get();
    const due = [100, 200, 300].map((dueAtMs, i) => sampleDelivery(1, i, { dueAtMs }));
    const held = sampleDelivery(1, 3, { dueAtMs: 400, state: 'held' });
    await store.commit(sampleAccept(1, [...due, held]));
    assert.equal(await store.capDueTimes(200), 1);
    assert.equal(await store.capDueTimes(200), 0);
    const rows = await get().store.listQueue({ limit: 10 });
    assert.deepEqual(
      rows.map(({ delivery }) => delivery.dueAtMs),
      [100, 200, 200, 400],
    );
  });
}

function testSearch(get: Get): void {
  const record = (key: number, kind: TraceRecord['kind'], over: Partial<TraceRecord> = {}) =>
    ({ key, atMs: key, kind, json: '{}', ...over }) as const;
  const whole = { fromKey: 1000, toKey: 1, limit: 100, looks: 1000 };

  async function fill(): Promise<(match: TraceMatch, step?: object) => Promise<TracePage>> {
    const { store } = get();
    const toBob = { sender: 'Anna@contoso.com', recipients: ['bob@fabrikam.com', 'x@a.test'] };
    const dsn = { sender: '', recipients: ['anna@contoso.com'] };
    const refused = { sender: 'eve@evil.test', recipients: ['bob@fabrikam.com'] };
    const traces = [
      record(1, 'received', { index: toBob }),
      record(2, 'received', { index: dsn }),
      record(3, 'refused', { index: refused }),
      record(1, 'attempt', { hasBounced: true }),
    ];
    await store.commit({ ...sampleAccept(2), traces });
    await get().reopen();
    return (match, step = {}) => get().store.searchTraces(match, { ...whole, ...step });
  }

  it('finds traces by whole addresses and domains, whatever their case, newest first', async () => {
    const search = await fill();
    const found = async (match: TraceMatch): Promise<readonly number[]> =>
      (await search(match)).found;
    const address = (text: string) => ({ kind: 'address', text }) as const;
    const domain = (text: string) => ({ kind: 'domain', domain: text }) as const;
    assert.deepEqual(await found({}), [3, 2, 1]);
    assert.deepEqual(await found({ recipient: address('BOB@fabrikam.com') }), [3, 1]);
    assert.deepEqual(await found({ recipient: address('ob@fabrikam.com') }), []);
    assert.deepEqual(await found({ recipient: domain('a.test') }), [1]);
    assert.deepEqual(await found({ recipient: domain('test') }), []);
    assert.deepEqual(await found({ sender: domain('contoso.com') }), [1]);
    assert.deepEqual(await found({ sender: { kind: 'null' } }), [2]);
    const both = { sender: domain('evil.test'), recipient: domain('fabrikam.com') };
    assert.deepEqual(await found(both), [3]);
  });

  it('finds traces by what became of them', async () => {
    const search = await fill();
    assert.deepEqual((await search({ only: 'refused' })).found, [3]);
    assert.deepEqual((await search({ only: 'accepted' })).found, [2, 1]);
    assert.deepEqual((await search({ only: 'bounced' })).found, [1]);
    assert.deepEqual((await search({ only: 'waiting' })).found, [2]);
  });

  it('searches in bounded steps that say where to go on', async () => {
    const search = await fill();
    assert.deepEqual(await search({}, { limit: 2 }), { found: [3, 2], nextKey: 1 });
    assert.deepEqual(await search({}, { fromKey: 1 }), { found: [1], nextKey: null });
    assert.deepEqual(await search({}, { toKey: 3 }), { found: [3], nextKey: null });
    const rare = { only: 'bounced' } as const;
    assert.deepEqual(await search(rare, { looks: 2 }), { found: [], nextKey: 1 });
    assert.deepEqual(await search(rare, { looks: 2, fromKey: 1 }), { found: [1], nextKey: null });
  });
}

function testConcurrency(get: Get): void {
  it('stores 1000 messages of one turn in few commits', async () => {
    const { store } = get();
    const keys = Array.from({ length: 1000 }, (_, i) => i + 1);
    await Promise.all(keys.map((key) => store.commit(sampleAccept(key))));
    assert.ok(store.counts().commits <= 3, `${store.counts().commits} commits`);
    assert.deepEqual(store.counts().waitingRecords, 0);
    await Promise.all(keys.map((key) => store.commit(sampleComplete(key), 20)));
    assert.ok(store.counts().commits <= 6, `${store.counts().commits} commits`);
    assert.deepEqual(await store.summarize(), { queued: 0, held: 0, routes: [] });
  });

  it('one bad commit harms none of those that it shares a commit with', async () => {
    const { store } = get();
    await store.commit(sampleAccept(2));
    const fact = sampleFact('shared');
    const trace = (key: number) =>
      ({ key, atMs: 1, kind: 'received', json: JSON.stringify([fact.hash]) }) as const;
    const accept = (key: number): Promise<void> =>
      store.commit({ ...sampleAccept(key), traces: [trace(key)], facts: [fact] });
    const results = await Promise.allSettled([accept(2), accept(1), accept(3)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled'],
    );
    assert.notEqual(await store.readMessage(1), null);
    assert.deepEqual((await store.readTrace(3)).facts, [fact]);
    assert.deepEqual((await store.readTrace(2)).records, []);
  });

  it('a commit that may wait is stored without another one', async () => {
    const { store } = get();
    await store.commit(sampleAccept(1));
    await store.commit(sampleComplete(1), 5);
    assert.equal(await store.readMessage(1), null);
  });

  it('an empty batch is no commit', async () => {
    const { store } = get();
    await store.commit(emptyBatch);
    assert.equal(store.counts().commits, 0);
  });
}

function testSpool(get: Get): void {
  async function spool(text: string): Promise<Content & { readonly kind: 'spool' }> {
    const writer = await openSpool(get().spoolFolder, 'contoso');
    await writer.write(Buffer.from(text));
    const content = await writer.finish();
    assert.ok(content.kind === 'spool');
    return content;
  }

  it('keeps a spool file as long as its message, and no longer', async () => {
    const content = await spool('Subject: large\r\n\r\n');
    const two = [sampleDelivery(1, 0), sampleDelivery(1, 1)];
    await get().store.commit(sampleAccept(1, two, { content }));
    await get().reopen();
    assert.deepEqual((await get().store.readMessage(1))!.content, content);
    const [row] = await get().store.listQueue({ limit: 1 });
    assert.equal(row!.message.sizeBytes, content.sizeBytes);
    await get().store.commit(sampleComplete(1, 0));
    assert.ok(await exists(content.path));
    await get().store.commit(sampleComplete(1, 1));
    await get().store.close();
    assert.ok(!(await exists(content.path)));
    await get().reopen();
  });
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** For `assert.rejects`. */
export function isFailure(code: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    return true;
  };
}
