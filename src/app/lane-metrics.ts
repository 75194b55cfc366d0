/** What a lane counted, and how its rooms are now. */
import type { GaugeName, GaugeReading } from '../report/meter.ts';
import type { Frame, Rooms } from './lane-rooms.ts';
import type { LaneMetrics } from './messages.ts';

export async function collectLaneMetrics(frame: Frame, rooms: Rooms): Promise<LaneMetrics> {
  const refusing = rooms.disk.admit() ?? rooms.queue.admit();
  const counted = await frame.meter.collect([
    ...readQueue(rooms),
    ...readSessions(frame),
    one('connectionsOpen', rooms.outgoing.current.delivery.counts().connections),
    one('contentBytesInMemory', frame.contentMemory.usedBytes, 'receiving'),
    one('acceptsMail', refusing === null ? 1 : 0),
  ]);
  return { counted, refusing: refusing === null ? null : refusing.lines.join(' ') };
}

function readQueue({ queue, store }: Rooms): GaugeReading[] {
  const { queued, held, inFlight, bytesInMemory } = queue.counts();
  const { commits, waitingRecords, waitingBytes } = store.counts();
  return [
    one('queueDeliveries', queued, 'queued'),
    one('queueDeliveries', held, 'held'),
    one('attemptsInFlight', inFlight),
    one('contentBytesInMemory', bytesInMemory, 'queued'),
    one('storeCommits', commits),
    one('storeWaitingRecords', waitingRecords),
    one('storeWaitingBytes', waitingBytes),
  ];
}

/** A listener that is drained while its successor takes new sessions counts with it. */
function readSessions({ doors }: Frame): GaugeReading[] {
  const byName = new Map<string, number>();
  for (const { listener, open } of doors.sessions()) {
    byName.set(listener, (byName.get(listener) ?? 0) + open);
  }
  return Array.from(byName, ([listener, open]) => one('sessionsOpen', open, listener));
}

function one(name: GaugeName, value: number, ...labels: readonly string[]): GaugeReading {
  return { name, labels, value };
}
