/** Writing to the terminal or a pipe: in order, with back-pressure, and quiet when nobody reads. */
import type { Writable } from 'node:stream';
import { Failure } from '../mail/failure.ts';

/** The reader went away (`| head`): stop, and say nothing. */
export class OutputClosed extends Error {}

const closedCodes: ReadonlySet<string> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

export class Output {
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Resolves when the text (or bytes, unchanged) is handed over. Throws OutputClosed where nobody reads any more, `output-failed` where there is no room. */
  print(text: string | Uint8Array): Promise<void> {
    if (text.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error === null || error === undefined) return resolve();
        const { code = '', message } = error as NodeJS.ErrnoException;
        if (closedCodes.has(code)) return reject(new OutputClosed());
        const text = `the output cannot be written: ${message}`;
        return reject(new Failure('output-failed', text, { cause: error }));
      });
    });
  }
}
