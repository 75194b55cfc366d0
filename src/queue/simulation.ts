/**
 * A simulated world for the queue's tests: a virtual clock, a slow store that fails and crashes, and
 * destinations with fates. Everything follows from the seed.
 */
import assert from 'node:assert/strict';
import type { Address } from '../mail/address.ts';
import { formatAddress, parseAddress } from '../mail/address.ts';
import type { EnhancedStatus } from '../mail/enhanced-status.ts';
import { status } from '../mail/enhanced-status.ts';
import { Failure } from '../mail/failure.ts';
import type { Recipient } from '../mail/recipient.ts';
import { formatQueueId } from '../mail/queue-id.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { AttemptReport, Delivery, IncomingMessage } from '../policy/delivery.ts';
import type { HandedTo, Outcome } from '../policy/outcome.ts';
import type { PlannedDelivery } from '../policy/plan-deliveries.ts';
import type { Policy } from '../policy/policy.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { DsnRecipient } from '../report/dsn-recipient.ts';
import type { DsnInput } from '../report/dsn.ts';
import type { Log } from '../report/log.ts';
import type { Meter } from '../report/meter.ts';
import { storeOutage } from '../report/outage.ts';
import * as recorder from '../report/trace.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { Store } from '../store/store.ts';
import type { Queue } from './queue.ts';
import { createQueue } from './queue.ts';
import type { QueueLimits, QueueServices } from './queue-services.ts';

/** Of every simulated queue. */
export const shard = 3;
export const startMs = Date.UTC(2026, 10, 22);

/** Numbers from 0 up to 1 that follow from the seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time passes only when somebody runs it. */
export class VirtualClock {
  nowMs = startMs;
  #order = 0;
  readonly #timers = new Set<Timer>();

  setTimer = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  sleep = (delayMs: number): Promise<void> =>
    new Promise((resolve) => this.setTimer(delayMs, resolve));

