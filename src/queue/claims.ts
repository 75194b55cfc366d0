/**
 * The deliveries that this process works on, each claimed once, and what it keeps of them in memory.
 *
 * From the claim until it is let go nothing else touches the delivery.
 */
import assert from 'node:assert/strict';
import { shiftDelivery } from '../store/shift-times.ts';
import type { DeliveryKey, StoredDelivery, StoredMessage } from '../store/store.ts';
import type { Claim } from './claim.ts';
import { nameOf } from './claim.ts';
import type { MessageMemory } from './message-memory.ts';
import { memoryBytesOf } from './message-memory.ts';
import type { QueueLimits } from './queue-services.ts';
import type { RouteLists, RouteState } from './route-lists.ts';

export class Claims {
  readonly #routes: RouteLists;
  readonly #memory: MessageMemory;
  readonly #limits: QueueLimits;
  readonly #claims = new Map<string, Claim>();

  constructor(routes: RouteLists, memory: MessageMemory, limits: QueueLimits) {
    this.#routes = routes;
    this.#memory = memory;
    this.#limits = limits;
  }

  find(name: string): Claim | undefined {
    return this.#claims.get(name);
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

  /** Those of a message that is about to be stored. */
  claimAll(deliveries: readonly StoredDelivery[]): readonly Claim[] {
    return deliveries.map((delivery) => this.claim(delivery, 'accepting'));
  }

  letGo(claim: Claim): void {
    this.endReading(claim);
    this.#memory.remove(claim.delivery.key);
    this.#claims.delete(claim.name);
    const route = this.#routes.get(claim.delivery.routeKey);
    route.claimed -= 1;
    if (route.isLoading) route.letGo.add(claim.name);
    this.#routes.tidy(route);
  }

  /** The content is needed no more for it. */
  endReading(claim: Claim): void {
    if (!claim.isReader) return;
    claim.isReader = false;
    this.#memory.endReading(claim.delivery.key);
  }

  /** It waits for its turn now. */
  addReady(claim: Claim): void {
    const message = this.#memory.find(claim.delivery.key);
    const bytes = message === null ? 0 : memoryBytesOf(message);
    this.#routes.addReady(this.#routes.get(claim.delivery.routeKey), claim, bytes);
  }

  /** A fresh delivery waits for its turn, its content in memory; false where there is no room. */
  addFresh(claim: Claim, message: StoredMessage): boolean {
    const route = this.#routes.get(claim.delivery.routeKey);
    if (this.#routes.roomFor(route) <= 0) return false;
    if (this.#mayKeep(route, memoryBytesOf(message))) this.#memory.keep(message);
    this.addReady(claim);
    return true;
  }

  /** A route may fill as much memory as is still free for all. */
  #mayKeep(route: RouteState, bytes: number): boolean {
    const free = this.#limits.inMemoryBytesMax - this.#memory.bytes;
    return bytes <= free && route.readyBytes + bytes <= free;
  }

  /** Takes a ready claim out of its list, for a command. */
  withdraw(claim: Claim): void {
    this.#routes.removeReady(this.#routes.get(claim.delivery.routeKey), claim);
    claim.state = 'commanded';
  }

  /** Deliveries whose attempt has begun and whose result is not stored yet. */
  underWay(): readonly DeliveryKey[] {
    const begun = [...this.#claims.values()].filter(
      ({ state }) => state === 'attempting' || state === 'settling',
    );
    return begun.map(({ delivery: { key, ordinal } }) => ({ key, ordinal }));
  }

  /** The clock was set by `byMs`. */
  shiftTimes(byMs: number): void {
    for (const claim of this.#claims.values()) {
      claim.delivery = shiftDelivery(claim.delivery, byMs);
    }
  }
}
