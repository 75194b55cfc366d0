/**
 * What stands in front of the application on the network: requests that are no clean HTTP/1.1 for one
 * of our names never reach it, and whatever breaks before it is answered as a problem, too.
 * @see RFC 9112 §3.2, RFC 9110 §7.4 (421)
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FailureTable } from '../mail/failure.ts';
import { Failure } from '../mail/failure.ts';
import { describeError } from './problem.ts';
import { problemType } from './serve/answer-problem.ts';
import { newRequestId, requestIdHeader } from './serve/request-care.ts';
import { securityHeaders } from './serve/security-headers.ts';

/** Values of Host that are answered, in lower case. */
export type HostNames = ReadonlySet<string>;

/**
 * The exact values of Host for names of the configuration: a name without a port stands for itself and
 * for itself with the port that is listened on.
 */
export function hostValues(names: readonly string[], port: number): HostNames {
  const hasPort = /\]:\d+$|^[^:]+:\d+$/;
  return new Set(
    names
      .map((name) => name.toLowerCase())
      .flatMap((name) => (hasPort.test(name) ? [name] : [name, `${name}:${port}`])),
  );
}

/** Why the request goes no further; null where it may. */
export function judgeFront(
  { url = '', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>,
  hostNames: HostNames,
): Failure | null {
  if (!url.startsWith('/')) {
    return new Failure('api-request-malformed', 'the request names no path of this server');
  }
  // Names and values take turns.
  const hosts = rawHeaders.filter(
    (_, place) => place % 2 === 1 && rawHeaders[place - 1]?.toLowerCase() === 'host',
  );
  if (hosts.length !== 1) {
    return new Failure('api-request-malformed', 'a request has exactly one Host');
  }
  if (hostNames.has(hosts[0]!.toLowerCase())) return null;
  return new Failure('api-host-unknown', 'this gateway is not asked by that name');
}

/** Answers a request that did not get to the application. */
export function refuseRequest(
  outgoing: ServerResponse,
  failure: Failure,
  failures: FailureTable,
): void {
  const problem = describeError(failure, failures);
  const text = JSON.stringify(problem);
  const headers = { ...headersOf(text), connection: 'close' };
  outgoing.writeHead(problem.status, headers).end(text);
}

/** After which a connection is cut that does not even take the answer. */
const farewellMs = 1000;

/** Answers what is no request: the parser's error, on the bare connection. */
export function refuseConnection(
  error: Error & { readonly code?: string },
  socket: Duplex,
  failures: FailureTable,
): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem = describeError(failureOfParser(error.code), failures);
  const text = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    ...Object.entries(headersOf(text)).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  const timer = setTimeout(() => socket.destroy(), farewellMs);
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => {
    clearTimeout(timer);
    socket.destroy();
  });
}

function failureOfParser(code: string | undefined): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Failure('api-header-too-large', 'the header of the request is too large');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Failure('api-request-slow', 'the request did not arrive in time');
  }
  return new Failure('api-request-malformed', 'this is no HTTP/1.1 request');
}

function headersOf(text: string): Readonly<Record<string, string>> {
  return {
    ...securityHeaders,
    'content-type': problemType,
    'content-length': String(Buffer.byteLength(text)),
    [requestIdHeader]: newRequestId(),
  };
}
