/** What waits in the store: how many deliveries, and when the next of each route falls due. */
import type { QueueSummary, StoredDelivery } from '../store/store.ts';
import type { DueLoader } from './due-loader.ts';

export class Waiting {
  readonly #loader: DueLoader;
  #queued = 0;
  #held = 0;

  constructor(loader: DueLoader) {
    this.#loader = loader;
  }

  get queued(): number {
    return this.#queued;
  }

  get held(): number {
    return this.#held;
  }

  begin({ queued, held, routes }: QueueSummary): void {
    this.#queued = queued;
    this.#held = held;
    for (const { routeKey, dueAtMs } of routes) this.wake(routeKey, dueAtMs);
  }

  /** Deliveries of the route fall due in the store at that time. */
  wake(routeKey: string, atMs: number): void {
    this.#loader.wake(routeKey, atMs);
  }

  /** Fresh deliveries were stored, which are claimed. */
  add(deliveries: readonly StoredDelivery[]): void {
    for (const { state } of deliveries) this.#count(state, 1);
  }

  /** After a commit: keeps the counts, and sees to it that what is queued gets its turn. */
  recount(before: readonly StoredDelivery[], after: readonly StoredDelivery[]): void {
    for (const { state } of before) this.#count(state, -1);
    for (const { state, routeKey, dueAtMs } of after) {
      this.#count(state, 1);
      if (state === 'queued') this.wake(routeKey, dueAtMs);
    }
  }

  #count(state: StoredDelivery['state'], by: number): void {
    if (state === 'held') this.#held += by;
    else this.#queued += by;
  }
}
