/**
 * What surrounds every request: an id that its answer and its log lines carry, and a line about it.
 */
import { randomBytes } from 'node:crypto';
import type { ApiContext, ApiRequest, Middleware } from './serving.ts';

/** Twelve characters, new for each request; what the client calls it is not looked at. */
export function newRequestId(): string {
  return randomBytes(9).toString('base64url');
}

export const requestIdHeader = 'x-request-id';

export function nameRequests({ door, log }: ApiContext): Middleware {
  return async (c, next) => {
    const startedAtMs = performance.now();
    c.set('requestId', newRequestId());
    await next();
    c.header(requestIdHeader, c.get('requestId'));
    const tookMs = Math.round(performance.now() - startedAtMs);
    const fields = { ...describeRequest(c), status: c.res.status, tookMs };
    if (door.kind === 'tls' && isUnsafe(c.req.method)) log.info(fields, 'API request');
    else log.debug(fields, 'API request');
  };
}

/** Whether a method may change something. @see RFC 9110 §9.2.1 */
export function isUnsafe(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

/** What every log line about a request says of it; the query, which may name people, is left out. */
export function describeRequest(c: ApiRequest): Readonly<Record<string, unknown>> {
  const actor = c.get('actor') ?? null;
  return {
    requestId: c.get('requestId'),
    method: c.req.method,
    path: c.req.path,
    address: addressOf(c),
    actor: actor === null ? null : (actor.person?.name ?? actor.kind),
  };
}

/** The other end of the connection; null on the Unix socket. What the request says is not believed. */
export function addressOf(c: ApiRequest): string | null {
  // Tests that have no connection have no bindings either.
  const bindings = c.env as ApiRequest['env'] | undefined;
  return bindings?.incoming?.socket.remoteAddress ?? null;
}
