/**
 * The engine of one shard's queue: whose turn it is, and the commits that end what was begun.
 *
 * A delivery is claimed before anything is done to it and let go when the result is committed, so no
 * two attempts of one delivery ever run at once. What is not claimed is in the store alone.
 */
import assert from 'node:assert/strict';
import { Failure } from '../mail/failure.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Recorded } from '../report/trace.ts';
import type { DeliveryKey, StoredDelivery, StoredMessage } from '../store/store.ts';
import { Alarm, startTimer } from './alarm.ts';
import { isAllDeferred } from './attempt-report.ts';
import { capDueTimes } from './cap-due-times.ts';
import type { Claim } from './claim.ts';
import { Claims } from './claims.ts';
import type { Division } from './divide.ts';
import { DueLoader } from './due-loader.ts';
import { Intake } from './intake.ts';
import { MessageMemory } from './message-memory.ts';
import { MessageReader } from './message-reader.ts';
import type { QueueOrder } from './order.ts';
import { postpone } from './postpone.ts';
import { QueueIds } from './queue-ids.ts';
import type { QueueServices } from './queue-services.ts';
import type { RouteState } from './route-lists.ts';
import { RouteLists } from './route-lists.ts';
import { judgeAttempt, runAttempt } from './run-attempt.ts';
import { recordHeld, toBatch } from './settlement.ts';
import { surely } from './surely.ts';
import { TimeShift } from './time-shift.ts';
import { Waiting } from './waiting.ts';

/** Results ride with the next commit, and wait at most this long for one. */
const rideWithinMs = 20;

export class QueueCore {
  readonly services: QueueServices;
  readonly ids: QueueIds;
  readonly claims: Claims;
  readonly waiting: Waiting;
  readonly messages: MessageReader;
  readonly #routes: RouteLists;
  readonly #memory = new MessageMemory();
  readonly #intake: Intake;
  readonly #loader: DueLoader;
  readonly #shift: TimeShift;
  readonly #alarm: Alarm;
  /** Called when the claim has ended during which an administrator ordered something; what is left. */
  onIntent: (order: QueueOrder, left: readonly StoredDelivery[]) => void = () => undefined;
  #settling = 0;
  #state: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #whenIdle: (() => void) | null = null;
  #storeFailedAtMs = -Infinity;

  constructor(services: QueueServices) {
    this.services = services;
    this.ids = new QueueIds(services.shard, services.now);
    this.#routes = new RouteLists(services.limits);
    this.claims = new Claims(this.#routes, this.#memory, services.limits);
    this.#loader = new DueLoader({
      store: services.store,
      routes: this.#routes,
      log: services.log,
      outage: services.outage,
      now: services.now,
      isClaimed: (name) => this.claims.find(name) !== undefined,
      addReady: (delivery) => this.claims.addReady(this.claims.claim(delivery, 'ready')),
      pump: () => this.pump(),
    });
    this.waiting = new Waiting(this.#loader);
    this.messages = new MessageReader({
      services,
      ids: this.ids,
      memory: this.#memory,
      waiting: this.waiting,
    });
    this.#intake = new Intake({
      services,
      ids: this.ids,
      claims: this.claims,
      waiting: this.waiting,
      memory: this.#memory,
      isRunning: () => this.isRunning,
      pump: () => this.pump(),
      onStoreFailure: () => this.#noteStoreFailure(),
    });
    this.#alarm = new Alarm(services, () => this.pump());
    this.#shift = new TimeShift({
      store: services.store,
      surely: (action) => this.#surely(action),
      onShifted: (routes) => {
        this.#loader.resume(routes);
        this.#alarm.cancel();
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
    this.ids.begin(await this.services.store.lastKey());
    this.waiting.begin(summary);
    this.#state = 'running';
    this.pump();
  }

  /** No new attempts; waits for those under way, and for their commits, at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    this.#state = 'stopping';
    this.#alarm.cancel();
    this.#intake.stop();
    if (this.#routes.inFlight > 0 || this.#settling > 0) {
      await new Promise<void>((resolve) => {
        const cancel = startTimer(this.services, graceMs, resolve);
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
    this.claims.shiftTimes(byMs);
    this.#loader.pause();
    this.#shift.shift(byMs);
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
      queued: this.waiting.queued,
      held: this.waiting.held,
      ready: this.#routes.ready,
      inFlight: this.#routes.inFlight,
      settling: this.#settling,
      routes: this.#routes.size,
      bytesInMemory: this.#memory.bytes,
    };
  }

  /** All of them or none, in one commit. Where it rejects, nothing was taken. */
  accept(incomings: readonly IncomingMessage[]): Promise<void> {
    return this.#intake.accept(incomings);
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
    this.#alarm.set(this.#loader.earliestMs);
  }

  async #attempt(route: RouteState, claim: Claim): Promise<void> {
    const { services } = this;
    const message = await this.messages.read(claim);
    if (message === null) {
      this.#routes.end(route, true);
      this.claims.letGo(claim);
    } else {
      const id = this.ids.idOf(claim.delivery.key);
      const report = await runAttempt(services, { id, delivery: claim.delivery, message });
      const hasFailed = report === null || isAllDeferred(report);
      this.#routes.end(route, hasFailed);
      // Cut by our own end: it is made again after the restart, as if it had never begun.
      if (hasFailed && this.#state === 'stopped') return this.claims.letGo(claim);
      const nowMs = services.now();
      const attempted = { id, delivery: claim.delivery, message };
      const { division, recorded } = judgeAttempt(services, attempted, report, nowMs);
      const settled = this.finish(claim, message, division, recorded);
      this.pump();
      await settled;
    }
    this.pump();
    this.#tellIdle();
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
    this.claims.letGo(claim);
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
    const id = this.ids.idOf(delivery.key);
    for (const part of undated) {
      if (part.state === 'held') recorded.push(recordHeld(services, id, part));
    }
    const told = await this.#intake.prepareNotice({ id, message, recipients: division.reported });
    this.claims.endReading(claim);
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
      for (const each of told?.claims ?? []) this.claims.letGo(each);
      return null;
    }
    const left = dated();
    this.waiting.recount([delivery], left);
    if (told !== null) this.#intake.admitNotice(told);
    return left;
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

  #surely<T>(action: () => Promise<T>): Promise<{ readonly value: T } | null> {
    const noted = async (): Promise<T> => {
      try {
        return await action();
      } catch (error) {
        if (error instanceof Failure) this.#noteStoreFailure();
        throw error;
      }
    };
    return surely(noted, {
      log: this.services.log,
      outage: this.services.outage,
      wait: (delayMs) => new Promise((resolve) => startTimer(this.services, delayMs, resolve)),
      isGivenUp: () => this.#state === 'stopped',
    });
  }

  #noteStoreFailure(): void {
    this.#storeFailedAtMs = this.services.now();
  }

  #tellIdle(): void {
    if (this.#routes.inFlight === 0 && this.#settling === 0) this.#whenIdle?.();
  }
}
