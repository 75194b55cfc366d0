/** Entry of the thread that looks into contents for rules; started by `examine-content.ts`. */
import assert from 'node:assert/strict';
import { parentPort } from 'node:worker_threads';
import type { Answer, ContentQuestion } from '../policy/rules/rule-message.ts';
import { answerQuestions } from './answer-questions.ts';
import { openSource, sourceOfBytes } from './byte-source.ts';
import { defaultBounds, readFacts } from './message-facts.ts';

/** One content to look into. Plain data. */
export interface FactsJob {
  readonly id: number;
  readonly content:
    | { readonly kind: 'memory'; readonly bytes: Uint8Array }
    | {
        readonly kind: 'spool';
        readonly path: string;
        readonly offset: number;
        readonly sizeBytes: number;
      };
  readonly questions: readonly ContentQuestion[];
  /** After this long it is better to say "unknown" than to be ended. */
  readonly withinMs: number;
}

/** Answers in the order of the questions, or why there are none; id 0 says that the thread is ready. */
export type FactsReply =
  | { readonly id: number; readonly answers: readonly Answer[] }
  | { readonly id: number; readonly failure: string };

assert(parentPort !== null, 'the facts thread is started by its client');
const port = parentPort;
port.on('message', (job: FactsJob) => port.postMessage(perform(job)));
port.postMessage({ id: 0, answers: [] } satisfies FactsReply);

function perform({ id, content, questions, withinMs }: FactsJob): FactsReply {
  const endsAt = performance.now() + withinMs;
  const isLate = (): boolean => performance.now() > endsAt;
  try {
    const source = content.kind === 'memory' ? sourceOfBytes(content.bytes) : openSource(content);
    try {
      const facts = readFacts(source, { ...defaultBounds, isLate });
      return { id, answers: answerQuestions(facts, questions, isLate) };
    } finally {
      source.close();
    }
  } catch (error) {
    return { id, failure: error instanceof Error ? error.message : String(error) };
  }
}
