/**
 * Calls over TLS to a gateway elsewhere: one verified connection each, with a token.
 *
 * What the gateway asks to wait for (429, Retry-After) is waited for, within the time of the call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../mail/failure.ts';
import type { Call, Caller } from './caller.ts';
import { exchange } from './exchange.ts';
import type { Answer, Write } from './read-answer.ts';
import { refuseFailed, understand } from './read-answer.ts';
import type { ServerTrust } from './verified-connection.ts';
import { connectVerified } from './verified-connection.ts';

export interface HttpsSettings {
  /** `https://gateway.example.com:8443`: no path, no user. */
  readonly url: string;
  readonly token: string;
  readonly trust: ServerTrust;
  /** From the first byte out to the last byte in; 35 s where absent. */
  readonly timeoutMs?: number;
}

/** Throws `gateway-url-wrong`. */
export function httpsCaller(settings: HttpsSettings): Caller {
  const url = parseGatewayUrl(settings.url);
  return {
    ask: async (call, schema) =>
      understand(await ask(settings, url, { call, write: null }), call.path, schema),
    stream: async (call, write) => refuseFailed(await ask(settings, url, { call, write })),
  };
}

/** Throws `gateway-url-wrong` for what is no `https://name[:port]`. */
export function parseGatewayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isBare = url !== null && url.pathname === '/' && url.search === '' && url.hash === '';
  if (url?.protocol === 'https:' && isBare && url.username === '' && url.password === '')
    return url;
  const form = 'it is written https://gateway.example.com:8443, without a path';
  throw new Failure('gateway-url-wrong', `"${text}" is no address of a gateway: ${form}`);
}

interface Asking {
  readonly call: Call;
  readonly write: Write | null;
}

async function ask(settings: HttpsSettings, url: URL, asking: Asking): Promise<Answer> {
  const timeoutMs = asking.call.timeoutMs ?? settings.timeoutMs ?? 35_000;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    for (;;) {
      const answer = await askOnce(settings, url, asking, signal);
      if (answer.status !== 429 || answer.retryAfterSeconds === null) return answer;
      await sleep(answer.retryAfterSeconds * 1000, undefined, { signal });
    }
  } catch (error) {
    throw classify(error, url, timeoutMs);
  }
}

async function askOnce(
  { token, trust }: HttpsSettings,
  url: URL,
  { call, write }: Asking,
  signal: AbortSignal,
): Promise<Answer> {
  const socket = await connectVerified(url, trust, signal);
  try {
    const headers = { host: url.host, authorization: `Bearer ${token}` };
    return await exchange({ createConnection: () => socket, headers, signal }, call, write);
  } finally {
    socket.destroy();
  }
}

function classify(error: unknown, { host }: URL, timeoutMs: number): Failure {
  if (error instanceof Failure) return error;
  const { code = '', name, message } = error as NodeJS.ErrnoException;
  const cause = { cause: error };
  if (name === 'AbortError' || name === 'TimeoutError') {
    const text = `the gateway did not answer within ${timeoutMs / 1000} s on ${host}`;
    return new Failure('gateway-timeout', text, cause);
  }
  if (unreachableCodes.has(code)) {
    return new Failure('gateway-unreachable', `${host} cannot be reached: ${message}`, cause);
  }
  if (
    /^(?:ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_SSL_|EPROTO|INVALID_)/.test(code)
  ) {
    const text = `the certificate of ${host} is refused: ${message}`;
    return new Failure('gateway-certificate-refused', text, cause);
  }
  const text = `the connection to the gateway on ${host} was lost: ${message}`;
  return new Failure('gateway-connection-lost', text, cause);
}

const unreachableCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);
