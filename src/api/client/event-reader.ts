/** Reads server-sent events with JSON in them, piece by piece. @see WHATWG HTML §9.2 */
import { Failure } from '../../mail/failure.ts';

const eventLengthMax = 16 * 1024 * 1024;

export class EventReader {
  readonly #onEvent: (event: string, data: unknown) => void;
  readonly #decoder = new TextDecoder();
  #text = '';

  constructor(onEvent: (event: string, data: unknown) => void) {
    this.#onEvent = onEvent;
  }

  /** Calls back for each event that is whole. Throws `gateway-answer-unreadable`. */
  take(part: Uint8Array): void {
    this.#text += this.#decoder.decode(part, { stream: true });
    for (let end = this.#text.indexOf('\n\n'); end !== -1; end = this.#text.indexOf('\n\n')) {
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      this.#read(block);
    }
    if (this.#text.length > eventLengthMax) throw unreadable('an event is too large');
  }

  #read(block: string): void {
    let event = 'message';
    const data: string[] = [];
    for (const line of block.split('\n')) {
      const [, field, value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      if (field === 'event') event = value;
      if (field === 'data') data.push(value);
    }
    if (data.length === 0) return;
    this.#onEvent(event, parse(data.join('\n')));
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable('an event is not JSON');
  }
}

function unreadable(why: string): Failure {
  return new Failure('gateway-answer-unreadable', `the gateway's answer is not understood: ${why}`);
}
