/** What a lane is made of: what it was started with, and the rooms that it opened. */
import type { DeliveryRoom } from '../delivery/delivery.ts';
import type { Policy } from '../policy/policy.ts';
import type { VerifyRecipient } from '../policy/recipient-verification.ts';
import type { Queue } from '../queue/queue.ts';
import type { ReceivingServices } from '../receiving/services.ts';
import type { Log } from '../report/log.ts';
import type { Store } from '../store/store.ts';
import type { DiskRoom } from './disk-room.ts';
import type { ClosableResolver, OpenResolver } from './lane-delivery.ts';
import type { RunningTls } from './lane-tls.ts';
import type { LaneStart } from './messages.ts';

/** What a lane holds once it runs. */
export interface Rooms {
  readonly store: Store;
  readonly disk: DiskRoom;
  readonly queue: Queue;
  readonly delivery: DeliveryRoom;
  readonly resolver: ClosableResolver;
  readonly recordRefusal: ReceivingServices['recordRefusal'];
  readonly verifyRecipient: VerifyRecipient;
}

export interface Frame {
  readonly start: LaneStart;
  readonly log: Log;
  readonly tls: RunningTls;
  readonly policy: () => Policy;
  readonly openResolver: OpenResolver;
}
