/**
 * Brings due deliveries from the store into memory: per route, in pages, as there is room.
 *
 * Each page is asked from the longest due on, past those that are claimed already, so nothing can be
 * overlooked: what is not claimed and due is found by the next question.
 */
import { Failure } from '../mail/failure.ts';
import type { Log } from '../report/log.ts';
import type { Outage } from '../report/outage.ts';
import type { QueueSummary, Store, StoredDelivery } from '../store/store.ts';
import { nameOf } from './claim.ts';
import { DueHeap } from './due-heap.ts';
import type { RouteLists, RouteState } from './route-lists.ts';

/** Deliveries per question, questions at once, routes looked at per turn, wait after a failure. */
const pageMax = 200;
const loadsMax = 4;
const looksMax = 64;
const failureWaitMs = 5000;

export interface LoaderServices {
  readonly store: Store;
  readonly routes: RouteLists;
  readonly log: Log;
  readonly outage: Outage;
  readonly now: () => number;
  readonly isClaimed: (name: string) => boolean;
  /** Claims it and puts it into its route's list. */
  readonly addReady: (delivery: StoredDelivery) => void;
  /** There may be something to do. */
  readonly pump: () => void;
}

export class DueLoader {
  readonly #services: LoaderServices;
  readonly #heap = new DueHeap();
  /** Routes with something due, the longest waiting first. */
  readonly #wanting = new Set<RouteState>();
  #loads = 0;
  /** Counts pauses: what was asked before one is no answer any more. */
  #epoch = 0;
  #isPaused = false;

  constructor(services: LoaderServices) {
    this.#services = services;
  }

  /** When to call `load` next; null where nothing is known to fall due. */
  get earliestMs(): number | null {
    return this.#isPaused ? null : this.#heap.earliestMs;
  }

  /** Something of the route is, or falls due, in the store alone. */
  wake(routeKey: string, atMs: number): void {
    const route = this.#services.routes.get(routeKey);
    if (route.storedDueAtMs !== null && route.storedDueAtMs <= atMs) return;
    route.storedDueAtMs = atMs;
    this.#heap.push(atMs, routeKey);
    if (this.#heap.size > 64 + 4 * this.#services.routes.size) this.#rebuild();
  }

  /** Asks for nothing until `resume`: the times in the store are being changed. */
  pause(): void {
    this.#isPaused = true;
    this.#epoch += 1;
  }

  /** `routes` is what waits in the store now. What else was known is at worst asked for in vain. */
  resume(routes: QueueSummary['routes']): void {
    this.#isPaused = false;
    this.#epoch += 1;
    for (const { routeKey, dueAtMs } of routes) this.wake(routeKey, dueAtMs);
  }

  /** Without the entries that are outdated. */
  #rebuild(): void {
    this.#heap.clear();
    for (const { storedDueAtMs, routeKey } of this.#services.routes.all()) {
      if (storedDueAtMs !== null) this.#heap.push(storedDueAtMs, routeKey);
    }
  }

  /** Asks for what is due, as far as there is room. */
  load(): void {
    this.#takeDue();
    // Asking for the time may have paused it: that is when a clock that was set is noticed.
    if (this.#isPaused) return;
    const { routes, now } = this.#services;
    let looks = Math.min(looksMax, this.#wanting.size);
    for (const route of this.#wanting) {
      if (looks-- <= 0 || this.#loads >= loadsMax) return;
      this.#wanting.delete(route);
      if (route.storedDueAtMs === null) continue;
      if (route.storedDueAtMs > now()) {
        // The clock was set back meanwhile.
        this.#heap.push(route.storedDueAtMs, route.routeKey);
        continue;
      }
      if (this.#isPaused) {
        this.#wanting.add(route);
        return;
      }
      const room = routes.roomFor(route);
      if (route.isLoading || room === 0 || route.ready.size > room) this.#wanting.add(route);
      else void this.#loadRoute(route, Math.min(room, pageMax));
    }
  }

  #takeDue(): void {
    const nowMs = this.#services.now();
    for (;;) {
      const routeKey = this.#heap.take(nowMs);
      if (routeKey === null) return;
      const route = this.#services.routes.find(routeKey);
      if (route === undefined || route.storedDueAtMs === null) continue;
      if (route.storedDueAtMs <= nowMs) this.#wanting.add(route);
      else this.#heap.push(route.storedDueAtMs, routeKey);
    }
  }

  async #loadRoute(route: RouteState, page: number): Promise<void> {
    const { routes, now, pump } = this.#services;
    const nowMs = now();
    if (this.#isPaused) {
      this.#wanting.add(route);
      return;
    }
    route.isLoading = true;
    route.storedDueAtMs = null;
    this.#loads += 1;
    const epoch = this.#epoch;
    const found = await this.#ask(route, nowMs, route.claimed + page);
    route.isLoading = false;
    this.#loads -= 1;
    if (epoch !== this.#epoch) {
      // The times of these rows are not theirs any more; whoever changed them wakes what is due.
      route.letGo.clear();
      this.wake(route.routeKey, now());
      pump();
      return;
    }
    if (!this.#addAll(route, found.rows)) this.wake(route.routeKey, nowMs);
    if (found.nextMs !== null) this.wake(route.routeKey, found.nextMs);
    route.letGo.clear();
    routes.tidy(route);
    pump();
  }

  async #ask(
    route: RouteState,
    nowMs: number,
    limit: number,
  ): Promise<{ readonly rows: readonly StoredDelivery[]; readonly nextMs: number | null }> {
    const { store, log, outage } = this.#services;
    try {
      const rows = await store.listDue(route.routeKey, nowMs, limit);
      if (rows.length >= limit) return { rows, nextMs: nowMs };
      return { rows, nextMs: await store.nextDueAtMs(route.routeKey, nowMs) };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const fields = { code: error.code, reason: error.message };
      if (error.code === 'store-io' || error.code === 'store-full') outage.failed(fields);
      else log.error({ ...fields, route: route.routeKey }, 'due deliveries could not be read');
      return { rows: [], nextMs: nowMs + failureWaitMs };
    }
  }

  /** False where some were left out. */
  #addAll(route: RouteState, rows: readonly StoredDelivery[]): boolean {
    const { routes, isClaimed, addReady } = this.#services;
    let isComplete = true;
    for (const row of rows) {
      const name = nameOf(row);
      if (isClaimed(name)) continue;
      if (route.letGo.has(name) || routes.roomFor(route) === 0) isComplete = false;
      else addReady(row);
    }
    return isComplete;
  }
}
