/**
 * Asks contents what rules want to know, in a thread of its own: bounded in time, memory and number.
 *
 * For receiving; one per process. Nothing rejects: whatever goes wrong, the answers are unknown, and
 * the rules then do what is safe.
 */
import { Worker } from 'node:worker_threads';
import type { Content } from '../mail/content.ts';
import type { Answer, ContentQuestion, MessageFacts } from '../policy/rules/rule-message.ts';
import { noFacts } from '../policy/rules/rule-message.ts';
import type { FactsJob, FactsReply } from './facts-worker.ts';

export interface ExaminerLimits {
  /** What one content may take; the thread is ended when it takes longer. */
  readonly jobMs: number;
  /** What a content waits for its turn at most. */
  readonly waitMs: number;
  readonly waitingMax: number;
  /** What the thread may take to start. */
  readonly startMs: number;
  readonly heapMegabytesMax: number;
}

export const defaultExaminerLimits: ExaminerLimits = {
  jobMs: 2000,
  waitMs: 10_000,
  waitingMax: 200,
  startMs: 10_000,
  heapMegabytesMax: 256,
};

export interface ExaminerOptions {
  readonly limits?: Partial<ExaminerLimits>;
  /** Told when the thread had to be ended or died; it is started again for the next content. */
  readonly onTrouble?: (text: string) => void;
  /** For tests: another thread. */
  readonly workerUrl?: URL;
}

interface Waiting {
  readonly content: Content;
  readonly questions: readonly ContentQuestion[];
  readonly settle: (facts: MessageFacts) => void;
  readonly timer: NodeJS.Timeout;
}

interface Running {
  readonly id: number;
  readonly questions: readonly ContentQuestion[];
  readonly settle: (facts: MessageFacts) => void;
  readonly timer: NodeJS.Timeout;
}

/** The thread answers a little earlier than it would be ended. */
const marginMs = 300;

export class ContentExaminer {
  readonly #limits: ExaminerLimits;
  readonly #options: ExaminerOptions;
  readonly #waiting: Waiting[] = [];
  #running: Running | null = null;
  #thread: Thread | null = null;
  #lastId = 0;
  #isClosed = false;

  constructor(options: ExaminerOptions = {}) {
    this.#options = options;
    this.#limits = { ...defaultExaminerLimits, ...options.limits };
  }

