/**
 * The wall clock, watched: a step of it is noticed at the next look, and told at once.
 *
 * A step is what the wall clock did and the monotonic one did not: somebody set it, or the machine
 * was suspended. Slewing, as by NTP, is none.
 * @see ADR 0020
 */

/** Smaller steps change nothing that matters here. */
const jumpMsMin = 60_000;
/** How often it is looked at when nobody asks for the time. */
const lookEveryMs = 5000;

export interface WatchedClock {
  /** Milliseconds since the epoch. `onJump` has been called when it returns. */
  now(): number;
  close(): void;
}

/** Both in milliseconds; `steady` never steps. */
export interface Clocks {
  wall(): number;
  steady(): number;
}

const realClocks: Clocks = { wall: Date.now, steady: () => performance.now() };

/** `onJump` is told by how much, negative for back, and must not throw. */
export function watchClock(
  onJump: (byMs: number) => void,
  clocks: Clocks = realClocks,
): WatchedClock {
  let wallMs = clocks.wall();
  let steadyMs = clocks.steady();
  const now = (): number => {
    const [wallNowMs, steadyNowMs] = [clocks.wall(), clocks.steady()];
    const byMs = Math.round(wallNowMs - wallMs - (steadyNowMs - steadyMs));
    wallMs = wallNowMs;
    steadyMs = steadyNowMs;
    if (Math.abs(byMs) >= jumpMsMin) onJump(byMs);
    return wallNowMs;
  };
  const timer = setInterval(now, lookEveryMs);
  timer.unref();
  return { now, close: () => clearInterval(timer) };
}
