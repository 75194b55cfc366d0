/**
 * Delivery and its resolver as a lane's queue sees them, while reloads replace both.
 *
 * What an attempt began with it ends with; the next attempt finds the new room, its bounds, resolvers,
 * certificates, and no connection that was opened under the old ones. So does one that only waited.
 */
import type { DeliveryRoom } from '../delivery/delivery.ts';
import type { AttemptDelivery } from '../policy/delivery.ts';
import type { ClosableResolver } from './lane-resolver.ts';

export interface OutgoingRoom {
  readonly delivery: DeliveryRoom;
  readonly resolver: ClosableResolver;
}

export class Outgoing {
  #current: OutgoingRoom;
  readonly #retired = new Set<OutgoingRoom>();
  readonly attempt: AttemptDelivery = (delivery) => this.#current.delivery.attempt(delivery);
  readonly verifyRecipient: DeliveryRoom['verifyRecipient'] = (...asked) =>
    this.#current.delivery.verifyRecipient(...asked);

  constructor(first: OutgoingRoom) {
    this.#current = first;
  }

  /** The room that new attempts find. */
  get current(): OutgoingRoom {
    return this.#current;
  }

  replace(next: OutgoingRoom): void {
    const old = this.#current;
    this.#current = next;
    this.#retired.add(old);
    void old.delivery.retire(this.attempt).then(() => {
      old.resolver.close();
      this.#retired.delete(old);
    });
  }

  async stop(graceMs: number): Promise<void> {
    const rooms = [this.#current, ...this.#retired];
    await Promise.all(rooms.map(({ delivery }) => delivery.stop(graceMs)));
  }

  close(): void {
    for (const { resolver } of [this.#current, ...this.#retired]) resolver.close();
  }
}
