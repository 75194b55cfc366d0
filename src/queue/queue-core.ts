/**
 * The engine of one shard's queue: claims, attempts, and the commits that end them.
 *
 * A delivery is claimed before anything is done to it and let go when the result is committed, so no
 * two attempts of one delivery ever run at once. What is not claimed is in the store alone.
 */
import assert from 'node:assert/strict';
import { mailParametersOf } from '../mail/envelope.ts';
import { Failure } from '../mail/failure.ts';
import { formatQueueId, nextQueueKey, parseQueueId } from '../mail/queue-id.ts';
import type { AttemptReport, Delivery, IncomingMessage } from '../policy/delivery.ts';
import { findOrganization } from '../policy/directory.ts';
import { defaultDelayNotices, defaultRetrySchedule } from '../policy/retry.ts';
import { actionOf } from '../report/dsn-recipient.ts';
import type { Recorded } from '../report/trace.ts';
import { shiftDelivery } from '../store/shift-times.ts';
import type { DeliveryKey, StoredDelivery, StoredMessage } from '../store/store.ts';
import type { Claim } from './claim.ts';
import { nameOf } from './claim.ts';
import { brokenReport, isAllDeferred } from './attempt-report.ts';
import { isDamage, toDamaged, unreadableFailure } from './damaged.ts';
import type { Division } from './divide.ts';
import { divideByFate } from './divide.ts';
import { DueLoader } from './due-loader.ts';
import { logAttempt } from './log-attempt.ts';
import { meterAttempt } from './meter-attempt.ts';
import { MessageMemory, memoryBytesOf } from './message-memory.ts';
import type { QueueOrder } from './order.ts';
import { postpone } from './postpone.ts';
import type { Report } from './prepare-dsn.ts';
import { prepareDsn } from './prepare-dsn.ts';
import type { QueueServices } from './queue-services.ts';
import type { RouteState } from './route-lists.ts';
import { RouteLists } from './route-lists.ts';
import { reportExpansions } from './reported.ts';
import type { Acceptance } from './settlement.ts';
import { prepareAcceptance, toBatch } from './settlement.ts';
import { surely } from './surely.ts';
import { TimeShift } from './time-shift.ts';
import { capDueTimes } from './cap-due-times.ts';

/** Results ride with the next commit, and wait at most this long for one. */
const rideWithinMs = 20;
/** A DSN and what is to be stored with it. */
interface ToldNow {
  readonly dsn: IncomingMessage;
  readonly report: Report;
  readonly acceptance: Acceptance;
  readonly recorded: readonly Recorded[];
  readonly claims: readonly Claim[];
}

/** After a content that could not be read, and the longest sleep, as clocks may be set. */
const unreadableWaitMs = 60_000;
const alarmMsMax = 60_000;

export class QueueCore {
  readonly services: QueueServices;
  readonly #routes: RouteLists;
  readonly #memory = new MessageMemory();
  readonly #claims = new Map<string, Claim>();
  readonly #loader: DueLoader;
  readonly #shift: TimeShift;
  /** Called when the claim has ended during which an administrator ordered something; what is left. */
  onIntent: (order: QueueOrder, left: readonly StoredDelivery[]) => void = () => undefined;
  #lastKey = 0;
  #queued = 0;
  #held = 0;
  #settling = 0;
  #state: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #alarm: { readonly atMs: number; readonly cancel: () => void } | null = null;
  #whenIdle: (() => void) | null = null;
  #storeFailedAtMs = -Infinity;

