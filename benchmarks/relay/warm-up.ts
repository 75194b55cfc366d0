/**
 * Load before the measurement: a server that has just started compiles, fills caches and grows its
 * heap, and what matters is how it runs for weeks.
 */
import { measureRun } from './measure-run.ts';
import type { Peer } from './peer.ts';
import type { Workshop } from './workshop.ts';

const messagesFirst = 300;
const secondsPerRun = 3;

/** Half of the time with short sessions, half with long ones; the same for each peer. */
export async function warmUp(workshop: Workshop, peer: Peer, seconds: number): Promise<void> {
  for (const perSession of [1, 100]) {
    let messages = messagesFirst;
    for (let leftSeconds = seconds / 2; leftSeconds > 0;) {
      const figures = await measureRun(workshop, peer, {
        sessions: 20,
        perSession,
        sizeBytes: 4096,
        messages,
        isVerified: false,
        hasQuickAck: false,
      });
      if (figures.deliveredRate === 0) {
        throw new Error(`${peer.title} delivered nothing: ${figures.problems.join(', ')}`);
      }
      leftSeconds -= figures.seconds;
      messages = Math.ceil(figures.deliveredRate * Math.min(secondsPerRun, leftSeconds));
    }
  }
}
