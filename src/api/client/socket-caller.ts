/** Calls over the gateway's Unix socket: one connection each, bounded in time and size. */
import { request } from 'node:http';
import { Failure } from '../../mail/failure.ts';
import type { Call, Caller } from './caller.ts';
import type { Answer } from './read-answer.ts';
import { readAnswer, refuseFailed, understand } from './read-answer.ts';

export interface SocketSettings {
  readonly socketPath: string;
  /** From the first byte out to the last byte in; 35 s where absent. */
  readonly timeoutMs?: number;
}

type Write = (part: Buffer) => Promise<void>;

export function socketCaller(settings: SocketSettings): Caller {
  return {
    ask: async (call, schema) =>
      understand(await exchange(settings, call, null), call.path, schema),
    stream: async (call, write) => refuseFailed(await exchange(settings, call, write)),
  };
}

function exchange(settings: SocketSettings, call: Call, write: Write | null): Promise<Answer> {
  const { socketPath, timeoutMs = 35_000 } = settings;
  const payload = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => reject(classify(error, socketPath, timeoutMs));
    const outgoing = request(
      {
        socketPath,
        method: call.method,
        path: call.path,
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          host: 'localhost',
          accept: 'application/json, application/problem+json',
          ...(payload === null
            ? {}
            : { 'content-type': 'application/json', 'content-length': payload.length }),
        },
      },
      (incoming) => void readAnswer(incoming, write).then(resolve, refuse),
    );
    // A gateway that refuses a body early closes while we still write; its answer is what counts.
    outgoing.on('error', (error) => setImmediate(refuse, error));
    outgoing.end(payload ?? undefined);
  });
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
