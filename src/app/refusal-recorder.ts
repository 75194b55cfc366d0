/**
 * Keeps refusals in the trace, so that an id in a reply can be looked up.
 *
 * Refusals cost a stranger nothing, and each takes disk for as long as traces are kept. So there is a
 * bound for each client and one for all; beyond them refusals are only logged. Losing one loses no
 * mail.
 */
import type { RefusalRecord } from '../receiving/services.ts';
import type { Log } from '../report/log.ts';
import { recordRefusal } from '../report/trace.ts';
import type { Store } from '../store/store.ts';

/** Refusals that wait for the disk. */
const waitingMax = 1000;
/** What each client address, and all together, may have kept: at once, and then per second. */
const perClient = { burst: 200, perSecond: 1 };
const forAll = { burst: 5000, perSecond: 20 };
/** Clients that are remembered; the longest known is forgotten first. */
const clientsMax = 10_000;

/** The returned function never throws and does not wait. */
export function createRefusalRecorder(
  store: Pick<Store, 'commit'>,
  log: Log,
): (refusal: RefusalRecord) => void {
  let waiting = 0;
  const mayKeep = createAllowance();
  return (refusal) => {
    if (waiting >= waitingMax || !mayKeep(refusal)) {
      log.debug({ queueId: refusal.id }, 'refusal not kept in the trace: too many');
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

function createAllowance(): (refusal: RefusalRecord) => boolean {
  const all = new Bucket(forAll);
  const clients = new Map<string, Bucket>();
  return ({ clientAddress, atMs }) => {
    let client = clients.get(clientAddress);
    if (client === undefined) {
      client = new Bucket(perClient);
      clients.set(clientAddress, client);
      if (clients.size > clientsMax) clients.delete(clients.keys().next().value!);
    }
    return client.has(atMs) && all.has(atMs) && client.take() && all.take();
  };
}

/** A number of tokens that fills up with time. */
class Bucket {
  readonly #rate: { readonly burst: number; readonly perSecond: number };
  #tokens: number;
  #atMs: number | null = null;

  constructor(rate: { readonly burst: number; readonly perSecond: number }) {
    this.#rate = rate;
    this.#tokens = rate.burst;
  }

  /** A clock that was set back adds nothing. */
  has(nowMs: number): boolean {
    const { burst, perSecond } = this.#rate;
    const seconds = Math.max(0, nowMs - (this.#atMs ?? nowMs)) / 1000;
    this.#atMs = nowMs;
    this.#tokens = Math.min(burst, this.#tokens + seconds * perSecond);
    return this.#tokens >= 1;
  }

  take(): boolean {
    this.#tokens -= 1;
    return true;
  }
}
