/** Bounds on the work for requests: how long one takes, how many there are at once. */
import { Failure } from '../../mail/failure.ts';
import type { Middleware } from './serving.ts';

/** Paths that have another time. */
export interface SlowPaths {
  readonly pattern: RegExp;
  readonly timeoutMs: number;
}

/** What is still running after the time goes on to its end; only the caller stops waiting. */
export function limitTime(usualMs: number, slow: SlowPaths): Middleware {
  return async (c, next) => {
    let timer: NodeJS.Timeout | undefined;
    const timeoutMs = slow.pattern.test(c.req.path) ? slow.timeoutMs : usualMs;
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

/** `what` completes the sentence "4 requests like this …". */
export function limitConcurrency(max: number, what: string): Middleware {
  let running = 0;
  return async (_c, next) => {
    if (running >= max) throw new Failure('api-busy', `${max} requests like this ${what}`);
    running++;
    try {
      await next();
    } finally {
      running--;
    }
  };
}
