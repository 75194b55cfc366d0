/**
 * How many validations may run, and to how many their messages go: bounded in all, for each organization
 * and connector, and over time.
 */
import { Failure } from '../../mail/failure.ts';
import type { RateBucket } from '../../policy/rate-limit.ts';
import { refill, waitMsFor } from '../../policy/rate-limit.ts';
import type { ValidationOrder } from './order.ts';

export interface AdmissionLimits {
  readonly runsMax: number;
  readonly runsPerOrganizationMax: number;
  readonly ordersPerMinute: number;
  /** Addresses that test messages of one organization go to. */
  readonly recipientsPerHour: number;
}

export const admissionLimits: AdmissionLimits = {
  runsMax: 4,
  runsPerOrganizationMax: 2,
  ordersPerMinute: 6,
  recipientsPerHour: 120,
};

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #now: () => number;
  /** By organization and connector. */
  readonly #running = new Map<string, string>();
  readonly #orders = new Map<string, RateBucket>();
  readonly #messages = new Map<string, RateBucket>();

  /** `now` is a clock that nobody sets. */
  constructor(now: () => number, limits: AdmissionLimits = admissionLimits) {
    this.#now = now;
    this.#limits = limits;
  }

  /** Throws `validation-busy`; the answer gives the place back. The schedule waits and is not counted. */
  admit({ organization, connector, trigger }: ValidationOrder): () => void {
    const { runsMax, runsPerOrganizationMax } = this.#limits;
    const key = `${organization}\n${connector}`;
    if (this.#running.has(key)) throw busy(`"${connector}" is being validated already`);
    if (this.#running.size >= runsMax) throw busy(`${runsMax} validations run already`);
    const own = [...this.#running.values()].filter((each) => each === organization).length;
    if (own >= runsPerOrganizationMax) {
      throw busy(`${runsPerOrganizationMax} validations of ${organization} run already`);
    }
    if (trigger === 'order') this.#take(organization);
    this.#running.set(key, organization);
    return () => void this.#running.delete(key);
  }

  /**
   * Throws `validation-busy` where messages have gone to too many: a draft may lead anywhere, and whoever
   * may validate need not be somebody who may send mail.
   */
  admitMessage(organization: string, recipients: number): void {
    const limit = { amount: this.#limits.recipientsPerHour, windowMs: 3_600_000 };
    const bucket = refill(this.#messages.get(organization) ?? null, limit, this.#now());
    if (bucket.tokens < recipients) {
      const waitMs = ((recipients - bucket.tokens) * limit.windowMs) / limit.amount;
      throw busy(
        `test messages of ${organization} went to ${limit.amount} addresses within an hour; the next may go in ${Math.ceil(waitMs / 60_000)} min, and a validation that stops before DATA at once`,
      );
    }
    this.#messages.set(organization, { ...bucket, tokens: bucket.tokens - recipients });
  }

  #take(organization: string): void {
    const limit = { amount: this.#limits.ordersPerMinute, windowMs: 60_000 };
    const bucket = refill(this.#orders.get(organization) ?? null, limit, this.#now());
    const waitMs = waitMsFor(bucket, limit);
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw busy(
        `${organization} has ordered ${limit.amount} validations in a minute; the next may come in ${seconds} s`,
      );
    }
    this.#orders.set(organization, { ...bucket, tokens: bucket.tokens - 1 });
  }
}

function busy(text: string): Failure {
  return new Failure('validation-busy', text);
}
