/** What a lane answers the control process: one function for each of `LaneRequests`. */
import { Failure } from '../mail/failure.ts';
import { openSpool } from '../store/spool.ts';
import { foldersOf } from './data-folder.ts';
import { collectLaneMetrics } from './lane-metrics.ts';
import type { Frame, Rooms } from './lane-rooms.ts';
import type { ServicesOfDoor } from './lane-doors.ts';
import { reloadHandlers } from './lane-reload.ts';
import type { LaneHandlers } from './messages.ts';
import { submitMessage } from './submit.ts';

/** `servicesOf` makes the services of a new listener, whose sessions wait for the promise. */
export function laneHandlers(
  frame: Frame,
  rooms: Rooms,
  servicesOf: (opened: Promise<void>) => ServicesOfDoor,
): LaneHandlers {
  const { queue, disk } = rooms;
  const { config, shard } = frame.start;
  const spool = foldersOf(config.dataFolder).spoolOf(shard);
  return {
    submit: (submission) =>
      submitMessage(submission, {
        policy: frame.policy,
        newId: () => queue.newId(),
        verifyRecipient: rooms.verifyRecipient,
        examine: (content, questions) => frame.examiner.examine(content, questions),
        accept: (...messages) => {
          if (disk.admit() === null) return queue.accept(...messages);
          const text = 'the disk of the data folder is nearly full';
          return Promise.reject(new Failure('store-full', text));
        },
        openSpool: (organization) => openSpool(spool, organization),
        memoryContentBytes: frame.inForce().config.limits.memoryContentBytes,
        now: Date.now,
        meter: frame.meter,
      }),
    order: (order) => queue.command(order),
    status: () => {
      const { queued, held } = queue.counts();
      return Promise.resolve({ queued, held });
    },
    metrics: () => collectLaneMetrics(frame, rooms),
    validate: (asked, tell) => rooms.validations.run(asked, tell),
    ...reloadHandlers(frame, rooms, servicesOf),
  };
}
