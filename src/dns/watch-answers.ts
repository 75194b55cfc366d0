/**
 * Whether DNS answers at all: noticed when question after question fails, and when it is over.
 *
 * One domain whose servers are broken is no outage; so before it is called one, a question of our own
 * must fail too, and while it lasts that question is asked again and again.
 */
import type { DnsAnswer, DnsFailure, DnsFailureCode } from './resolver.ts';

export interface AnswerEvents {
  /** An outage is known already, from a resolver before this one. */
  readonly isOut?: boolean;
  /** With the answer to the last question. */
  began(failure: DnsFailure): void;
  ended(): void;
}

export interface AnswerWatch {
  /** Of each question to the servers; what came from memory says nothing. */
  observe(answer: DnsAnswer<unknown>): void;
  close(): void;
}

/** Failures in a row before we ask ourselves, and how often we ask while it lasts. */
const failuresMin = 3;
const probeEveryMs = 10_000;

/** What says nothing about the servers. */
const ownFaults: ReadonlySet<DnsFailureCode> = new Set([
  'busy',
  'closed',
  'bad-name',
  'alias-loop',
]);

/** `probe` asks the servers about a name of ours, whatever is remembered; it may exist or not. */
export function watchAnswers(
  probe: () => Promise<DnsAnswer<unknown>>,
  events: AnswerEvents,
  everyMs = probeEveryMs,
): AnswerWatch {
  let failures = 0;
  let state: 'well' | 'asking' | 'out' | 'closed' = 'well';
  let timer: NodeJS.Timeout | null = null;

  const look = async (): Promise<void> => {
    const answer = await probe();
    if (state === 'closed' || state === 'well') return;
    if (answer.kind !== 'failed') {
      const wasOut = state === 'out';
      failures = 0;
      state = 'well';
      if (wasOut) events.ended();
      return;
    }
    if (state === 'asking') {
      state = 'out';
      events.began(answer);
    }
    timer = setTimeout(() => void look(), everyMs);
    timer.unref();
  };

  if (events.isOut === true) {
    state = 'out';
    void look();
  }
  return {
    observe(answer) {
      if (answer.kind !== 'failed') {
        failures = 0;
        return;
      }
      if (ownFaults.has(answer.code)) return;
      failures += 1;
      if (failures < failuresMin || state !== 'well') return;
      state = 'asking';
      void look();
    },
    close() {
      state = 'closed';
      if (timer !== null) clearTimeout(timer);
    },
  };
}
