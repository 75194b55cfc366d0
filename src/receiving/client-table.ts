/**
 * What client addresses did lately, shared by the listeners of a process: new sessions, handshakes,
 * wrong passwords, and who behaved well. Every table is bounded in number.
 */

/** Bounds per address (IPv6: per /64). */
export interface ClientRates {
  readonly sessionsPerMinuteMax: number;
  /** Begun handshakes, whatever becomes of them. */
  readonly handshakesPerMinuteMax: number;
  readonly authFailuresPerHourMax: number;
}

export const defaultClientRates: ClientRates = {
  sessionsPerMinuteMax: 1200,
  handshakesPerMinuteMax: 600,
  authFailuresPerHourMax: 100,
};

/** Addresses that each table remembers; the one that was seen longest ago makes room. */
const keysMax = 10_000;
/** How long an address that sent an accepted message counts as known. */
const knownMs = 24 * 3_600_000;

export class ClientTable {
  readonly #sessions: RateTable;
  readonly #handshakes: RateTable;
  readonly #authFailures: RateTable;
  readonly #knownUntilMs = new Map<string, number>();
  readonly #now: () => number;

  /** `now` is monotonic, in milliseconds. */
  constructor(
    rates: ClientRates = defaultClientRates,
    now: () => number = () => performance.now(),
  ) {
    this.#sessions = new RateTable(rates.sessionsPerMinuteMax, 60_000);
    this.#handshakes = new RateTable(rates.handshakesPerMinuteMax, 60_000);
    this.#authFailures = new RateTable(rates.authFailuresPerHourMax, 3_600_000);
    this.#now = now;
  }

  /** Other bounds from now on; what was counted stays counted. */
  change(rates: ClientRates): void {
    this.#sessions.change(rates.sessionsPerMinuteMax);
    this.#handshakes.change(rates.handshakesPerMinuteMax);
    this.#authFailures.change(rates.authFailuresPerHourMax);
  }

  /** False where the address opened too many lately; else this one is counted. */
  mayOpenSession(key: string): boolean {
    return this.#sessions.take(key, this.#now());
  }

  /** False where the address began too many lately; else this one is counted. */
  mayHandshake(key: string): boolean {
    return this.#handshakes.take(key, this.#now());
  }

  /** False where too many passwords from the address were wrong lately. */
  mayAuthenticate(key: string): boolean {
    return this.#authFailures.has(key, this.#now());
  }

  recordAuthFailure(key: string): void {
    this.#authFailures.take(key, this.#now());
  }

  /** Whether a message from the address was accepted in the last day. */
  isKnown(key: string): boolean {
    return (this.#knownUntilMs.get(key) ?? 0) > this.#now();
  }

  recordAccepted(key: string): void {
    this.#knownUntilMs.delete(key);
    this.#knownUntilMs.set(key, this.#now() + knownMs);
    forgetOldest(this.#knownUntilMs);
  }
}

interface Bucket {
  left: number;
  atMs: number;
}

/** So many at once, and as many again in each span of time. */
class RateTable {
  #max: number;
  readonly #spanMs: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(max: number, spanMs: number) {
    this.#max = max;
    this.#spanMs = spanMs;
  }

  change(max: number): void {
    this.#max = max;
  }

  has(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key);
    return bucket === undefined || this.#leftOf(bucket, nowMs) >= 1;
  }

  take(key: string, nowMs: number): boolean {
    const known = this.#buckets.get(key);
    const left = known === undefined ? this.#max : this.#leftOf(known, nowMs);
    // Set anew, so that the order is that of last use.
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: left >= 1 ? left - 1 : left, atMs: nowMs });
    forgetOldest(this.#buckets);
    return left >= 1;
  }

  #leftOf(bucket: Bucket, nowMs: number): number {
    const passedMs = Math.max(0, nowMs - bucket.atMs);
    return Math.min(this.#max, bucket.left + (passedMs / this.#spanMs) * this.#max);
  }
}

function forgetOldest(entries: Map<string, unknown>): void {
  if (entries.size > keysMax) entries.delete(entries.keys().next().value!);
}
