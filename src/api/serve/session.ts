/** Serves signing in and out, and the own account; the only place that writes the cookie. */
import { formatEndedCookie, formatSessionCookie } from '../../identity/session-rules.ts';
import {
  formatOidcCookie,
  formatOidcEndedCookie,
  readOidcCookie,
} from '../../identity/oidc-cookie.ts';
import {
  oidcCallbackRoute,
  oidcStartRoute,
  passwordChangeRoute,
  sessionRoute,
  signInRoute,
  signInWaysRoute,
  signOutRoute,
  totpConfirmRoute,
  totpRemoveRoute,
  totpStartRoute,
} from '../routes/session.ts';
import { credentialsOf } from './let-in.ts';
import { actorOf } from './reach.ts';
import type { Serving } from './serving.ts';

export function serveSession(serving: Serving): void {
  serveSignIn(serving);
  serveAccount(serving);
}

function serveSignIn({ app, services }: Serving): void {
  const { people } = services;
  app.openapi(signInWaysRoute, (c) => c.json(people.signInWays(), 200));
  app.openapi(signInRoute, async (c) => {
    const { secret, session } = await people.signIn(c.req.valid('json'), credentialsOf(c));
    c.header('set-cookie', formatSessionCookie(secret));
    return c.json(session, 200);
  });
  app.openapi(oidcStartRoute, async (c) => {
    const { url, binding } = await people.startOidc();
    c.header('set-cookie', formatOidcCookie(binding));
    return c.redirect(url, 302);
  });
  app.openapi(oidcCallbackRoute, async (c) => {
    const credentials = credentialsOf(c);
    const query = new URL(c.req.url).search.slice(1);
    const binding = readOidcCookie(credentials.cookie);
    const { secret } = await people.finishOidc({ query, binding, credentials });
    c.header('set-cookie', formatSessionCookie(secret));
    c.header('set-cookie', formatOidcEndedCookie(), { append: true });
    // A redirect would still be the other site's, and go without the cookie.
    return c.body(onward, 200, { 'content-type': 'text/html; charset=utf-8' });
  });
}

const onward =
  '<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Signed in</title><a href="/">Go on</a>\n';

function serveAccount({ app, services }: Serving): void {
  const { people } = services;
  app.openapi(signOutRoute, (c) => {
    people.signOut(actorOf(c));
    c.header('set-cookie', formatEndedCookie());
    return c.body(null, 204);
  });
  app.openapi(sessionRoute, (c) => c.json(people.describeSession(actorOf(c)), 200));
  app.openapi(passwordChangeRoute, async (c) => {
    await people.changePassword(c.req.valid('json'), actorOf(c));
    c.header('set-cookie', formatEndedCookie());
    return c.body(null, 204);
  });
  app.openapi(totpStartRoute, async (c) =>
    c.json(await people.startTotp(c.req.valid('json').password, actorOf(c)), 200),
  );
  app.openapi(totpConfirmRoute, (c) => {
    const codes = people.confirmTotp(c.req.valid('json').code, actorOf(c));
    c.header('set-cookie', formatEndedCookie());
    return c.json(codes, 200);
  });
  app.openapi(totpRemoveRoute, async (c) => {
    await people.removeTotp(c.req.valid('json'), actorOf(c));
    c.header('set-cookie', formatEndedCookie());
    return c.body(null, 204);
  });
}
