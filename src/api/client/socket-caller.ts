/** Calls over the gateway's Unix socket: one connection each. */
import { Failure } from '../../mail/failure.ts';
import type { Call, Caller } from './caller.ts';
import { exchange } from './exchange.ts';
import type { Answer, Write } from './read-answer.ts';
import { refuseFailed, understand } from './read-answer.ts';

export interface SocketSettings {
  readonly socketPath: string;
  /** From the first byte out to the last byte in; 35 s where absent. */
  readonly timeoutMs?: number;
}

export function socketCaller(settings: SocketSettings): Caller {
  return {
    ask: async (call, schema) => understand(await ask(settings, call, null), call.path, schema),
    stream: async (call, write) => refuseFailed(await ask(settings, call, write)),
  };
}

async function ask(settings: SocketSettings, call: Call, write: Write | null): Promise<Answer> {
  const { socketPath } = settings;
  const timeoutMs = call.timeoutMs ?? settings.timeoutMs ?? 35_000;
  const headers = { host: 'localhost' };
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await exchange({ socketPath, headers, signal }, call, write);
  } catch (error) {
    throw classify(error, socketPath, timeoutMs);
  }
}

function classify(error: unknown, socketPath: string, timeoutMs: number): Failure {
  if (error instanceof Failure) return error;
  const { code, name, message } = error as NodeJS.ErrnoException;
  const cause = { cause: error };
  if (name === 'AbortError' || name === 'TimeoutError') {
    const text = `the gateway did not answer within ${timeoutMs / 1000} s on ${socketPath}`;
    return new Failure('gateway-timeout', text, cause);
  }
  if (code !== undefined && absentCodes.has(code)) {
    return new Failure('gateway-not-running', `no gateway answers on ${socketPath}`, cause);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new Failure('gateway-not-allowed', `you may not open ${socketPath}`, cause);
  }
  const text = `the connection to the gateway on ${socketPath} was lost: ${message}`;
  return new Failure('gateway-connection-lost', text, cause);
}

const absentCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED']);
