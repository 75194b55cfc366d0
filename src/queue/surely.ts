/**
 * What must not be forgotten while the process lives: the result of an attempt that cannot be undone.
 * A full or failing disk is waited for; the delivery stays claimed, so nothing is sent twice.
 */
import { Failure } from '../mail/failure.ts';
import type { Log } from '../report/log.ts';

const firstDelayMs = 100;
const delayMsMax = 10_000;

export interface Persistence {
  readonly log: Log;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly isGivenUp: () => boolean;
}

/**
 * The value; null where the store closed, or the queue stopped, before it succeeded. It is tried once
 * in any case: what ends while the queue stops counts too.
 */
export async function surely<T>(
  action: () => Promise<T>,
  { log, wait, isGivenUp }: Persistence,
): Promise<{ readonly value: T } | null> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, delayMsMax)) {
    try {
      return { value: await action() };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === 'store-closed' || isGivenUp()) return null;
      const fields = { code: error.code, reason: error.message, retryInMs: delayMs };
      log.error(fields, 'the result of an attempt could not be stored; trying again');
      await wait(delayMs);
      if (isGivenUp()) return null;
    }
  }
}
