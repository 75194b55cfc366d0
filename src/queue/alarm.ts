/** Timers of the queue, as it is given them, and the one alarm for what falls due next. */
import type { QueueServices } from './queue-services.ts';

/** The longest sleep, as clocks may be set. */
const sleepMsMax = 60_000;

/** Calls back after `delayMs`; returns how to cancel. */
export function startTimer(
  services: Pick<QueueServices, 'setTimer'>,
  delayMs: number,
  callback: () => void,
): () => void {
  if (services.setTimer !== undefined) return services.setTimer(delayMs, callback);
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

export class Alarm {
  readonly #services: Pick<QueueServices, 'setTimer' | 'now'>;
  readonly #onRing: () => void;
  #set: { readonly atMs: number; readonly cancel: () => void } | null = null;

  constructor(services: Pick<QueueServices, 'setTimer' | 'now'>, onRing: () => void) {
    this.#services = services;
    this.#onRing = onRing;
  }

  /** Rings at that time or before; null where nothing is to come. One that rings earlier stays. */
  set(atMs: number | null): void {
    if (this.#set !== null) {
      if (atMs !== null && this.#set.atMs <= atMs) return;
      this.cancel();
    }
    if (atMs === null) return;
    const delayMs = Math.min(sleepMsMax, Math.max(1, atMs - this.#services.now()));
    const cancel = startTimer(this.#services, delayMs, () => {
      this.#set = null;
      this.#onRing();
    });
    this.#set = { atMs, cancel };
  }

  cancel(): void {
    this.#set?.cancel();
    this.#set = null;
  }
}
