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
