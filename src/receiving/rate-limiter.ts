/** The buckets of the rate limits, in bounded tables; process-wide, shared by all listeners. */
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { RateBucket, RateClaim, RateLimitName, RateLimits } from '../policy/rate-limit.ts';
import { refill, waitMsFor, windowMsOf } from '../policy/rate-limit.ts';

/** `isRepeated`: within the window the same key was refused before, and the log said so. */
export interface RateRefusal {
  readonly limit: RateLimitName;
  readonly reply: Reply;
  readonly reason: string;
  readonly isRepeated: boolean;
}

interface Entry {
  bucket: RateBucket;
  /** When the log last told of it; null: not yet. */
  toldAtMs: number | null;
}

const nouns: Readonly<Record<RateLimitName, readonly [what: string, who: string, time: string]>> = {
  messagesPerAccountPerHour: ['messages', 'from this account', 'an hour'],
  recipientsPerAccountPerHour: ['recipients', 'from this account', 'an hour'],
  messagesPerSenderPerHour: ['messages', 'from this sender', 'an hour'],
  recipientsPerSenderPerHour: ['recipients', 'from this sender', 'an hour'],
  messagesPerOrganizationPerMinute: ['messages', 'for this organization', 'a minute'],
};

export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #entriesMax: number;
  /** A table for each limit: strangers cannot push accounts out. The key used longest ago first. */
  readonly #tables = new Map<RateLimitName, Map<string, Entry>>();

  constructor(limits: RateLimits, entriesMax = 10_000) {
    this.#limits = limits;
    this.#entriesMax = entriesMax;
  }

  /** Entries of the fullest table. */
  get size(): number {
    return Math.max(0, ...[...this.#tables.values()].map((table) => table.size));
  }

  /** Takes a token for each claim, or none at all; null where all were there. */
  take(claims: readonly RateClaim[], nowMs: number): RateRefusal | null {
    const wanted = claims.filter(({ limit }) => this.#limits[limit] > 0);
    const found = wanted.map((claim) => this.#look(claim, nowMs));
    for (const [i, claim] of wanted.entries()) {
      const waitMs = waitMsFor(found[i]!.bucket, this.#rateOf(claim.limit));
      if (waitMs > 0) return this.#refusal(claim, found[i]!, { waitMs, nowMs });
    }
    for (const entry of found) {
      entry.bucket = { ...entry.bucket, tokens: entry.bucket.tokens - 1 };
    }
    return null;
  }

  #rateOf(limit: RateLimitName): { readonly amount: number; readonly windowMs: number } {
    return { amount: this.#limits[limit], windowMs: windowMsOf(limit) };
  }

  /** The entry as of now, which becomes the one used last. */
  #look({ limit, key }: RateClaim, nowMs: number): Entry {
    let table = this.#tables.get(limit);
    if (table === undefined) this.#tables.set(limit, (table = new Map<string, Entry>()));
    const known = table.get(key);
    const bucket = refill(known?.bucket ?? null, this.#rateOf(limit), nowMs);
    const entry = { bucket, toldAtMs: known?.toldAtMs ?? null };
    table.delete(key);
    table.set(key, entry);
    if (table.size > this.#entriesMax) table.delete(table.keys().next().value!);
    return entry;
  }

  #refusal(
    { limit, key }: RateClaim,
    entry: Entry,
    { waitMs, nowMs }: { readonly waitMs: number; readonly nowMs: number },
  ): RateRefusal {
    const toldAgoMs = entry.toldAtMs === null ? Infinity : Math.abs(nowMs - entry.toldAtMs);
    const isRepeated = toldAgoMs < windowMsOf(limit);
    if (!isRepeated) entry.toldAtMs = nowMs;
    const [what, who, time] = nouns[limit];
    const text = `too many ${what} ${who} within ${time}, try again in ${inWords(waitMs)}`;
    return {
      limit,
      reply: reply(450, '4.7.1', text),
      reason: `more ${what} than limits.${limit} lets through (here ${this.#limits[limit]}), by ${key}`,
      isRepeated,
    };
  }
}

function inWords(waitMs: number): string {
  const seconds = Math.ceil(waitMs / 1000);
  if (seconds === 1) return 'a second';
  if (seconds < 120) return `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
