/**
 * What every answer over TLS tells browsers: run nothing, frame nothing, keep nothing, come by TLS.
 * @see RFC 6797 §6.1 (HSTS), RFC 9111 §5.2.2.5 (no-store)
 */
import type { Middleware } from './serving.ts';

const nothing = ['accelerometer', 'camera', 'clipboard-read', 'display-capture', 'geolocation']
  .concat(['gyroscope', 'magnetometer', 'microphone', 'midi', 'payment', 'usb'])
  .map((feature) => `${feature}=()`)
  .join(', ');

/** In lower case, as Node writes them. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': nothing,
  'cache-control': 'no-store',
};

/** What a handler has set by itself stays. */
export function secureAnswers(): Middleware {
  return async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(securityHeaders)) {
      if (!c.res.headers.has(name)) c.header(name, value);
    }
  };
}
