/** Pino as the rooms' Log: JSON lines on standard output, written in the background. */
import pino from 'pino';
import type { Log } from '../report/log.ts';

export interface ProcessLog extends Log {
  /** Writes what is still buffered; for the end of the process. */
  flush(): void;
}

export function createLog(level: string, process: string): ProcessLog {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: 4096,
    maxLength: 16 << 20,
  });
  const timer = setInterval(() => destination.flush(), 200);
  timer.unref();
  const base = { process };
  const logger = pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    flush: () => destination.flushSync(),
  };
}