  constructor(services: QueueServices) {
    this.services = services;
    this.#routes = new RouteLists(services.limits);
    this.#loader = new DueLoader({
      store: services.store,
      routes: this.#routes,
      log: services.log,
      outage: services.outage,
      now: services.now,
      isClaimed: (name) => this.#claims.has(name),
      addReady: (delivery) => this.#addReady(this.claim(delivery, 'ready')),
      pump: () => this.pump(),
    });
    this.#shift = new TimeShift({
      store: services.store,
      surely: (action) => this.#surely(action),
      onShifted: (routes) => {
        this.#loader.resume(routes);
        this.#alarm?.cancel();
        this.#alarm = null;
        this.pump();
      },
    });
  }

  /** Reads what waits; due deliveries begin at once, but those that were under way at a crash. */
  async start(suspects: readonly DeliveryKey[]): Promise<void> {
    assert(this.#state === 'new', 'a queue starts once');
    await postpone(this.services, suspects);
    await capDueTimes(this.services);
    const summary = await this.services.store.summarize();
    this.#lastKey = await this.services.store.lastKey();
    this.#queued = summary.queued;
    this.#held = summary.held;
    for (const { routeKey, dueAtMs } of summary.routes) this.#loader.wake(routeKey, dueAtMs);
    this.#state = 'running';
    this.pump();
  }

  /** No new attempts; waits for those under way, and for their commits, at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    this.#state = 'stopping';
    this.#alarm?.cancel();
    this.#alarm = null;
    if (this.#routes.inFlight > 0 || this.#settling > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.setTimer(graceMs, resolve);
        this.#whenIdle = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#state = 'stopped';
  }

  /** What is in memory at once, what is in the store before anything more is read from it. */
  clockJumped(byMs: number): void {
    if (this.#state === 'new' || this.#state === 'stopped') return;
    for (const claim of this.#claims.values()) {
      claim.delivery = shiftDelivery(claim.delivery, byMs);
    }
    this.#loader.pause();
    this.#shift.shift(byMs);
  }

  newId(): string {
    assert(this.#state !== 'new', 'start the queue first: keys must be above the last one');
    this.#lastKey = nextQueueKey(this.services.now(), this.#lastKey);
    return formatQueueId({ key: this.#lastKey, shard: this.services.shard });
  }

  idOf(key: number): string {
    return formatQueueId({ key, shard: this.services.shard });
  }

  /** Deliveries whose attempt has begun and whose result is not stored yet. */
  underWay(): readonly DeliveryKey[] {
    const begun = [...this.#claims.values()].filter(
      ({ state }) => state === 'attempting' || state === 'settling',
    );
    return begun.map(({ delivery: { key, ordinal } }) => ({ key, ordinal }));
  }

  /** Null where the id is none of this shard. */
  keyOf(id: string): number | null {
    const parsed = parseQueueId(id);
    return parsed !== null && parsed.shard === this.services.shard ? parsed.key : null;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** When the store last refused a batch; -Infinity where it never did. */
  get storeFailedAtMs(): number {
    return this.#storeFailedAtMs;
  }

  counts() {
    return {
      queued: this.#queued,
      held: this.#held,
      ready: this.#routes.ready,
      inFlight: this.#routes.inFlight,
      settling: this.#settling,
      routes: this.#routes.size,
      bytesInMemory: this.#memory.bytes,
    };
  }

  async accept(incoming: IncomingMessage): Promise<void> {
    if (!this.isRunning) throw new Failure('queue-stopped', 'the queue is not running');
    const acceptance = this.#prepare(incoming);
    const claims = this.#claimAll(acceptance);
    const { recipients: named } = incoming;
    const expanded = reportExpansions(named, acceptance.deliveries, this.services.now());
    let told: ToldNow | null = null;
    try {
      if (expanded.length > 0) {
        const { id } = incoming;
        told = await this.#tell({ id, message: acceptance.message, recipients: expanded });
      }
      const parts = told === null ? [acceptance] : [acceptance, told.acceptance];
      const recorded = told === null ? [] : told.recorded;
      await this.services.store.commit(
        toBatch({ accepted: parts }, acceptance.recorded, ...recorded),
      );
      this.services.outage.worked();
    } catch (error) {
      this.#storeFailedAtMs = this.services.now();
      if (error instanceof Failure) this.#noteRefusal(error);
      for (const claim of [...claims, ...(told?.claims ?? [])]) this.letGo(claim);
      throw error;
    }
    this.#admit(acceptance, claims);
    if (told !== null) this.#admitTold(told);
    this.pump();
  }

  /** The sender tries again; only what concerns the store as a whole is worth a line. */
  #noteRefusal({ code, message }: Failure): void {
    if (code !== 'store-full' && code !== 'store-io') return;
    this.services.outage.failed({ code, reason: message });
  }

  #claimAll({ deliveries }: Acceptance): readonly Claim[] {
    return deliveries.map((delivery) => this.claim(delivery, 'accepting'));
  }

  #prepare(incoming: IncomingMessage): Acceptance {
    const key = this.keyOf(incoming.id);
    assert(key !== null, `not an id of shard ${this.services.shard}: ${incoming.id}`);
    return prepareAcceptance(this.services, incoming, key);
  }

  /** Committed: from now on fresh deliveries wait in memory as far as there is room. */
  #admit({ message, deliveries }: Acceptance, claims: readonly Claim[]): void {
    this.#queued += deliveries.length;
    this.#memory.setNextOrdinal(message.key, deliveries.length);
    for (const claim of claims) {
      const route = this.#routes.get(claim.delivery.routeKey);
      if (this.isRunning && this.#routes.roomFor(route) > 0) {
        if (this.#mayKeep(route, memoryBytesOf(message))) this.#memory.keep(message);
        this.#addReady(claim);
      } else {
        this.#loader.wake(route.routeKey, claim.delivery.dueAtMs);
        this.letGo(claim);
      }
    }
  }

  /** A route may fill as much memory as is still free for all. */
  #mayKeep(route: RouteState, bytes: number): boolean {
    const free = this.services.limits.inMemoryBytesMax - this.#memory.bytes;
    return bytes <= free && route.readyBytes + bytes <= free;
  }

  /** The delivery must not be claimed yet. */
  claim(delivery: StoredDelivery, state: Claim['state']): Claim {
    const name = nameOf(delivery);
    assert(!this.#claims.has(name), `delivery ${name} is claimed already`);
    const claim = { name, delivery, state, intent: null, isReader: true, readyBytes: 0 };
    this.#claims.set(name, claim);
    this.#memory.add(delivery.key);
    this.#routes.get(delivery.routeKey).claimed += 1;
    return claim;
  }

  findClaim(name: string): Claim | undefined {
    return this.#claims.get(name);
  }

  letGo(claim: Claim): void {
    this.#endReading(claim);
    this.#memory.remove(claim.delivery.key);
    this.#claims.delete(claim.name);
    const route = this.#routes.get(claim.delivery.routeKey);
    route.claimed -= 1;
    if (route.isLoading) route.letGo.add(claim.name);
    this.#routes.tidy(route);
  }

  #endReading(claim: Claim): void {
    if (!claim.isReader) return;
    claim.isReader = false;
    this.#memory.endReading(claim.delivery.key);
  }

  #addReady(claim: Claim): void {
    const message = this.#memory.find(claim.delivery.key);
    const bytes = message === null ? 0 : memoryBytesOf(message);
    this.#routes.addReady(this.#routes.get(claim.delivery.routeKey), claim, bytes);
  }

  /** Takes a ready claim out of its list, for a command. */
  withdraw(claim: Claim): void {
    this.#routes.removeReady(this.#routes.get(claim.delivery.routeKey), claim);
    claim.state = 'commanded';
  }

  /** Deliveries of the route fall due in the store at that time. */
  wake(routeKey: string, atMs: number): void {
    this.#loader.wake(routeKey, atMs);
  }

  /** Begins whatever may begin now, and sets the alarm for what comes next. */
  pump(): void {
    if (!this.isRunning) return;
    while (this.#settling < this.services.limits.settlingMax) {
      const next = this.#routes.next();
      if (next === null) break;
      this.#routes.removeReady(next.route, next.claim);
      this.#routes.begin(next.route);
      next.claim.state = 'attempting';
      void this.#attempt(next.route, next.claim);
    }
    this.#loader.load();
    this.#setAlarm();
  }

  #setAlarm(): void {
    const earliestMs = this.#loader.earliestMs;
    if (this.#alarm !== null) {
      if (earliestMs !== null && this.#alarm.atMs <= earliestMs) return;
      this.#alarm.cancel();
      this.#alarm = null;
    }
    if (earliestMs === null) return;
    const delayMs = Math.min(alarmMsMax, Math.max(1, earliestMs - this.services.now()));
    const cancel = this.setTimer(delayMs, () => {
      this.#alarm = null;
      this.pump();
    });
    this.#alarm = { atMs: earliestMs, cancel };
  }

  /** Calls back after `delayMs`; returns how to cancel. */
  setTimer(delayMs: number, callback: () => void): () => void {
    if (this.services.setTimer !== undefined) return this.services.setTimer(delayMs, callback);
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  }

  async #attempt(route: RouteState, claim: Claim): Promise<void> {
    const message = await this.readMessage(claim);
    if (message === null) {
      this.#routes.end(route, true);
      this.letGo(claim);
    } else {
      const report = await this.#report(claim, message);
      const hasFailed = report === null || isAllDeferred(report);
      this.#routes.end(route, hasFailed);
      // Cut by our own end: it is made again after the restart, as if it had never begun.
      if (hasFailed && this.#state === 'stopped') return this.letGo(claim);
      const settled = this.#settle(claim, message, report);
      this.pump();
      await settled;
    }
    this.pump();
    this.#tellIdle();
  }

  /** Null where it is gone, or cannot be read now and is tried later. */
  async readMessage(claim: Claim): Promise<StoredMessage | null> {
    const { delivery } = claim;
    const kept = this.#memory.find(delivery.key);
    if (kept !== null && delivery.unreadable === undefined) return kept;
    try {
      if (delivery.unreadable !== undefined) throw unreadableFailure(delivery.unreadable.reason);
      const message = await this.services.store.readMessage(delivery.key);
      if (message !== null) this.#memory.keep(message);
      return message;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const fields = { queueId: this.idOf(delivery.key), code: error.code, reason: error.message };
      if (isDamage(error) && (await this.#holdDamaged(delivery, error))) {
        const text = 'a message in the store is damaged and held; restore it, or remove it';
        this.services.log.error(fields, text);
      } else {
        this.services.log.error(fields, 'a message could not be read from the store');
        this.#loader.wake(delivery.routeKey, this.services.now() + unreadableWaitMs);
      }
      return null;
    }
  }

  /** What can never be read must not be tried each minute for ever. False where that is not stored. */
  async #holdDamaged(delivery: StoredDelivery, error: Failure): Promise<boolean> {
    const held = toDamaged(delivery, error, this.services.now());
    if (delivery.state === 'held') return true;
    const recorded = this.#recordHeld(this.idOf(delivery.key), held);
    try {
      await this.services.store.commit(toBatch({ updated: [held] }, recorded));
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      return false;
    }
    this.recount([delivery], [held]);
    return true;
  }

  /** Null where the attempt itself broke: a defect, which must not lose or stop mail. */
  async #report(claim: Claim, message: StoredMessage): Promise<AttemptReport | null> {
    const delivery = this.#toDelivery(claim.delivery, message);
    try {
      return await this.services.attempt(delivery);
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.services.log.error({ queueId: delivery.id, reason }, 'an attempt broke; deferred');
      return null;
    }
  }

  #toDelivery(stored: StoredDelivery, message: StoredMessage): Delivery {
    const { organization, reversePath, content, source, receivedAtMs } = message;
    return {
      id: this.idOf(stored.key),
      ordinal: stored.ordinal,
      organization,
      reversePath,
      recipients: stored.recipients,
      ...mailParametersOf(message),
      content,
      source,
      receivedAtMs,
      floor: stored.floor,
      attempts: stored.attempts,
      failedTlsAtMs: stored.failedTlsAtMs,
    };
  }

  async #settle(claim: Claim, message: StoredMessage, report: AttemptReport | null): Promise<void> {
    const { services } = this;
    const { recorder } = services;
    const nowMs = services.now();
    const { delivery } = claim;
    const { organization } = message;
    const policy = services.policy();
    const owner = findOrganization(policy, organization);
    const notices = owner?.delayNotices ?? defaultDelayNotices;
    const division = divideByFate(delivery, report ?? brokenReport(delivery, nowMs), {
      schedule: owner?.retry ?? defaultRetrySchedule,
      notices: message.reversePath === null ? null : notices,
      nowMs,
      random: services.random,
      routeKeyOf: ([first]) =>
        first === undefined ? delivery.routeKey : services.routeKeyFor(policy, organization, first),
    });
    const id = this.idOf(delivery.key);
    const recorded: Recorded[] = [];
    if (report !== null) {
      const tried = { id, ordinal: delivery.ordinal, attempts: delivery.attempts };
      recorded.push(recorder.recordAttempt(tried, report, division.nextAttemptAtMs));
      logAttempt(services.log, tried, report, division);
      meterAttempt(services.meter, message.receivedAtMs, report, division);
    }
    const { ordinal } = delivery;
    if (division.expired.length > 0) {
      const expired = { atMs: nowMs, outcomes: division.expired };
      recorded.push(recorder.recordExpired({ id, ordinal }, expired));
    }
    await this.finish(claim, message, division, recorded);
  }

  /** The one commit that ends what was begun with a claim, and lets it go. */
  async finish(
    claim: Claim,
    message: StoredMessage,
    division: Division,
    recorded: readonly Recorded[],
  ): Promise<boolean> {
    this.#settling += 1;
    claim.state = 'settling';
    const left = await this.#commitResult(claim, message, division, [...recorded]);
    this.#settling -= 1;
    this.letGo(claim);
    this.#tellIdle();
    if (left !== null && claim.intent !== null) this.onIntent(claim.intent, left);
    return left !== null;
  }

  /** What is left of the delivery; null where nothing was stored. */
  async #commitResult(
    claim: Claim,
    message: StoredMessage,
    division: Division,
    recorded: Recorded[],
  ): Promise<readonly StoredDelivery[] | null> {
    const { services } = this;
    const { delivery } = claim;
    const sinceMs = this.#shift.totalMs;
    const undated = await this.#giveOrdinals(delivery, division.left);
    if (undated === null) return null;
    const id = this.idOf(delivery.key);
    for (const part of undated)
      if (part.state === 'held') recorded.push(this.#recordHeld(id, part));
    const told = await this.#tell({ id, message, recipients: division.reported });
    this.#endReading(claim);
    const dated = (): readonly StoredDelivery[] => this.#shift.redate(undated, sinceMs);
    const stored = await this.#surely(() => {
      const parts = {
        accepted: told === null ? [] : [this.#shift.redateAccepted(told.acceptance, sinceMs)],
        updated: dated(),
        completed: undated.length === 0 ? [delivery] : [],
      };
      const batch = toBatch(parts, ...recorded, ...(told?.recorded ?? []));
      return services.store.commit(batch, rideWithinMs);
    });
    if (stored === null) {
      for (const each of told?.claims ?? []) this.letGo(each);
      return null;
    }
    const left = dated();
    this.recount([delivery], left);
    if (told !== null) this.#admitTold(told);
    return left;
  }

  /** The DSN, ready to be stored with what it tells of; null where nobody is to be told. */
  async #tell(report: Report): Promise<ToldNow | null> {
    const dsn = await prepareDsn(this.services, () => this.newId(), report);
    if (dsn === null) return null;
    const acceptance = this.#prepare(dsn);
    const recorded = [
      this.services.recorder.recordDsn(report.id, dsn, report.recipients),
      acceptance.recorded,
    ];
    return { dsn, report, acceptance, recorded, claims: this.#claimAll(acceptance) };
  }

  #admitTold({ dsn, report, acceptance, claims }: ToldNow): void {
    const action = actionOf(report.recipients);
    const { log, meter } = this.services;
    const fields = { about: report.id, action, recipients: report.recipients.length };
    log.info({ queueId: dsn.id, ...fields }, 'dsn written');
    meter.count('dsnsWritten', { action });
    this.#admit(acceptance, claims);
  }

  #recordHeld(id: string, part: StoredDelivery): Recorded {
    const outcome = part.lastOutcome;
    const cause = outcome?.kind === 'held' ? outcome.cause : 'held';
    const held = { atMs: this.services.now(), cause, reason: outcome?.reason ?? cause };
    return this.services.recorder.recordHeld({ id, ordinal: part.ordinal }, held);
  }

  /** The first part keeps the ordinal, further ones get new ones. Null where the queue stopped. */
  async #giveOrdinals(
    delivery: StoredDelivery,
    left: readonly StoredDelivery[],
  ): Promise<readonly StoredDelivery[] | null> {
    if (left.length < 2) return left;
    const { key } = delivery;
    if (this.#memory.nextOrdinal(key) === null) {
      const asked = await this.#surely(() => this.services.store.nextOrdinal(key));
      if (asked === null) return null;
      // A delivery of the same message may have been divided meanwhile.
      if (this.#memory.nextOrdinal(key) === null) this.#memory.setNextOrdinal(key, asked.value);
    }
    const first = this.#memory.nextOrdinal(key)!;
    this.#memory.setNextOrdinal(key, first + left.length - 1);
    return left.map((part, i) => (i === 0 ? part : { ...part, ordinal: first + i - 1 }));
  }

  /** After a commit: keeps the counts, and sees to it that what is queued gets its turn. */
  recount(before: readonly StoredDelivery[], after: readonly StoredDelivery[]): void {
    for (const { state } of before) this.#count(state, -1);
    for (const { state, routeKey, dueAtMs } of after) {
      this.#count(state, 1);
      if (state === 'queued') this.#loader.wake(routeKey, dueAtMs);
    }
  }

  #count(state: StoredDelivery['state'], by: number): void {
    if (state === 'held') this.#held += by;
    else this.#queued += by;
  }

  #surely<T>(action: () => Promise<T>): Promise<{ readonly value: T } | null> {
    const noted = async (): Promise<T> => {
      try {
        return await action();
      } catch (error) {
        this.#storeFailedAtMs = this.services.now();
        throw error;
      }
    };
    return surely(noted, {
      log: this.services.log,
      outage: this.services.outage,
      wait: (delayMs) => new Promise((resolve) => this.setTimer(delayMs, resolve)),
      isGivenUp: () => this.#state === 'stopped',
    });
  }

  #tellIdle(): void {
    if (this.#routes.inFlight === 0 && this.#settling === 0) this.#whenIdle?.();
  }
}
