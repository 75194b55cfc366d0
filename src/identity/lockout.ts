/**
 * Counts failed sign-ins by name and says how long the name is locked.
 *
 * Names are counted whether they exist or not, so that being locked tells nobody which exist.
 */

/** After `freeFailures` the name is locked for `firstMs`, doubling with each further failure. */
export interface LockoutRules {
  readonly freeFailures: number;
  readonly firstMs: number;
  readonly maxMs: number;
  /** Failures are forgotten after so long without another. */
  readonly forgetAfterMs: number;
  /** Unknown names that are remembered; the oldest go first. */
  readonly strangersMax: number;
}

export const defaultLockoutRules: LockoutRules = {
  freeFailures: 10,
  firstMs: 60_000,
  maxMs: 3_600_000,
  forgetAfterMs: 24 * 3_600_000,
  strangersMax: 10_000,
};

interface Entry {
  failures: number;
  lockedUntilMs: number;
  lastAtMs: number;
  /** Digest of the last wrong password: a device that repeats an old one is no attack. */
  lastWrong: string;
}

export class Lockout {
  readonly #rules: LockoutRules;
  /** Known names are kept apart, so that guessing at many others cannot push them out. */
  readonly #known = new Map<string, Entry>();
  readonly #strangers = new Map<string, Entry>();

  constructor(rules: LockoutRules = defaultLockoutRules) {
    this.#rules = rules;
  }

  isLocked(name: string, nowMs: number): boolean {
    return (this.#find(name, nowMs)?.lockedUntilMs ?? 0) > nowMs;
  }

  /** Whether this very password was the last one that failed. */
  isRepeated(name: string, digest: string, nowMs: number): boolean {
    return this.#find(name, nowMs)?.lastWrong === digest;
  }

  recordFailure(name: string, digest: string, options: { isKnown: boolean; nowMs: number }): void {
    const { isKnown, nowMs } = options;
    const entries = isKnown ? this.#known : this.#strangers;
    const failures = (this.#find(name, nowMs)?.failures ?? 0) + 1;
    const beyond = failures - this.#rules.freeFailures;
    const lockMs = beyond < 0 ? 0 : Math.min(this.#rules.firstMs * 2 ** beyond, this.#rules.maxMs);
    entries.delete(name);
    entries.set(name, {
      failures,
      lockedUntilMs: nowMs + lockMs,
      lastAtMs: nowMs,
      lastWrong: digest,
    });
    if (this.#strangers.size > this.#rules.strangersMax) {
      this.#strangers.delete(this.#strangers.keys().next().value!);
    }
  }

  recordSuccess(name: string): void {
    this.#known.delete(name);
    this.#strangers.delete(name);
  }

  /** Forgets known names that are none any more. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
  }

  #find(name: string, nowMs: number): Entry | undefined {
    for (const entries of [this.#known, this.#strangers]) {
      const entry = entries.get(name);
      if (entry === undefined) continue;
      if (nowMs - entry.lastAtMs < this.#rules.forgetAfterMs) return entry;
      entries.delete(name);
    }
    return undefined;
  }
}
