/**
 * Where log lines go: a file descriptor, written in the background and never in the way of mail.
 *
 * A full disk, a closed pipe or a reader that has stopped costs log lines, counted, and nothing else:
 * nothing here throws, and nothing waits for the descriptor but `flush` at the end of the process.
 */
import { write, writeSync } from 'node:fs';

/** How a descriptor is written; a seam for tests. */
export interface LogTarget {
  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  writeNow(bytes: Buffer): number;
}

export interface LogStreamLimits {
  /** Characters that wait for the descriptor; further lines are dropped. */
  readonly waitingMax: number;
  /** Lines wait for company until there are as many characters, or so long. */
  readonly gatherMin: number;
  readonly gatherMs: number;
}

const defaultLimits: LogStreamLimits = {
  waitingMax: 16 * 1024 * 1024,
  gatherMin: 4096,
  gatherMs: 200,
};
/** One write at most: what a failing descriptor takes is known in pieces of this size. */
const pieceMax = 1024 * 1024;
const flushTriesMax = 20;
const flushWaitMs = 10;

export class LogStream {
  readonly #target: LogTarget;
  readonly #limits: LogStreamLimits;
  #lines: string[] = [];
  #waiting = 0;
  /** What of the last piece is not written yet. */
  #rest: Buffer | null = null;
  /** Characters of the last piece: they count as waiting until all of it is written. */
  #restCharacters = 0;
  #isWriting = false;
  #isClosed = false;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(target: LogTarget, limits: LogStreamLimits = defaultLimits) {
    this.#target = target;
    this.#limits = limits;
  }

  /** Takes a line with its LF. */
  write(line: string): void {
    if (this.#isClosed) return;
    if (this.#waiting + line.length > this.#limits.waitingMax) {
      this.#dropped += 1;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    if (this.#waiting >= this.#limits.gatherMin && !this.#hasFailed) this.#start();
    else this.#startLater();
  }

  /** Writes what waits, in bounded time where the descriptor does not block; for the process's end. */
  flush(): void {
    for (let tries = 0; tries < flushTriesMax && !this.#isClosed && !this.#isWriting;) {
      const piece = this.#nextPiece();
      if (piece === null) return;
      try {
        this.#took(piece, this.#target.writeNow(piece));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        tries += 1;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, flushWaitMs);
      }
    }
  }

  /** After a failure the next try waits for the timer. */
  get #hasFailed(): boolean {
    return this.#rest !== null && !this.#isWriting;
  }

  #startLater(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#start();
    }, this.#limits.gatherMs);
    this.#timer.unref();
  }

  #start(): void {
    if (this.#isWriting || this.#isClosed) return;
    const piece = this.#nextPiece();
    if (piece === null) return;
    this.#isWriting = true;
    this.#target.write(piece, (error, written) => {
      this.#isWriting = false;
      if (error === null) {
        this.#took(piece, written);
        if (this.#waiting >= this.#limits.gatherMin) this.#start();
        else if (this.#waiting > 0) this.#startLater();
      } else if (error.code === 'EPIPE') {
        this.#close();
      } else {
        this.#startLater();
      }
    });
  }

  #nextPiece(): Buffer | null {
    if (this.#rest !== null) return this.#rest;
    if (this.#lines.length === 0) return null;
    let count = 0;
    for (let length = 0; count < this.#lines.length && length < pieceMax; count++) {
      length += this.#lines[count]!.length;
    }
    const lines = this.#lines.splice(0, count);
    if (this.#dropped > 0) {
      lines.push(`{"level":40,"msg":"${this.#dropped} log lines were lost: nobody took them"}\n`);
      this.#waiting += lines.at(-1)!.length;
      this.#dropped = 0;
    }
    const text = lines.join('');
    this.#restCharacters = text.length;
    return (this.#rest = Buffer.from(text));
  }

  #took(piece: Buffer, written: number): void {
    this.#rest = written < piece.length ? piece.subarray(written) : null;
    if (this.#rest !== null) return;
    this.#waiting -= this.#restCharacters;
    this.#restCharacters = 0;
  }

  #close(): void {
    this.#isClosed = true;
    this.#lines = [];
    this.#rest = null;
    this.#waiting = 0;
  }
}

/** Standard output, or another descriptor that is open. */
export function targetOf(descriptor: number): LogTarget {
  return {
    write: (bytes, done) => write(descriptor, bytes, (error, written) => done(error, written)),
    writeNow: (bytes) => writeSync(descriptor, bytes),
  };
}
