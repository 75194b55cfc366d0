/**
 * The message of a claimed delivery, from memory or from the store; what is damaged there is held.
 *
 * What can never be read must not be tried each minute for ever.
 */
import { Failure } from '../mail/failure.ts';
import type { StoredDelivery, StoredMessage } from '../store/store.ts';
import type { Claim } from './claim.ts';
import { isDamage, toDamaged, unreadableFailure } from './damaged.ts';
import type { MessageMemory } from './message-memory.ts';
import type { QueueIds } from './queue-ids.ts';
import type { QueueServices } from './queue-services.ts';
import { recordHeld, toBatch } from './settlement.ts';
import type { Waiting } from './waiting.ts';

/** After a content that could not be read. */
const unreadableWaitMs = 60_000;

export interface ReaderParts {
  readonly services: QueueServices;
  readonly ids: QueueIds;
  readonly memory: MessageMemory;
  readonly waiting: Waiting;
}

export class MessageReader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** Null where it is gone, is damaged and now held, or cannot be read now and is tried later. */
  async read({ delivery }: Claim): Promise<StoredMessage | null> {
    const { services, memory } = this.#parts;
    const kept = memory.find(delivery.key);
    if (kept !== null && delivery.unreadable === undefined) return kept;
    try {
      if (delivery.unreadable !== undefined) throw unreadableFailure(delivery.unreadable.reason);
      const message = await services.store.readMessage(delivery.key);
      if (message !== null) memory.keep(message);
      return message;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await this.#putAside(delivery, error);
      return null;
    }
  }

  async #putAside(delivery: StoredDelivery, error: Failure): Promise<void> {
    const { services, ids, waiting } = this.#parts;
    const fields = { queueId: ids.idOf(delivery.key), code: error.code, reason: error.message };
    if (isDamage(error) && (await this.#hold(delivery, error))) {
      const text = 'a message in the store is damaged and held; restore it, or remove it';
      services.log.error(fields, text);
    } else {
      services.log.error(fields, 'a message could not be read from the store');
      waiting.wake(delivery.routeKey, services.now() + unreadableWaitMs);
    }
  }

  /** False where that is not stored. */
  async #hold(delivery: StoredDelivery, error: Failure): Promise<boolean> {
    const { services, ids, waiting } = this.#parts;
    const held = toDamaged(delivery, error, services.now());
    if (delivery.state === 'held') return true;
    const recorded = recordHeld(services, ids.idOf(delivery.key), held);
    try {
      await services.store.commit(toBatch({ updated: [held] }, recorded));
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      return false;
    }
    waiting.recount([delivery], [held]);
    return true;
  }
}
