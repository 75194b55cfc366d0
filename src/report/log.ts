/** The log as rooms see it; `app` gives them pino. Keys: queueId, connector, remote, reason … */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, text: string): void;
  warn(fields: Readonly<Record<string, unknown>>, text: string): void;
  error(fields: Readonly<Record<string, unknown>>, text: string): void;
  debug(fields: Readonly<Record<string, unknown>>, text: string): void;
}

/** Swallows everything; for tests and offline commands. */
export const silentLog: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

/**
 * For what comes after something that cannot be taken back, such as a commit: what breaks is said as
 * an error with the text and the fields, and thrown to nobody. False where it broke.
 */
export function didOrSaid(
  log: Pick<Log, 'error'>,
  { text, ...fields }: Readonly<Record<string, unknown>> & { readonly text: string },
  action: () => void,
): boolean {
  try {
    action();
    return true;
  } catch (error) {
    sayError(log, { ...fields, err: error }, text);
    return false;
  }
}

/** Where the log itself breaks, what it should have said goes to standard error. */
function sayError(log: Pick<Log, 'error'>, fields: { readonly err: unknown }, text: string): void {
  try {
    log.error(fields, text);
  } catch (broken) {
    process.emitWarning(`${text}: ${String(fields.err)}; the log is broken: ${String(broken)}`);
  }
}
