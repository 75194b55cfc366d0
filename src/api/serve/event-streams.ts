/**
 * Server-sent events: an answer that goes on, one event after the other, until its source ends, the
 * client goes or is let in no more, the gateway stops, or its time is over and the client asks anew.
 *
 * The source is asked for the next event only when the one before was taken, so that a client that
 * does not read costs one event of memory and stops the asking.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../mail/failure.ts';
import { describeError } from '../problem.ts';
import { credentialsOf, whoAsks } from './let-in.ts';
import { describeRequest } from './request-care.ts';
import type { ApiContext, ApiRequest } from './serving.ts';
import { SharedLooks } from './shared-looks.ts';

/** `id` is what a client that was cut off gives back as Last-Event-ID; absent where that makes no sense. */
export interface ServerEvent {
  readonly event: string;
  readonly id?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** Ends when the signal does. */
export type EventFlow = (signal: AbortSignal) => AsyncIterable<ServerEvent>;

export interface EventBounds {
  /** Streams that are open at once, and of one person; more are answered 503. */
  readonly streamsMax: number;
  readonly streamsPerPersonMax: number;
  /** A line is sent where nothing else was for so long, so that either side sees that the other is gone. */
  readonly heartbeatMs: number;
  /** After which a client has to ask again. */
  readonly lifetimeMs: number;
  /** How often sources look that cannot be told. */
  readonly pollMs: number;
}

export class EventStreams {
  readonly #context: ApiContext;
  readonly #open = new Map<string, number>();
  /** What several streams look at. */
  readonly looks: SharedLooks;

  constructor(context: ApiContext) {
    this.#context = context;
    // A little less than the interval, so that nobody gets the same look twice.
    this.looks = new SharedLooks(context.limits.events.pollMs * 0.8);
  }

  /** Throws `api-busy`. */
  answer(c: ApiRequest, flow: EventFlow): Response {
    const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
    if (c.req.method === 'HEAD') return c.body(null, 200, headers);
    const release = this.#take(c);
    const { stopping, limits } = this.#context;
    const gone = new AbortController();
    const ends = [stopping, gone.signal, AbortSignal.timeout(limits.events.lifetimeMs)];
    const signal = AbortSignal.any(ends);
    const { heartbeatMs } = limits.events;
    const write = writeEvents(flow(signal), { signal, heartbeatMs, isLetIn: this.#askAgain(c) });
    const fail = (error: unknown): string => this.#tellFailure(c, error);
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            const { done, value } = await write.next();
            if (done !== true) return controller.enqueue(Buffer.from(value));
          } catch (error) {
            controller.enqueue(Buffer.from(fail(error)));
          }
          release();
          gone.abort();
          controller.close();
        },
        cancel() {
          release();
          gone.abort();
        },
      },
      { highWaterMark: 0 },
    );
    return c.body(stream, 200, headers);
  }

  #take(c: ApiRequest): () => void {
    const { streamsMax, streamsPerPersonMax } = this.#context.limits.events;
    const actor = c.get('actor');
    const key = actor?.person?.id ?? '';
    const own = this.#open.get(key) ?? 0;
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    if (own >= streamsPerPersonMax || all >= streamsMax) {
      const text = `${all} streams of events are open already, ${own} of them yours`;
      throw new Failure('api-busy', text);
    }
    this.#open.set(key, own + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left === 0) this.#open.delete(key);
      else this.#open.set(key, left);
    };
  }

  /** Whether who asked is still known and may do the same; looked up as often as sources look. */
  #askAgain(c: ApiRequest): () => Promise<boolean> {
    const { door, limits } = this.#context;
    const [actor, credentials] = [c.get('actor'), credentialsOf(c)];
    let knownAtMs = performance.now();
    return async () => {
      const nowMs = performance.now();
      if (nowMs - knownAtMs < limits.events.pollMs) return true;
      knownAtMs = nowMs;
      return isDeepStrictEqual(await whoAsks(door, credentials, false), actor);
    };
  }

  /** The answer has begun: what broke is told as its last event. */
  #tellFailure(c: ApiRequest, error: unknown): string {
    const { failures, log } = this.#context;
    const problem = describeError(error, failures);
    log.error({ ...describeRequest(c), code: problem.code, err: error }, 'API stream failed');
    return formatEvent({ event: 'problem', data: problem });
  }
}

interface Writing {
  readonly signal: AbortSignal;
  readonly heartbeatMs: number;
  readonly isLetIn: () => Promise<boolean>;
}

/** Comment lines where nothing happens; ends when the signal does, or who asked is let in no more. */
async function* writeEvents(
  events: AsyncIterable<ServerEvent>,
  { signal, heartbeatMs, isLetIn }: Writing,
): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]();
  // Clients wait so long before they ask again.
  yield 'retry: 3000\n\n';
  let pending: Promise<IteratorResult<ServerEvent>> | null = null;
  try {
    for (;;) {
      pending ??= iterator.next();
      const next = await waitFor(pending, heartbeatMs, signal);
      if (signal.aborted || !(await isLetIn())) return;
      if (next === null) {
        yield ': nothing new\n\n';
        continue;
      }
      pending = null;
      if (next.done === true) return;
      yield formatEvent(next.value);
    }
  } finally {
    pending?.catch(() => undefined);
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/**
 * Null where nothing came in time, or the signal was first. A race against a promise that lives as long
 * as the stream would keep every event of it in memory until its end.
 */
async function waitFor<Value>(
  value: Promise<Value>,
  ms: number,
  signal: AbortSignal,
): Promise<Value | null> {
  const nothing = Promise.withResolvers<null>();
  const giveUp = (): void => nothing.resolve(null);
  const timer = setTimeout(giveUp, ms).unref();
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([value, nothing.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

/** JSON has no line breaks of its own; ids are ours. */
function formatEvent({ event, id, data }: ServerEvent): string {
  const name = id === undefined ? '' : `id: ${id}\n`;
  return `event: ${event}\n${name}data: ${JSON.stringify(data)}\n\n`;
}

/** Looks again and again, for what cannot tell by itself; never while a client does not read. */
export async function* pollEvents(
  look: () => Promise<readonly ServerEvent[]>,
  everyMs: number,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  while (!signal.aborted) {
    yield* await look();
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
