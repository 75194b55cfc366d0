/**
 * Which delivery is tried next: one list per route, round robin between routes, bounded shares.
 *
 * A route starts with a small window of attempts at once, which grows with success and is halved by
 * failure, and never takes more of anything than is left free for all others. So a destination that
 * hangs holds few places; and a quarter of all is kept for routes that have proved themselves lately,
 * so that the mailboxes and the servers inside get theirs while the way out is down.
 */
import type { Claim } from './claim.ts';
import type { QueueLimits } from './queue-services.ts';

/** What the queue knows of one next hop; kept while any of its deliveries waits or is claimed. */
export interface RouteState {
  readonly routeKey: string;
  /** First come, first served. */
  readonly ready: Set<Claim>;
  /** Contents in memory of the ready ones. */
  readyBytes: number;
  inFlight: number;
  /** Attempts at once that the destination has earned. */
  window: number;
  /** Claims of any state. */
  claimed: number;
  /** When the first delivery that is in the store alone falls due; null where none is known. */
  storedDueAtMs: number | null;
  isLoading: boolean;
  /** Names let go while the store was asked for due ones: the answer may be stale about them. */
  readonly letGo: Set<string>;
}

/** Attempts at once on a route of which nothing is known yet. */
const windowStart = 5;
/** What only proven routes may take, as a share of each bound. */
const reservedShare = 0.25;
/** Windows of proven routes that are remembered while nothing of them is queued. */
const provenMax = 10_000;

/** How many routes are looked at per turn; the rest come first next time. */
const looksMax = 256;

export class RouteLists {
  readonly #routes = new Map<string, RouteState>();
  readonly #limits: QueueLimits;
  /** Routes with ready deliveries; the first is the next. */
  readonly #ring = new Set<RouteState>();
  readonly #proven = new Map<string, number>();
  #ready = 0;
  #inFlight = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get ready(): number {
    return this.#ready;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get size(): number {
    return this.#routes.size;
  }

  get(routeKey: string): RouteState {
    let route = this.#routes.get(routeKey);
    if (route === undefined) {
      route = {
        routeKey,
        ready: new Set(),
        readyBytes: 0,
        inFlight: 0,
        window: this.#proven.get(routeKey) ?? windowStart,
        claimed: 0,
        storedDueAtMs: null,
        isLoading: false,
        letGo: new Set(),
      };
      this.#routes.set(routeKey, route);
    }
    return route;
  }

  all(): Iterable<RouteState> {
    return this.#routes.values();
  }

  find(routeKey: string): RouteState | undefined {
    return this.#routes.get(routeKey);
  }

  /** Forgets a route of which nothing is left, but not that it has proved itself. */
  tidy(route: RouteState): void {
    if (route.claimed > 0 || route.storedDueAtMs !== null || route.isLoading) return;
    this.#routes.delete(route.routeKey);
    this.#proven.delete(route.routeKey);
    if (!isProven(route)) return;
    this.#proven.set(route.routeKey, route.window);
    if (this.#proven.size > provenMax) this.#proven.delete(this.#proven.keys().next().value!);
  }

  /** How many more deliveries of the route may wait in memory. */
  roomFor(route: RouteState): number {
    const { readyMax, readyPerRouteMax } = this.#limits;
    const free = readyMax - this.#ready - (isProven(route) ? 0 : reserveOf(readyMax));
    const share = Math.min(readyPerRouteMax, free);
    return Math.max(0, share - route.ready.size);
  }

  /** `bytes` is what the claim keeps of content in memory. */
  addReady(route: RouteState, claim: Claim, bytes: number): void {
    claim.state = 'ready';
    claim.readyBytes = bytes;
    route.ready.add(claim);
    route.readyBytes += bytes;
    this.#ready += 1;
    this.#ring.add(route);
  }

  removeReady(route: RouteState, claim: Claim): void {
    if (!route.ready.delete(claim)) return;
    route.readyBytes -= claim.readyBytes;
    claim.readyBytes = 0;
    this.#ready -= 1;
    if (route.ready.size === 0) this.#ring.delete(route);
  }

  /** The next delivery that may start now, still in its list; null where none may. */
  next(): { readonly route: RouteState; readonly claim: Claim } | null {
    const free = this.#limits.inFlightMax - this.#inFlight;
    const share = Math.min(this.#limits.inFlightPerRouteMax, free);
    const isScarce = free <= reserveOf(this.#limits.inFlightMax);
    let looks = Math.min(looksMax, this.#ring.size);
    for (const route of this.#ring) {
      if (looks-- <= 0) return null;
      this.#ring.delete(route);
      this.#ring.add(route);
      if (isScarce && !isProven(route)) continue;
      if (route.inFlight >= Math.min(share, route.window)) continue;
      const [claim] = route.ready;
      if (claim !== undefined) return { route, claim };
    }
    return null;
  }

  begin(route: RouteState): void {
    route.inFlight += 1;
    this.#inFlight += 1;
  }

  /** `hasFailed`: nobody of the delivery got any further. */
  end(route: RouteState, hasFailed: boolean): void {
    route.inFlight -= 1;
    this.#inFlight -= 1;
    route.window = hasFailed
      ? Math.max(1, Math.floor(route.window / 2))
      : Math.min(route.window + 1, this.#limits.inFlightPerRouteMax);
  }
}

/** It delivered lately, and more often than it failed. */
function isProven({ window }: RouteState): boolean {
  return window > windowStart;
}

function reserveOf(bound: number): number {
  return Math.floor(bound * reservedShare);
}
