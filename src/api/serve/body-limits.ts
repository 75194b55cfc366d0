/** How large a body may be: 256 KiB, but where an area says otherwise of one of its paths. */
import { Failure } from '../../mail/failure.ts';
import { limitConcurrency } from './limits.ts';
import type { Middleware } from './serving.ts';

/** Bytes that a body has at most where its route says nothing else. */
export const smallBodyBytesMax = 256 * 1024;

/** `atOnceMax`: so many bodies of this path may be in memory; more are answered 503, unread. */
export interface LargeBody {
  readonly bytesMax: number;
  readonly atOnceMax: number;
}

export interface BodyLimits {
  /** `path` as in the request: a path without parameters. */
  allow(path: string, body: LargeBody): void;
  readonly middleware: Middleware;
}

export function createBodyLimits(): BodyLimits {
  const byPath = new Map<string, Middleware>();
  const small = limitBody(smallBodyBytesMax);
  return {
    allow(path, { bytesMax, atOnceMax }) {
      const [size, number] = [
        limitBody(bytesMax),
        limitConcurrency(atOnceMax, 'are taken already'),
      ];
      byPath.set(path, (c, next) => number(c, async () => void (await size(c, next))));
    },
    middleware: (c, next) => (byPath.get(c.req.path) ?? small)(c, next),
  };
}

/**
 * A length that is declared is held by Node; a body without one is read here, within the bound, and
 * kept for the handler. (Hono's own limit makes a new Request of it, which Node's refuses.)
 */
function limitBody(bytesMax: number): Middleware {
  return async (c, next) => {
    const declared = c.req.header('content-length');
    if (declared !== undefined && c.req.header('transfer-encoding') === undefined) {
      if (Number(declared) > bytesMax) throw tooLarge(bytesMax);
      return next();
    }
    const { body } = c.req.raw;
    if (body !== null) {
      const text = await readBounded(body, bytesMax);
      // Hono keeps promises there, whatever its types say.
      c.req.bodyCache.text = Promise.resolve(text) as unknown as string;
    }
    return next();
  };
}

async function readBounded(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(bytesMax: number): Failure {
  return new Failure('api-body-too-large', `the body is larger than ${bytesMax} bytes`);
}
