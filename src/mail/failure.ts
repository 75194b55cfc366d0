/**
 * Failures of the surroundings: the one error class, with a stable code and two texts.
 *
 * Outcomes of mail are values, never throws; programmer errors are `assert`. What is left (disk,
 * database, configuration, ports, files) is a Failure whose code stands in its room's table.
 */

/** What a code means to programs and people; one table of these per room, `failures.ts`. */
export interface FailureMeaning {
  readonly httpStatus: number;
  /** sysexits(3). */
  readonly exitCode: number;
  /** What the administrator should do, one sentence. */
  readonly whatToDo: string;
}

export type FailureTable = Readonly<Record<string, FailureMeaning>>;

/** `message` is for operators; `wireText` is what a peer or an API client may read. */
export class Failure extends Error {
  readonly code: string;
  readonly wireText: string;

  constructor(code: string, message: string, options: { wireText?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.code = code;
    this.wireText = options.wireText ?? 'temporary failure of the system, try again later';
  }
}
