/**
 * Tells senders that their mail is held because policy was weakened: after as long as any other wait,
 * and once.
 *
 * Held mail has no attempts with which such word could leave. So the store is asked now and then, as
 * long as anything is held; what was told is kept with the delivery, so a restart changes nothing.
 */
import { findOrganization } from '../policy/directory.ts';
import { Failure } from '../mail/failure.ts';
import { defaultDelayNotices } from '../policy/retry.ts';
import type { QueueRow, StoredDelivery } from '../store/store.ts';
import { startTimer } from './alarm.ts';
import { nameOf } from './claim.ts';
import type { QueueCore } from './queue-core.ts';
import { reportOutcomes } from './reported.ts';

/** How often; so much later than the setting says a sender may be told. */
const everyMs = 10 * 60_000;
/** Rows read at a time; those held longest come first. */
const rowsMax = 10_000;

export class HeldNotices {
  readonly #core: QueueCore;
  #cancel: () => void = () => undefined;

  constructor(core: QueueCore) {
    this.#core = core;
  }

  start(): void {
    this.#cancel = startTimer(this.#core.services, everyMs, () => {
      this.#tellAll()
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          this.#core.services.log.error({ reason }, 'held mail could not be looked through');
          if (!(error instanceof Failure)) throw error;
        })
        .finally(() => {
          if (this.#core.isRunning) this.start();
        });
    });
  }

  stop(): void {
    this.#cancel();
  }

  async #tellAll(): Promise<void> {
    const { store } = this.#core.services;
    if (this.#core.counts().held === 0) return;
    for (const row of await store.listQueue({ state: 'held', limit: rowsMax })) {
      if (!this.#core.isRunning) return;
      if (this.#isDue(row) && this.#core.claims.find(nameOf(row.delivery)) === undefined) {
        await this.#tell(row.delivery);
      }
    }
  }

  #isDue({ message, delivery }: QueueRow): boolean {
    const { services } = this.#core;
    if (message.reversePath === null || !isWeakened(delivery)) return false;
    if ((delivery.delayToldAtMs ?? delivery.tlsDelayToldAtMs) !== undefined) return false;
    const organization = findOrganization(services.policy(), message.organization);
    const { ordinaryMs } = organization?.delayNotices ?? defaultDelayNotices;
    return ordinaryMs > 0 && services.now() - delivery.retriesFromMs >= ordinaryMs;
  }

  /** Read again once it is claimed: it may have been released meanwhile. */
  async #tell(found: StoredDelivery): Promise<void> {
    const { services } = this.#core;
    const claim = this.#core.claims.claim(found, 'commanded');
    try {
      const rows = await services.store.listQueue({ key: found.key, limit: rowsMax });
      const row = rows.find(({ delivery }) => delivery.ordinal === found.ordinal);
      const message = row === undefined ? null : await this.#core.messages.read(claim);
      if (row === undefined || message === null || !this.#isDue(row) || hasMoved(row, found)) {
        this.#core.claims.letGo(claim);
        return;
      }
      claim.delivery = row.delivery;
      const { recipients, floor, lastOutcome } = row.delivery;
      const outcomes = recipients.map((recipient) => ({ recipient, outcome: lastOutcome! }));
      const told = { ...row.delivery, delayToldAtMs: services.now() };
      const reported = reportOutcomes(outcomes, { clauses: floor, candidates: [] });
      const division = { left: [told], expired: [], reported, nextAttemptAtMs: null };
      await this.#core.finish(claim, message, division, []);
      this.#core.pump();
    } catch (error) {
      if (this.#core.claims.find(claim.name) === claim) this.#core.claims.letGo(claim);
      throw error;
    }
  }
}

function hasMoved({ delivery }: QueueRow, found: StoredDelivery): boolean {
  return delivery.routeKey !== found.routeKey;
}

function isWeakened({ state, lastOutcome }: StoredDelivery): boolean {
  return (
    state === 'held' && lastOutcome?.kind === 'held' && lastOutcome.cause === 'policy-weakened'
  );
}
