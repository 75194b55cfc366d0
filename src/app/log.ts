/** Pino as the rooms' Log: JSON lines on standard output, written in the background. */
import pino from 'pino';
import type { Log } from '../report/log.ts';
import { LogStream, targetOf } from './log-stream.ts';

/** A log whose lines can be made more or fewer while it runs. */
export interface LeveledLog extends Log {
  /** The least important lines that are logged from now on: `debug`, `info`, `warn`, `error`. */
  setLevel(level: string): void;
}

export interface ProcessLog extends LeveledLog {
  /** Writes what is still buffered; for the end of the process. */
  flush(): void;
}

const standardOutput = new LogStream(targetOf(1));

export function createLog(level: string, process: string): ProcessLog {
  const base = { process };
  const timestamp = pino.stdTimeFunctions.isoTime;
  const logger = pino({ level, base, timestamp }, standardOutput);
  return {
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    flush: () => standardOutput.flush(),
    setLevel: (next) => void (logger.level = next),
  };
}