  /** Runs what is due until then, in order, letting promises settle in between. */
  async runUntil(untilMs: number): Promise<void> {
    for (;;) {
      await settlePromises();
      let next: Timer | null = null;
      for (const timer of this.#timers) {
        if (timer.atMs > untilMs) continue;
        const isEarlier =
          next === null ||
          timer.atMs < next.atMs ||
          (timer.atMs === next.atMs && timer.order < next.order);
        if (isEarlier) next = timer;
      }
      if (next === null) break;
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  run(ms: number): Promise<void> {
    return this.runUntil(this.nowMs + ms);
  }
}

function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a destination says about a recipient at its n-th attempt, from 0. */
export type Fate = 'delivered' | 'bounced' | 'deferred' | 'held' | 'broken';

export interface WorldOptions {
  readonly seed?: number;
  readonly limits?: Partial<QueueLimits>;
  /** Time of an attempt; a route that never answers is Infinity. */
  readonly attemptMs?: (delivery: Delivery) => number;
  /** The local-part says the fate by default: letters of `d`elivered, `b`ounced, `t`emporary, `h`eld. */
  readonly fateOf?: (recipient: Address, attempt: number) => Fate;
  /** Chance that a commit is refused. */
  readonly commitFailures?: number;
  /** Latency of the store, at most; 0 is none. */
  readonly storeMs?: number;
  readonly clauses?: PlannedDelivery['floor'];
  /** Nothing is demanded of anybody by default. */
  readonly policy?: () => Policy;
}

const noPolicy = {
  formatVersion: 1,
  revision: '1',
  hostName: 'mail.example.test',
  organizations: [],
} as const satisfies Policy;

export const testLimits: QueueLimits = {
  inMemoryBytesMax: 100_000,
  inFlightMax: 10,
  inFlightPerRouteMax: 3,
  readyMax: 20,
  readyPerRouteMax: 8,
  settlingMax: 20,
  waitingMax: 100_000,
};

/** One gateway's life after another over the same store. */
export class World {
  readonly clock = new VirtualClock();
  readonly stored = new MemoryStore();
  readonly random: () => number;
  readonly options: WorldOptions;
  readonly limits: QueueLimits;
  /** Attempts that ended, in order. */
  readonly attempts: { readonly delivery: Delivery; readonly endedAtMs: number }[] = [];
  /** How often each recipient of each message was delivered to, by `id recipient`. */
  readonly delivered = new Map<string, number>();
  /** Ids of the DSNs that were tried to be delivered, by `action id recipient` of what they tell. */
  readonly told = new Map<string, Set<string>>();
  /** What was counted, by name and labels. */
  readonly counted = new Map<string, number>();
  /** Recipients that may be served again: a crash came before the result was committed. */
  readonly maybeTwice = new Map<string, number>();
  /** What was written, for looking at. */
  readonly dsnInputs: DsnInput[] = [];
  readonly logLines: { readonly level: string; readonly fields: object; readonly text: string }[] =
    [];
  readonly log: Log = {
    info: (fields, text) => void this.logLines.push({ level: 'info', fields, text }),
    warn: (fields, text) => void this.logLines.push({ level: 'warn', fields, text }),
    error: (fields, text) => void this.logLines.push({ level: 'error', fields, text }),
    debug: () => undefined,
  };
  readonly meter: Meter = {
    count: (name, labels, by = 1) => {
      const key = `${name} ${Object.values(labels).join(' ')}`;
      this.counted.set(key, (this.counted.get(key) ?? 0) + by);
    },
    observe: () => undefined,
  };
  /** By how much the wall clock was set; timers do not know of it. */
  wallOffsetMs = 0;
  #unnoticedMs = 0;
  maxInFlight = 0;
  commitFailures: number;
  queue: Queue;
  #life = { isAlive: true };
  readonly #underWay = new Set<string>();
  #tries = new Map<string, number>();
  #crashAtCommit = Infinity;
  #crashBefore = false;
  #commits = 0;

  constructor(options: WorldOptions = {}) {
    this.options = options;
    this.random = createRandom(options.seed ?? 1);
    this.limits = { ...testLimits, ...options.limits };
    this.commitFailures = options.commitFailures ?? 0;
    this.queue = createQueue(this.#services());
  }

  /** Ids of the DSNs that told this of a recipient. */
  toldOf(action: DsnRecipient['action'], id: string, recipient: Address): ReadonlySet<string> {
    return this.told.get(`${action} ${nameOf(id, recipient)}`) ?? new Set();
  }

  /** By the wall clock. */
  get nowMs(): number {
    return this.clock.nowMs + this.wallOffsetMs;
  }

  /** The wall clock is set; the running gateway notices when it asks for the time. */
  jump(byMs: number): void {
    this.wallOffsetMs += byMs;
    this.#unnoticedMs += byMs;
  }

  /** As a watched clock does: the queue knows of the jump before it gets the time. */
  #watchedNow(): number {
    const byMs = this.#unnoticedMs;
    this.#unnoticedMs = 0;
    if (byMs !== 0) this.queue.clockJumped(byMs);
    return this.nowMs;
  }

  get commits(): number {
    return this.#commits;
  }

  /** The process dies at the n-th commit from now, before it is stored or right after. */
  crashAt(commitsFromNow: number, isBefore: boolean): void {
    this.#crashAtCommit = this.#commits + commitsFromNow;
    this.#crashBefore = isBefore;
  }

  get isAlive(): boolean {
    return this.#life.isAlive;
  }

  /** The process is gone: nothing that it waited for ever comes back. */
  crash(): void {
    this.#life.isAlive = false;
    this.#crashAtCommit = Infinity;
  }

  async restart(): Promise<void> {
    if (this.isAlive) this.crash();
    await this.#noteUncommitted();
    this.#life = { isAlive: true };
    this.#underWay.clear();
    this.queue = createQueue(this.#services());
    const started = this.queue.start();
    await this.clock.run(1000);
    await started;
  }

  async start(): Promise<void> {
    const started = this.queue.start();
    await this.clock.run(1000);
    await started;
  }

  /** Recipients that were served, and of whom the store does not know it. */
  async #noteUncommitted(): Promise<void> {
    for (const { message, delivery } of await this.stored.listQueue({ limit: 10_000 })) {
      const id = formatQueueId({ key: message.key, shard });
      for (const recipient of delivery.recipients) {
        const name = nameOf(id, recipient);
        const before = (this.maybeTwice.get(name) ?? 0) + 1;
        if ((this.delivered.get(name) ?? 0) >= before) this.maybeTwice.set(name, before);
      }
    }
  }

  /** Accepts now; resolves as `accept` does, or never when the process died meanwhile. */
  accept(recipients: readonly string[], over: Partial<IncomingMessage> = {}): Accepted {
    const id = this.queue.newId();
    const message: IncomingMessage = {
      id,
      organization: 'contoso',
      reversePath: { localPart: 'anna', domain: 'contoso.com' },
      recipients: recipients.map((text) => parseAddress(text)!),
      bodyType: '7bit',
      content: { kind: 'memory', bytes: Buffer.from(`Subject: ${id}\r\n\r\nsecret\r\n`) },
      source: { kind: 'submission', account: 'anna' },
      receivedAtMs: this.nowMs,
      clauses: [],
      evidence: null,
      decision: null,
      ...over,
    };
    return { message, done: this.queue.accept(message) };
  }

  #services(): QueueServices {
    const life = this.#life;
    const { clock } = this;
    return {
      store: this.#storeOf(life),
      shard,
      policy: this.options.policy ?? (() => noPolicy),
      attempt: (delivery) => this.#attempt(life, delivery),
      plan: (_policy, { recipients, clauses }) => this.#plan(recipients, clauses),
      routeKeyFor: (_policy, _organization, { domain }) => `mx ${domain}`,
      writeDsn: (input) => this.#writeDsn(input),
      recorder,
      limits: this.limits,
      outage: storeOutage({ log: this.log, meter: this.meter, now: () => clock.nowMs }),
      now: () => this.#watchedNow(),
      random: this.random,
      log: this.log,
      meter: this.meter,
      setTimer: (delayMs, callback) =>
        clock.setTimer(delayMs, () => {
          if (life.isAlive) callback();
        }),
    };
  }

  #plan(recipients: readonly Address[], brought: PlannedDelivery['floor']): PlannedDelivery[] {
    const floor = [...brought, ...(this.options.clauses ?? [])];
    const byDomain = Map.groupBy(recipients.flatMap(expandAlias), ({ domain }) => domain);
    return Array.from(byDomain, ([domain, recipients]) => ({
      routeKey: `mx ${domain}`,
      recipients,
      floor,
    }));
  }

