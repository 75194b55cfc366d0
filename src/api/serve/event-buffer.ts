/**
 * Events of a source that tells by itself, kept until a client takes them: so many at most. A client
 * that is slower than that is told so and cut off, rather than remembered without end.
 */
import type { ServerEvent } from './event-streams.ts';

export class EventBuffer implements AsyncIterable<ServerEvent> {
  readonly #max: number;
  readonly #events: ServerEvent[] = [];
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  /** What comes after the end, or after it was too much, is dropped. */
  push(event: ServerEvent): void {
    if (this.#isClosed) return;
    if (this.#events.length >= this.#max) {
      const text = `more than ${this.#max} events were waiting to be read`;
      this.#events.push({ event: 'lost', data: { text } });
      this.#isClosed = true;
    } else {
      this.#events.push(event);
    }
    this.#wake?.();
  }

  /** What was pushed is still handed over. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        yield event;
        continue;
      }
      if (this.#isClosed) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
  }
}
