/** Pino as the rooms' Log: JSON lines on standard output, written in the background. */
import pino from 'pino';
import type { Config } from '../config/config.ts';
import type { Log } from '../report/log.ts';
import { maskAddresses, maskFields, redacted, redactedPaths } from './log-redaction.ts';
import { LogStream, targetOf } from './log-stream.ts';

export type LogSettings = Config['log'];

/** A log whose settings can be changed while it runs. */
export interface AdjustableLog extends Log {
  adjust(settings: LogSettings): void;
}

export interface ProcessLog extends AdjustableLog {
  /** Writes what is still buffered; for the end of the process. */
  flush(): void;
}

/** Until the configuration is known. */
export const firstLogSettings: LogSettings = { level: 'info', addresses: 'full' };

const standardOutput = new LogStream(targetOf(1));

export function createLog(settings: LogSettings, process: string): ProcessLog {
  const base = { process };
  const timestamp = pino.stdTimeFunctions.isoTime;
  const redact = { paths: [...redactedPaths], censor: redacted };
  const logger = pino({ level: settings.level, base, timestamp, redact }, standardOutput);
  let isMasked = settings.addresses === 'masked';
  const writerOf =
    (level: 'debug' | 'info' | 'warn' | 'error'): Log['info'] =>
    (fields, text) => {
      if (isMasked) logger[level](maskFields(fields), maskAddresses(text));
      else logger[level](fields, text);
    };
  return {
    debug: writerOf('debug'),
    info: writerOf('info'),
    warn: writerOf('warn'),
    error: writerOf('error'),
    flush: () => standardOutput.flush(),
    adjust: (next) => {
      logger.level = next.level;
      isMasked = next.addresses === 'masked';
    },
  };
}