  /** Only the report room knows real ones; these can be read back. */
  #writeDsn(input: DsnInput): IncomingMessage {
    this.dsnInputs.push(input);
    const told = input.recipients.map(
      ({ recipient, action }) => `${action} ${nameOf(input.about.id, recipient)}`,
    );
    return {
      id: input.id,
      organization: input.about.organization,
      reversePath: null,
      recipients: [input.about.reversePath!],
      bodyType: '7bit',
      content: { kind: 'memory', bytes: Buffer.from(`X-Told: ${JSON.stringify(told)}`) },
      source: { kind: 'dsn', about: input.about.id },
      receivedAtMs: input.nowMs,
      clauses: [],
      evidence: null,
      decision: null,
    };
  }

  async #attempt(life: { isAlive: boolean }, delivery: Delivery): Promise<AttemptReport> {
    const name = `${delivery.id}.${delivery.ordinal}`;
    assert.ok(!this.#underWay.has(name), 'two attempts of one delivery at once');
    assert.ok(life.isAlive);
    this.#underWay.add(name);
    this.#checkBounds(delivery);
    const startedAtMs = this.nowMs;
    const attemptMs = this.options.attemptMs?.(delivery) ?? Math.floor(this.random() * 5000);
    await (attemptMs === Infinity ? forever() : this.clock.sleep(attemptMs));
    if (!life.isAlive) return forever();
    this.#underWay.delete(name);
    const outcomes = delivery.recipients.map((recipient) => ({
      recipient,
      outcome: this.#outcomeOf(delivery, recipient),
    }));
    this.attempts.push({ delivery, endedAtMs: this.clock.nowMs });
    const route = {
      decision: { formatVersion: 1, destination: { kind: 'mx' } } as OutboundDecision,
      candidates: [],
      outcomes,
      clauses: isForced(delivery.recipients[0]!) ? [forced] : [],
      hasFailedTlsOnly: false,
    };
    return { startedAtMs, endedAtMs: this.nowMs, routes: [route] };
  }

  #checkBounds({ recipients }: Delivery): void {
    const counts = this.queue.counts();
    this.maxInFlight = Math.max(this.maxInFlight, counts.inFlight);
    assert.ok(counts.inFlight <= this.limits.inFlightMax, 'attempts at once');
    assert.ok(counts.ready <= this.limits.readyMax, 'deliveries in memory');
    assert.ok(
      counts.bytesInMemory <= this.limits.inMemoryBytesMax + this.limits.inFlightMax * 1000,
    );
    assert.ok(recipients.length > 0);
  }

  #outcomeOf(delivery: Delivery, recipient: Address): Outcome {
    const name = nameOf(delivery.id, recipient);
    const attempt = this.#tries.get(name) ?? 0;
    this.#tries.set(name, attempt + 1);
    const fate = (this.options.fateOf ?? fateByName)(recipient, attempt);
    if (delivery.source.kind === 'dsn') this.#noteDsn(delivery);
    if (fate === 'delivered') this.delivered.set(name, (this.delivered.get(name) ?? 0) + 1);
    if (fate === 'broken') throw new TypeError('a defect in delivery');
    return outcomeOf(fate, recipient, this.nowMs);
  }

  #noteDsn({ id, content }: Delivery): void {
    assert.ok(content.kind === 'memory');
    const told = JSON.parse(content.bytes.toString().replace('X-Told: ', '')) as string[];
    for (const name of told) {
      const ids = this.told.get(name) ?? new Set();
      this.told.set(name, ids.add(id));
    }
  }

  /** The store as one life sees it: slow, and silent once that life is over. */
  #storeOf(life: { isAlive: boolean }): Store {
    const { stored } = this;
    const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.#latency();
      if (!life.isAlive) return forever();
      const value = await work();
      await this.#latency();
      return life.isAlive ? value : forever();
    };
    return {
      commit: (batch) => slowly(() => this.#commit(() => stored.commit(batch))),
      listDue: (...args) => slowly(() => stored.listDue(...args)),
      shiftTimes: (byMs) => this.#commit(() => stored.shiftTimes(byMs)),
      probe: () => slowly(() => stored.probe()),
      capDueTimes: (atMs) => slowly(() => stored.capDueTimes(atMs)),
      nextDueAtMs: (...args) => slowly(() => stored.nextDueAtMs(...args)),
      summarize: () => slowly(() => stored.summarize()),
      readMessage: (key) => slowly(() => stored.readMessage(key)),
      nextOrdinal: (key) => slowly(() => stored.nextOrdinal(key)),
      lastKey: () => slowly(() => stored.lastKey()),
      listQueue: (filter) => slowly(() => stored.listQueue(filter)),
      pageQueue: (...args) => slowly(() => stored.pageQueue(...args)),
      readTrace: (key) => slowly(() => stored.readTrace(key)),
      scanTraces: (step) => slowly(() => stored.scanTraces(step)),
      searchTraces: (...args) => slowly(() => stored.searchTraces(...args)),
      counts: () => stored.counts(),
      close: async () => undefined,
    };
  }

  async #commit(store: () => Promise<void>): Promise<void> {
    this.#commits += 1;
    const isLast = this.#commits >= this.#crashAtCommit;
    if (isLast && this.#crashBefore) this.crash();
    else if (this.commitFailures > 0 && this.random() < this.commitFailures)
      throw new Failure('store-full', 'no space left');
    else await store();
    if (isLast && this.isAlive) this.crash();
  }

  async #latency(): Promise<void> {
    const storeMs = this.options.storeMs ?? 0;
    if (storeMs > 0) await this.clock.sleep(Math.floor(this.random() * storeMs));
  }
}

