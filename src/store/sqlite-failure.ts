/** Errors of SQLite and of files, as Failures with the store's codes. */
import { Failure } from '../mail/failure.ts';
import type { StoreFailureCode } from './failures.ts';

/**
 * The code by SQLite's primary result code or by errno.
 * Whatever is neither (a wrong type in a value) concerns this batch alone: `store-conflict`.
 *
 * @see https://sqlite.org/rescode.html
 */
export function storeCodeOf(error: unknown): StoreFailureCode {
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  if (typeof errcode === 'number') {
    switch (errcode & 0xff) {
      case 13:
        return 'store-full';
      case 11:
      case 26:
        return 'store-damaged';
      case 18:
      case 19:
      case 20:
        return 'store-conflict';
      default:
        return 'store-io';
    }
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'store-full';
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? 'store-io' : 'store-conflict';
}

export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = storeCodeOf(error);
  return storeFailure(code, `the store could not be written or read: ${text}`, error);
}

/** A Failure of this room; its text on the wire says no more than that it is temporary. */
export function storeFailure(code: StoreFailureCode, message: string, cause?: unknown): Failure {
  const wireText =
    code === 'store-full' || code === 'queue-full'
      ? 'insufficient system storage, try again later'
      : 'the message could not be stored, try again later';
  return new Failure(code, message, { wireText, cause });
}

/** Who is told of it must know which file to look after. */
export function namingFile(error: unknown, file: string): unknown {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? error.message : String(error);
  return storeFailure(storeCodeOf(error), `the store ${file} could not be opened: ${text}`, error);
}
