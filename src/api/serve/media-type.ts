/**
 * Bodies are JSON. A body of another type is refused before anything looks at it: what browsers send
 * across origins without asking first (forms, text/plain) never reaches a handler.
 * @see RFC 9110 §15.5.16, RFC 7396 §1
 */
import { Failure } from '../../mail/failure.ts';
import type { ApiRequest, Middleware } from './serving.ts';

const jsonTypes: ReadonlySet<string> = new Set([
  'application/json',
  'application/merge-patch+json',
]);

export function takeJsonOnly(): Middleware {
  return (c, next) => {
    const refusal = judgeBodyType(c);
    if (refusal !== null) throw new Failure('api-media-type-wrong', refusal);
    return next();
  };
}

/** Why the body is not looked at; null where it is JSON, or there is none. */
function judgeBodyType(c: ApiRequest): string | null {
  const type = c.req.header('content-type');
  const encoding = c.req.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return 'bodies are taken as they are, not compressed: leave Content-Encoding out';
  }
  if (type === undefined) {
    return hasBody(c) ? 'a body needs Content-Type: application/json' : null;
  }
  const [essence = '', ...parameters] = type.split(';').map((part) => part.trim().toLowerCase());
  const isJson = jsonTypes.has(essence);
  const isUtf8 = parameters.every((each) => each === '' || /^charset="?utf-8"?$/.test(each));
  if (isJson && isUtf8) return null;
  return 'bodies are JSON in UTF-8: send Content-Type: application/json';
}

/** Whether one comes with it, as its head says. */
export function hasBody(c: ApiRequest): boolean {
  const length = c.req.header('content-length');
  if (c.req.header('transfer-encoding') !== undefined) return true;
  return length !== undefined && Number(length) !== 0;
}
