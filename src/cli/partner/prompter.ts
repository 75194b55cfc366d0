/**
 * Questions on a terminal, a line each. Ctrl-C, the end of the input and silence give up: then the
 * question, or the work that runs beside, ends with a Failure `partner-unfinished`.
 */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext } from '../command-context.ts';

const answerMs = 600_000;

export interface Prompter {
  /** The line that is typed, without its end. What was typed before the question was put is no answer to it. */
  ask(prompt: string): Promise<string>;
  /** `work` is told by the signal that nobody waits any more. */
  during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  close(): void;
}

export function openPrompter({ stdin, err, width }: CommandContext): Prompter {
  // Handed on at once, so that what is typed and what is printed stand in their order.
  const echo = (chunk: Buffer): void => {
    err.print(chunk).catch(() => giveUp('the terminal is gone'));
  };
  const output = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        echo(chunk);
        done();
      },
    }),
    { columns: width ?? 80 },
  );
  const lines = createInterface({ input: stdin, output, terminal: true, historySize: 0 });
  const givingUp = new AbortController();
  const giveUp = (text: string): void =>
    givingUp.abort(new Failure('partner-unfinished', `${text}: nothing was changed`));
  lines.on('SIGINT', () => giveUp('given up'));
  lines.on('close', () => giveUp('the input ended'));
  const during = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const { signal } = givingUp;
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const end = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', end, { once: true });
    const working = work(signal);
    working.catch(() => undefined);
    try {
      return await Promise.race([working, promise]);
    } finally {
      signal.removeEventListener('abort', end);
    }
  };
  return {
    during,
    ask: async (prompt) => {
      const timer = setTimeout(() => giveUp('nobody answered in time'), answerMs);
      try {
        return await during((signal) => lines.question(prompt, { signal }));
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => {
      lines.close();
      stdin.pause();
    },
  };
}
