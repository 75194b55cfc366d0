/**
 * What must not be forgotten while the process lives: the result of an attempt that cannot be undone.
 * A full or failing disk is waited for; the delivery stays claimed, so nothing is sent twice.
 */
import { Failure } from '../mail/failure.ts';
import type { Log } from '../report/log.ts';
import { didOrSaid } from '../report/log.ts';
import type { Outage } from '../report/outage.ts';

const firstDelayMs = 100;
const delayMsMax = 10_000;

export interface Persistence {
  readonly log: Log;
  /** Says it of the whole store, once. */
  readonly outage: Outage;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly isGivenUp: () => boolean;
}

/**
 * The value; null where the store closed, or the queue stopped, before it succeeded. It is tried once
 * in any case: what ends while the queue stops counts too.
 */
export async function surely<T>(
  action: () => Promise<T>,
  { log, outage, wait, isGivenUp }: Persistence,
): Promise<{ readonly value: T } | null> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, delayMsMax)) {
    try {
      const value = await action();
      // It is done: what breaks in saying so must not have it done again.
      const text = 'a change was stored; that the store works again could not be said';
      didOrSaid(log, { text }, () => outage.worked());
      return { value };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === 'store-closed' || isGivenUp()) return null;
      const text = 'a change could not be stored, and that could not be said; trying again';
      didOrSaid(log, { text }, () => noteStoreFailure(error, { log, outage }));
      await wait(delayMs);
      if (isGivenUp()) return null;
    }
  }
}

/** What concerns the whole store is said once, by the outage; what concerns one batch here. */
export function noteStoreFailure(
  { code, message }: Failure,
  { log, outage }: Pick<Persistence, 'log' | 'outage'>,
): void {
  const fields = { code, reason: message };
  if (code === 'store-full' || code === 'store-io') outage.failed(fields);
  else if (code !== 'queue-full') log.error(fields, 'a change could not be stored; trying again');
}
