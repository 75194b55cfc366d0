/**
 * How many rehearsals are answered: so few that nobody can use the answers to bother somebody whose
 * address he forges. In memory, bounded.
 */
import type { RateBucket } from '../policy/rate-limit.ts';
import { refill, waitMsFor } from '../policy/rate-limit.ts';

const windowMs = 3600_000;
/** Answers an hour, of the whole gateway, to all and to each sender domain. */
export const answersPerHour = 120;
export const answersPerDomainPerHour = 10;
/** Domains that are remembered; the one used longest ago is forgotten first. */
const domainsMax = 10_000;

export class RehearsalAllowance {
  readonly #all: { readonly amount: number; readonly windowMs: number };
  readonly #one: { readonly amount: number; readonly windowMs: number };
  #bucket: RateBucket | null = null;
  readonly #domains = new Map<string, RateBucket>();

  /** `share`: how much of the gateway this process is; at least one answer is always its own. */
  constructor(share = 1) {
    const amountOf = (bound: number): number => Math.max(1, Math.floor(bound * share));
    this.#all = { amount: amountOf(answersPerHour), windowMs };
    this.#one = { amount: amountOf(answersPerDomainPerHour), windowMs };
  }

  get size(): number {
    return this.#domains.size;
  }

  /** Null where one may be answered, which is counted; else how long until the next. */
  take(domain: string, nowMs: number): number | null {
    const all = refill(this.#bucket, this.#all, nowMs);
    const one = refill(this.#domains.get(domain) ?? null, this.#one, nowMs);
    const waitMs = Math.max(waitMsFor(all, this.#all), waitMsFor(one, this.#one));
    if (waitMs > 0) return waitMs;
    this.#bucket = { ...all, tokens: all.tokens - 1 };
    this.#domains.delete(domain);
    this.#domains.set(domain, { ...one, tokens: one.tokens - 1 });
    if (this.#domains.size > domainsMax) this.#domains.delete(this.#domains.keys().next().value!);
    return null;
  }
}
