/** Bounds on single requests: size, time, how many at once. */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Failure } from '../../mail/failure.ts';

/** Bytes that a body has at most where its route says nothing else. */
export const smallBodyBytesMax = 256 * 1024;

export function limitBody(maxSize: number): MiddlewareHandler {
  const onError = (): never => {
    throw new Failure('api-body-too-large', `the body is larger than ${maxSize} bytes`);
  };
  return bodyLimit({ maxSize, onError });
}

/** What is still running after the time goes on to its end; only the caller stops waiting. */
export function limitTime(timeoutMs: number): MiddlewareHandler {
  return async (_c, next) => {
    let timer: NodeJS.Timeout | undefined;
    const expiry = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Failure('api-timeout', `the gateway did not finish within ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      await Promise.race([next(), expiry]);
    } finally {
      clearTimeout(timer);
    }
  };
}

export function limitConcurrency(max: number): MiddlewareHandler {
  let running = 0;
  return async (_c, next) => {
    if (running >= max) {
      throw new Failure('api-busy', `${max} submissions are being taken in already`);
    }
    running++;
    try {
      await next();
    } finally {
      running--;
    }
  };
}
