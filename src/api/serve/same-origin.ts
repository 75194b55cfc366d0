/**
 * Requests that a browser makes for another site are refused: no CORS, and what says where it comes
 * from must say that it comes from here. Programs say nothing of it and send no cookies.
 *
 * The way back from a provider of OpenID Connect comes from its site: it is proven by its state.
 *
 * JSON bodies alone would not do: they only lead to a preflight, which is a promise of browsers.
 * @see the Fetch Metadata Request Headers of the W3C; RFC 6454 §7
 */
import { Failure } from '../../mail/failure.ts';
import { oidcCallbackRoute } from '../routes/session.ts';
import { isUnsafe } from './request-care.ts';
import type { ApiRequest, Middleware } from './serving.ts';

export function refuseOtherSites(): Middleware {
  return (c, next) => {
    const refusal = judgeOrigin(c);
    if (refusal !== null) throw new Failure('api-cross-site', refusal);
    return next();
  };
}

/** Why the request is refused; null where it comes from here, or from no browser. */
function judgeOrigin(c: ApiRequest): string | null {
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  const own = `https://${c.req.header('host') ?? ''}`;
  if (c.req.path === oidcCallbackRoute.path && !isUnsafe(c.req.method)) return null;
  if (site === 'cross-site' || site === 'same-site') {
    return 'a page of another site may not ask here';
  }
  if (!isUnsafe(c.req.method)) return null;
  if (site !== undefined && site !== 'same-origin') {
    return `a change comes from a page of this gateway or from a program, not with Sec-Fetch-Site: ${site}`;
  }
  if (origin !== undefined && origin !== own) {
    return 'a page of another origin may change nothing here';
  }
  if (origin === undefined && site === undefined && c.req.header('cookie') !== undefined) {
    return 'a change with a cookie needs the Origin that it comes from';
  }
  return null;
}
