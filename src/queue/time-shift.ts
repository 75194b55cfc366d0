/**
 * What waits moves with the clock, when the clock is set: in the store in the order of the commits,
 * and whatever was computed before and is committed after. @see ADR 0020
 */
import { shiftDelivery } from '../store/shift-times.ts';
import type { QueueSummary, Store, StoredDelivery } from '../store/store.ts';
import type { Acceptance } from './settlement.ts';

export interface ShiftServices {
  readonly store: Pick<Store, 'shiftTimes' | 'summarize'>;
  /** Tries until it succeeds; null where the queue ended before. */
  readonly surely: <T>(action: () => Promise<T>) => Promise<{ readonly value: T } | null>;
  /** The store's times are right again; what waits there. */
  readonly onShifted: (routes: QueueSummary['routes']) => void;
}

export class TimeShift {
  readonly #services: ShiftServices;
  #totalMs = 0;
  #under: Promise<void> = Promise.resolve();

  constructor(services: ShiftServices) {
    this.#services = services;
  }

  /** By how much the clock was set since the start, in all; for `redate` later. */
  get totalMs(): number {
    return this.#totalMs;
  }

  /** Nothing may be read from the store by its time until `onShifted` is called. */
  shift(byMs: number): void {
    this.#totalMs += byMs;
    this.#under = this.#shiftStored(byMs, this.#under);
  }

  async #shiftStored(byMs: number, before: Promise<void>): Promise<void> {
    const { store, surely, onShifted } = this.#services;
    const totalMs = this.#totalMs;
    const shifted = surely(() => store.shiftTimes(byMs));
    await before;
    if ((await shifted) === null) return;
    const summary = await surely(() => store.summarize());
    // A later shift is under way, and will tell.
    if (summary !== null && totalMs === this.#totalMs) onShifted(summary.value.routes);
  }

  /** As of now, what was computed when `totalMs` was that. */
  redate(deliveries: readonly StoredDelivery[], totalMs: number): readonly StoredDelivery[] {
    const byMs = this.#totalMs - totalMs;
    return byMs === 0 ? deliveries : deliveries.map((each) => shiftDelivery(each, byMs));
  }

  redateAccepted(acceptance: Acceptance, totalMs: number): Acceptance {
    return { ...acceptance, deliveries: this.redate(acceptance.deliveries, totalMs) };
  }
}
