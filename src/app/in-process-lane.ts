/**
 * A lane inside of the control process, for the demo and for tests that bring their own resolver.
 *
 * The same lane as in production but for its process: a crash is the whole gateway's.
 */
import { startRunningLane } from './lane.ts';
import type { OpenResolver } from './lane-resolver.ts';
import type { StartLane } from './lane-process.ts';

export function laneInProcess(openResolver: OpenResolver): StartLane {
  return (start, events, log) => {
    const onFatal = events.onFinalFailure.bind(events);
    const mayNoteCrash = (): void => undefined;
    const lane = startRunningLane(start, log, { onFatal, mayNoteCrash }, openResolver);
    const ready = lane.then(({ listeners }) => listeners);
    ready.catch(() => undefined);
    return {
      shard: start.shard,
      ready,
      // It lives as long as the gateway: what it is told to take over it has taken over.
      adopt: () => undefined,
      confirm: () => undefined,
      ask: async (name, asked, how = {}) =>
        (await lane).handlers[name](asked, (event) => how.onEvent?.(event)),
      stop: async (graceMs) => (await lane.catch(() => null))?.stop(graceMs),
    };
  };
}