  /** An answer to every question. Never rejects. */
  examine(content: Content, questions: readonly ContentQuestion[]): Promise<MessageFacts> {
    if (questions.length === 0) return Promise.resolve(noFacts);
    if (this.#isClosed) return Promise.resolve(unknownTo(questions, 'the gateway is stopping'));
    if (this.#waiting.length >= this.#limits.waitingMax) {
      return Promise.resolve(unknownTo(questions, 'too many messages wait to be examined'));
    }
    return new Promise((settle) => {
      const timer = setTimeout(() => this.#giveUp(waiting), this.#limits.waitMs);
      const waiting: Waiting = { content, questions, settle, timer };
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  /** Whoever still waits is answered "unknown". */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#settleWaiting('the gateway is stopping');
    await this.#end('the gateway is stopping');
  }

  #giveUp(waiting: Waiting): void {
    const place = this.#waiting.indexOf(waiting);
    if (place === -1) return;
    this.#waiting.splice(place, 1);
    this.#settle(waiting, 'it waited too long to be examined');
  }

  #settleWaiting(reason: string): void {
    for (const waiting of this.#waiting.splice(0)) this.#settle(waiting, reason);
  }

  #settle({ questions, settle, timer }: Waiting | Running, reason: string): void {
    clearTimeout(timer);
    settle(unknownTo(questions, reason));
  }

  #next(): void {
    if (this.#running !== null || this.#waiting.length === 0) return;
    this.#thread ??= this.#start();
    if (!this.#thread.isReady) return;
    const { content, questions, settle, timer: waitTimer } = this.#waiting.shift()!;
    clearTimeout(waitTimer);
    const id = ++this.#lastId;
    const timer = setTimeout(() => {
      void this.#end('it took too long to read');
      this.#next();
    }, this.#limits.jobMs);
    this.#running = { id, questions, settle, timer };
    const withinMs = Math.max(1, this.#limits.jobMs - marginMs);
    this.#thread.post({ id, content: toPlain(content), questions, withinMs });
  }

  #start(): Thread {
    const url = this.#options.workerUrl ?? new URL('./facts-worker.ts', import.meta.url);
    const thread = new Thread(url, this.#limits, {
      onReply: (reply) => this.#take(thread, reply),
      onEnd: (text) => {
        if (this.#thread !== thread) return;
        // A thread that cannot start is not started again and again for the same messages.
        if (!thread.isReady) this.#settleWaiting('the thread that reads contents does not start');
        void this.#end(text);
        this.#next();
      },
    });
    return thread;
  }

  #take(thread: Thread, reply: FactsReply): void {
    if (this.#thread !== thread) return;
    const running = this.#running;
    if (running !== null && reply.id === running.id) {
      this.#running = null;
      if ('failure' in reply) this.#settle(running, 'it could not be read');
      else {
        clearTimeout(running.timer);
        running.settle(factsOf(running.questions, reply.answers));
      }
      if ('failure' in reply)
        this.#options.onTrouble?.(`a content could not be read: ${reply.failure}`);
    }
    this.#next();
  }

  /** Ends the thread; the content that it has is answered "unknown". */
  async #end(reason: string): Promise<void> {
    const [thread, running] = [this.#thread, this.#running];
    this.#thread = null;
    this.#running = null;
    if (running !== null) this.#settle(running, reason);
    if (thread === null) return;
    if (!this.#isClosed)
      this.#options.onTrouble?.(`the thread that reads contents was ended: ${reason}`);
    await thread.end();
  }
}

interface ThreadEvents {
  readonly onReply: (reply: FactsReply) => void;
  readonly onEnd: (text: string) => void;
}

/** One worker thread, from its start to its end. It keeps no process alive. */
class Thread {
  isReady = false;
  readonly #worker: Worker;
  readonly #startTimer: NodeJS.Timeout;

  constructor(url: URL, limits: ExaminerLimits, events: ThreadEvents) {
    this.#worker = new Worker(url, {
      resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytesMax },
    });
    this.#worker.unref();
    this.#startTimer = setTimeout(() => events.onEnd('it took too long to start'), limits.startMs);
    this.#startTimer.unref();
    this.#worker.on('message', (reply: FactsReply) => {
      clearTimeout(this.#startTimer);
      this.isReady = true;
      events.onReply(reply);
    });
    this.#worker.on('error', (error) => events.onEnd(`it died: ${error.message}`));
    this.#worker.on('exit', (code) => events.onEnd(`it ended with code ${code}`));
  }

  post(job: FactsJob): void {
    const transfer = job.content.kind === 'memory' ? [job.content.bytes.buffer as ArrayBuffer] : [];
    this.#worker.postMessage(job, transfer);
  }

  async end(): Promise<void> {
    clearTimeout(this.#startTimer);
    await this.#worker.terminate();
  }
}

/** Bytes as a copy of their own, which can be handed over; the message is accepted from the original. */
function toPlain(content: Content): FactsJob['content'] {
  return content.kind === 'memory'
    ? { kind: 'memory', bytes: new Uint8Array(content.bytes) }
    : content;
}

function factsOf(questions: readonly ContentQuestion[], answers: readonly Answer[]): MessageFacts {
  return new Map(
    questions.map(({ key }, i) => [key, answers[i] ?? passing('it could not be read')]),
  );
}

function unknownTo(questions: readonly ContentQuestion[], reason: string): MessageFacts {
  return new Map(questions.map(({ key }) => [key, passing(reason)]));
}

/** Trouble of ours is not the message's: another time it may be read. */
function passing(reason: string): Answer {
  return { kind: 'unknown', reason, isPassing: true };
}