export interface Accepted {
  readonly message: IncomingMessage;
  readonly done: Promise<void>;
}

/** What the store knows of a recipient. */
export function nameOf(id: string, recipient: Address): string {
  return `${id} ${formatAddress(recipient)}`;
}

function fateByName({ localPart }: Address, attempt: number): Fate {
  const letter = localPart[Math.min(attempt, localPart.length - 1)];
  if (letter === 'b') return 'bounced';
  if (letter === 't') return 'deferred';
  if (letter === 'h') return 'held';
  return letter === 'x' ? 'broken' : 'delivered';
}

const statusOf: Readonly<Record<Fate, EnhancedStatus>> = {
  delivered: status('2.0.0'),
  bounced: status('5.1.1'),
  deferred: status('4.4.1'),
  held: status('4.7.0'),
  broken: status('4.3.0'),
};

const forced: Clause = { kind: 'encrypted', origin: { kind: 'connector', name: 'forced' } };

/** Mail to `forced….test` is; it waits because of TLS where it waits. */
export function isForced({ domain }: Address): boolean {
  return domain.startsWith('forced');
}

/** Mail to `alias.test` leads to two domains; as the plan says, success of those is nobody's. */
export function expandAlias(named: Recipient): readonly Recipient[] {
  if (named.domain !== 'alias.test') return [named];
  const { localPart, domain, notify } = named;
  return ['a.test', 'mailbox.test'].map((target) => ({
    localPart,
    domain: target,
    aliasedFrom: { localPart, domain },
    ...(notify === undefined ? {} : { notify: notify.filter((word) => word !== 'success') }),
  }));
}

/** By the domain: `mailbox….test` is ours, `tells….test` answers for DSNs, others relay. */
export function handedToOf({ domain }: Address): HandedTo {
  if (domain.startsWith('mailbox')) return 'mailbox';
  return domain.startsWith('tells') ? 'relay-with-dsn' : 'relay';
}

function outcomeOf(kind: Exclude<Fate, 'broken'>, recipient: Address, nowMs: number): Outcome {
  const at = new Date(nowMs).toISOString();
  const detail = { status: statusOf[kind], reason: `simulated: ${kind}`, reply: null, at };
  if (kind === 'delivered') {
    return { kind, handedTo: handedToOf(recipient), ...detail, remoteMta: null };
  }
  if (kind === 'held') return { kind, cause: 'policy-weakened', ...detail, remoteMta: null };
  const cause = kind === 'deferred' && isForced(recipient) ? 'tls-not-offered' : 'peer-reply';
  return { kind, cause, ...detail, remoteMta: null };
}

function forever<T>(): Promise<T> {
  return new Promise(() => undefined);
}
