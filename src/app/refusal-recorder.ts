/**
 * Keeps refusals in the trace, so that an id in a reply can be looked up.
 *
 * Refusals are cheap to cause: what waits for the disk is bounded, and beyond the bound refusals are
 * only logged. Losing one loses no mail.
 */
import type { RefusalRecord } from '../receiving/services.ts';
import type { Log } from '../report/log.ts';
import { recordRefusal } from '../report/trace.ts';
import type { Store } from '../store/store.ts';

const waitingMax = 1000;

/** The returned function never throws and does not wait. */
export function createRefusalRecorder(
  store: Pick<Store, 'commit'>,
  log: Log,
): (refusal: RefusalRecord) => void {
  let waiting = 0;
  return (refusal) => {
    if (waiting >= waitingMax) {
      log.warn({ queueId: refusal.id }, 'refusal not kept in the trace: too many at once');
      return;
    }
    const { records, facts } = recordRefusal(refusal);
    waiting += 1;
    store
      .commit({ accepted: [], updated: [], completed: [], traces: records, facts })
      .catch((error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        log.warn({ queueId: refusal.id, error: text }, 'refusal not kept in the trace');
      })
      .finally(() => {
        waiting -= 1;
      });
  };
}
