/** What a person reads when a command fails, and what a script gets as exit code. */
import { meaningOfFailure } from '../api/client.ts';
import type { FailureMeaning, FailureTable } from '../mail/failure.ts';
import { Failure } from '../mail/failure.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import { exitCode } from './exit-code.ts';
import { cliFailures } from './failures.ts';

/** `text` is for standard error: what happened, then what to do. */
export interface ErrorReport {
  readonly text: string;
  readonly exitCode: number;
}

/** `failures` are the tables of the rooms behind the offline commands. */
export function reportError(error: unknown, failures: FailureTable): ErrorReport {
  if (!(error instanceof Failure)) return reportDefect(error);
  const meaning = findMeaning(error, failures);
  // Several mistakes of a configuration stand on lines of their own; each is bounded alone.
  const what = error.message.split('\n').map(sanitizePeerText).join('\n');
  if (meaning === null) {
    return { text: `postern: ${what} (${error.code})\n`, exitCode: exitCode.software };
  }
  return {
    text: `postern: ${what}\n  ${sanitizePeerText(meaning.whatToDo)}\n`,
    exitCode: meaning.exitCode,
  };
}

function findMeaning(failure: Failure, failures: FailureTable): FailureMeaning | null {
  const own: FailureTable = cliFailures;
  return own[failure.code] ?? meaningOfFailure(failure) ?? failures[failure.code] ?? null;
}

function reportDefect(error: unknown): ErrorReport {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = stack.split('\n').slice(0, 12).map(sanitizePeerText);
  const text = `postern: a defect of the program; please report it with these lines\n${lines.join('\n')}\n`;
  return { text, exitCode: exitCode.software };
}
