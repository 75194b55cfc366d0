/** The bounds of a queue. The configuration sets some, the rest stand here. */

/** Bounds of one shard's queue. */
export interface QueueLimits {
  /**
   * Contents of fresh messages that are kept to be delivered from memory; beyond it, as for retries,
   * each is read from the store when its attempt begins. A spool file counts nothing.
   */
  readonly inMemoryBytesMax: number;
  /** Attempts at once, in all and per route. */
  readonly inFlightMax: number;
  readonly inFlightPerRouteMax: number;
  /** Deliveries that wait in memory for their attempt; the others wait in the store. */
  readonly readyMax: number;
  readonly readyPerRouteMax: number;
  /** Finished attempts whose result is not committed yet; beyond it no attempt begins. */
  readonly settlingMax: number;
  /** Deliveries in the store, held ones too; beyond it new mail is answered 452. */
  readonly waitingMax: number;
}

export const defaultQueueLimits: QueueLimits = {
  inMemoryBytesMax: 64 * 1024 * 1024,
  inFlightMax: 200,
  inFlightPerRouteMax: 20,
  readyMax: 10_000,
  readyPerRouteMax: 2000,
  settlingMax: 2000,
  waitingMax: 1_000_000,
};
