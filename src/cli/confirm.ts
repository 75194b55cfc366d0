/** A question on the terminal before something that cannot be undone. */
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { Failure } from '../mail/failure.ts';
import type { CommandContext } from './command-context.ts';

const answerMs = 120_000;

/** Throws `not-confirmed` where the answer is no, and `confirmation-needed` where nobody can answer. */
export async function confirm(context: CommandContext, question: string): Promise<void> {
  if (context.stdin.isTTY !== true) {
    throw new Failure('confirmation-needed', `${question} Nobody is there to be asked`);
  }
  await context.err.print(`${question} [y/N] `);
  const answer = await readLine(context);
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('not-confirmed', 'nothing was changed');
}

/** Empty where nothing comes in time. */
async function readLine({ stdin }: CommandContext): Promise<string> {
  const lines = createInterface({ input: stdin, output: new PassThrough(), terminal: false });
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(''), answerMs);
  lines.once('line', resolve);
  lines.once('close', () => resolve(''));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    lines.close();
    stdin.pause();
  }
}
