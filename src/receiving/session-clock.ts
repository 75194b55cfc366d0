/**
 * The clock of one session: how long we wait for the client, and how slowly its content may come.
 *
 * Runs only while it is the client's turn. All moments are those of `performance.now`.
 * @see RFC 5321 §4.5.3.2
 */
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { ServerSession } from '../smtp/server-session.ts';
import type { ListenerLimits } from './settings.ts';

/** The last word to a client that took too long, and how it is counted. */
export interface Overdue {
  readonly reply: Reply;
  readonly reason: 'timeout' | 'too-slow';
}

const timedOut: Overdue = {
  reply: reply(421, '4.4.2', 'timeout, closing'),
  reason: 'timeout',
};
const sessionTooLong: Overdue = {
  reply: reply(421, '4.4.2', 'the session took too long, closing'),
  reason: 'timeout',
};
const tooSlow: Overdue = {
  reply: reply(421, '4.4.2', 'the content comes too slowly, closing'),
  reason: 'too-slow',
};
const tooIdle: Overdue = {
  reply: reply(421, '4.3.2', 'this server is busy and you were idle, closing'),
  reason: 'timeout',
};

/** How long a closed session waits for the client to close too. */
const lingerMs = 5000;

export class SessionClock {
  readonly #limits: ListenerLimits;
  readonly #session: Pick<ServerSession, 'isInContent' | 'isInTransaction' | 'contentOctets'>;
  readonly #sessionEndsAtMs: number;
  #deadlineAtMs: number;
  #isStopped = false;
  #isLingering = false;
  /** Since when it is the client's turn; null while it is ours. */
  #waitsSinceMs: number | null = null;
  /** Of the content under way: the octets before it, and how long we waited for its own. */
  #content = { fromOctets: 0, waitedMs: 0 };

  constructor(
    limits: ListenerLimits,
    session: Pick<ServerSession, 'isInContent' | 'isInTransaction' | 'contentOctets'>,
  ) {
    this.#limits = limits;
    this.#session = session;
    const startedAtMs = performance.now();
    this.#deadlineAtMs = startedAtMs + limits.commandTimeoutMs;
    this.#sessionEndsAtMs = startedAtMs + limits.sessionMs;
  }

  /** Null while the client is in time. `isCrowded` where idle sessions take others' places. */
  findOverdue(nowMs: number, isCrowded: boolean): Overdue | null {
    if (this.#isStopped) return null;
    if (nowMs >= this.#deadlineAtMs) return timedOut;
    if (nowMs >= this.#sessionEndsAtMs) return sessionTooLong;
    if (this.#waitsSinceMs === null || this.#isLingering) return null;
    const waitedMs = nowMs - this.#waitsSinceMs;
    if (this.#session.isInContent) return this.#isTooSlow(waitedMs) ? tooSlow : null;
    const isIdle = !this.#session.isInTransaction && waitedMs > this.#limits.crowdedIdleMs;
    return isCrowded && isIdle ? tooIdle : null;
  }

  #isTooSlow(waitedMs: number): boolean {
    const { contentBytesPerSecondMin, slowAfterMs } = this.#limits;
    const contentMs = this.#content.waitedMs + waitedMs;
    const leastBytes = (contentBytesPerSecondMin * contentMs) / 1000;
    const bytes = this.#session.contentOctets - this.#content.fromOctets;
    return contentMs > slowAfterMs && bytes < leastBytes;
  }

  /** The client's turn begins; its time begins anew only where it has made progress. */
  beginTurn(hasProgress: boolean): void {
    const nowMs = performance.now();
    this.#waitsSinceMs = nowMs;
    const { isInContent, contentOctets } = this.#session;
    if (!isInContent) this.#content = { fromOctets: contentOctets, waitedMs: 0 };
    if (!hasProgress) return;
    const { commandTimeoutMs, dataTimeoutMs } = this.#limits;
    this.#deadlineAtMs = nowMs + (isInContent ? dataTimeoutMs : commandTimeoutMs);
  }

  /** Something came of the client: the turn is ours. */
  endTurn(): void {
    if (this.#waitsSinceMs === null) return;
    if (this.#session.isInContent) {
      this.#content.waitedMs += performance.now() - this.#waitsSinceMs;
    }
    this.#waitsSinceMs = null;
  }

  /** Times nobody while our own work lasts; afterwards the client's time begins anew. */
  async stopDuring(work: Promise<void>): Promise<void> {
    this.#isStopped = true;
    try {
      await work;
    } finally {
      this.#isStopped = false;
      this.#deadlineAtMs = performance.now() + this.#limits.commandTimeoutMs;
    }
  }

  /** Times nobody until `resume`. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Goes on with the time that was left. */
  resume(): void {
    this.#isStopped = false;
  }

  /** The session is over: from now on only the client's own end is waited for. */
  linger(): void {
    this.#isLingering = true;
    this.#deadlineAtMs = performance.now() + lingerMs;
  }
}
