/** The queue with its real neighbours: SQLite, the trace, the DSN, and today's plan. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAddress } from '../mail/address.ts';
import { status } from '../mail/enhanced-status.ts';
import { parseQueueId } from '../mail/queue-id.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type {
  AttemptDelivery,
  Delivery,
  IncomingMessage,
  MessageSource,
} from '../policy/delivery.ts';
import type { Outcome } from '../policy/outcome.ts';
import { planDeliveries, routeKeyFor } from '../policy/plan-deliveries.ts';
import type { Policy } from '../policy/policy.ts';
import { writeDsn } from '../report/dsn.ts';
import { silentLog } from '../report/log.ts';
import { silentMeter } from '../report/meter.ts';
import { inboundConnector, policy as makePolicy } from '../../test/support/policy.ts';
import { storeOutage } from '../report/outage.ts';
import * as recorder from '../report/trace.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import type { Queue } from './queue.ts';
import { createQueue } from './queue.ts';
import type { QueueServices } from './queue-services.ts';
import { defaultQueueLimits } from './queue-services.ts';

const policy: Policy = {
  ...makePolicy({ id: 'contoso', acceptedDomains: [], mailboxes: [] }),
  revision: 'abc',
  hostName: 'mail.contoso.com',
};

function queueOver(
  store: Store,
  attempt: AttemptDelivery,
  part: Partial<QueueServices> = {},
): Queue {
  return createQueue({
    store,
    shard: 0,
    policy: () => policy,
    routeKeyFor,
    attempt,
    plan: planDeliveries,
    writeDsn,
    recorder,
    limits: defaultQueueLimits,
    now: Date.now,
    random: Math.random,
    log: silentLog,
    meter: silentMeter,
    outage: storeOutage({ log: silentLog, meter: silentMeter }),
    ...part,
  });
}

function outcomeOf(localPart: string): Outcome {
  const detail = { reply: null, remoteMta: null, at: new Date().toISOString() };
  if (localPart === 'nobody') {
    const reason = 'no such mailbox';
    return { kind: 'bounced', cause: 'peer-reply', status: status('5.1.1'), reason, ...detail };
  }
  return {
    kind: 'delivered',
    handedTo: 'relay',
    status: status('2.0.0'),
    reason: 'accepted',
    ...detail,
  };
}

it('messages survive a restart; every failed recipient is told by one DSN', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-queue-'));
  const options = { path: path.join(folder, 'queue-0.db'), spoolFolder: path.join(folder, 's') };
  let store = await openSqliteStore(options);
  try {
    const stuck = queueOver(store, () => new Promise(() => undefined));
    await stuck.start();
    const ids = Array.from({ length: 50 }, () => stuck.newId());
    await Promise.all(ids.map((id, i) => stuck.accept(messageTo(id, i % 5 === 0))));
    await stuck.stop(10);
    await store.close();

    store = await openSqliteStore(options);
    const seen: Delivery[] = [];
    const queue = queueOver(store, async (delivery) => {
      seen.push(delivery);
      return reportOf(delivery);
    });
    await queue.start();
    for (let i = 0; i < 200 && queue.counts().queued > 0; i++) await sleep(10);
    await queue.stop(1000);

    const dsns = seen.filter(({ source }) => source.kind === 'dsn');
    assert.equal(dsns.length, 10);
    assert.equal(seen.length, 60);
    assert.equal(new Set(seen.map(({ id }) => id)).size, 60);
    for (const { reversePath, content } of dsns) {
      assert.equal(reversePath, null);
      assert.ok(content.kind === 'memory');
      assert.match(content.bytes.toString('latin1'), /\r\nStatus: 5\.1\.1\r\n/);
    }
    const { records, facts } = await store.readTrace(parseQueueId(ids[0]!)!.key);
    assert.deepEqual(
      records.map(({ kind }) => kind),
      ['received', 'attempt', 'dsn'],
    );
    assert.equal(facts.length, 1);
    assert.deepEqual(await store.summarize(), { queued: 0, held: 0, routes: [] });
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});

it('what fails after the commit takes no message back: it was accepted', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-queue-'));
  const options = { path: path.join(folder, 'queue-0.db'), spoolFolder: path.join(folder, 's') };
  const store = await openSqliteStore(options);
  try {
    const outage = storeOutage({ log: silentLog, meter: silentMeter });
    outage.worked = () => {
      throw new Error('broken after the commit');
    };
    const texts: string[] = [];
    const log = { ...silentLog, error: (_fields: object, text: string) => void texts.push(text) };
    const queue = queueOver(store, reportOf, { outage, log });
    await queue.start();
    const id = queue.newId();
    await queue.accept(messageTo(id, false));
    const text = 'mail was accepted; that the store works again could not be said';
    assert.ok(texts.includes(text), texts.join('\n'));
    assert.equal((await store.readTrace(parseQueueId(id)!.key)).records[0]?.kind, 'received');
    for (let i = 0; i < 200 && queue.counts().queued > 0; i++) await sleep(10);
    await queue.stop(1000);
    const kinds = (await store.readTrace(parseQueueId(id)!.key)).records.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['received', 'attempt'], 'and delivered without a restart');
    assert.deepEqual(await store.summarize(), { queued: 0, held: 0, routes: [] });
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});

it('what was demanded when mail came binds the DSN after a restart under another policy', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-queue-'));
  const options = { path: path.join(folder, 'queue-0.db'), spoolFolder: path.join(folder, 's') };
  const inboundConnectors = [inboundConnector('partner', { requireTls: false })];
  const [organization] = policy.organizations;
  const later: Policy = { ...policy, organizations: [{ ...organization!, inboundConnectors }] };
  const met = { kind: 'mx', inboundConnectors: ['partner'] } as const;
  const sources: readonly MessageSource[] = [
    { ...met, isForced: true },
    { ...met, isForced: false },
    // As an earlier program stored it: today's connector is asked, or counts as one that forced.
    met,
    { kind: 'mx', inboundConnectors: ['gone since'] },
  ];
  let store = await openSqliteStore(options);
  try {
    const stuck = queueOver(store, () => new Promise(() => undefined));
    await stuck.start();
    const ids = sources.map(() => stuck.newId());
    for (const [i, id] of ids.entries()) {
      await stuck.accept({ ...messageTo(id, true), source: sources[i]! });
    }
    await stuck.stop(10);
    await store.close();

    store = await openSqliteStore(options);
    const about = new Map<string, Delivery>();
    const attempt: AttemptDelivery = async (delivery) => {
      if (delivery.source.kind === 'dsn') about.set(delivery.source.about, delivery);
      return reportOf(delivery);
    };
    const queue = queueOver(store, attempt, { policy: () => later });
    await queue.start();
    for (let i = 0; i < 200 && queue.counts().queued > 0; i++) await sleep(10);
    await queue.stop(1000);
    const shown = ids.map((id) => {
      const { floor, content } = about.get(id)!;
      assert.ok(content.kind === 'memory');
      return [floor.map(({ kind }) => kind), content.bytes.includes(`Subject: ${id}`)];
    });
    const bound = [['encrypted'], false];
    assert.deepEqual(shown, [bound, [[], true], [[], true], bound]);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});

function messageTo(id: string, isNobody: boolean): IncomingMessage {
  return {
    id,
    organization: 'contoso',
    reversePath: { localPart: 'anna', domain: 'contoso.com' },
    recipients: [parseAddress(isNobody ? 'nobody@fabrikam.com' : 'bob@fabrikam.com')!],
    bodyType: '7bit',
    content: { kind: 'memory', bytes: Buffer.from(`Subject: ${id}\r\n\r\nhello\r\n`) },
    source: { kind: 'submission', account: 'anna' },
    receivedAtMs: Date.now(),
    clauses: [],
    evidence: null,
    decision: null,
  };
}

async function reportOf(delivery: Delivery) {
  const destination = { kind: 'mx' } as const;
  const decision = { formatVersion: 1, destination } as OutboundDecision;
  const outcomes = delivery.recipients.map((recipient) => ({
    recipient,
    outcome: outcomeOf(recipient.localPart),
  }));
  const route = { decision, candidates: [], outcomes, clauses: [], hasFailedTlsOnly: false };
  return { startedAtMs: Date.now(), endedAtMs: Date.now(), routes: [route] };
}
