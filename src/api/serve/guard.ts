/**
 * Lets nobody past a route without its permission. A route that names none is not served at all: the
 * application is refused when it is built.
 *
 * A body may take a minute to come: whoever sends it is looked at again once it is here, so that what was
 * taken away meanwhile does not act once more.
 */
import assert from 'node:assert';
import { Failure } from '../../mail/failure.ts';
import type { Actor } from '../../identity/actor.ts';
import type { Reach } from '../../identity/permissions.ts';
import { organizationsOf, permissions } from '../../identity/permissions.ts';
import type { RoutePermission } from '../routes/route-parts.ts';
import { hasBody } from './media-type.ts';
import type { ApiRequest, Application, Middleware } from './serving.ts';

const nowhere: Reach = { kind: 'some', organizations: [] };

/** Who asks, as of now. */
export type LookAgain = (c: ApiRequest) => Promise<Actor | null>;

/** Before the first route is added. What `assertGuarded` is handed afterwards. */
export function guardRoutes(app: Application, lookAgain: LookAgain): ReadonlySet<string> {
  const guarded = new Set<string>();
  const plain = app.openapi as (...args: readonly unknown[]) => unknown;
  const guarding = (route: GuardedRoute, ...rest: readonly unknown[]): unknown => {
    const permission = route['x-permission'];
    assert(isRoutePermission(permission), `${route.method} ${route.path} names no permission`);
    guarded.add(`${route.method.toUpperCase()} ${honoPath(route.path)}`);
    const own = route.middleware === undefined ? [] : [route.middleware].flat();
    const middleware = [guard(permission, lookAgain), ...own];
    return plain({ ...judgingEveryBody(route), middleware }, ...rest);
  };
  app.openapi = guarding as unknown as Application['openapi'];
  return guarded;
}

/** After the last one: nothing was added past the guard. */
export function assertGuarded(app: Application, guarded: ReadonlySet<string>): void {
  for (const { method, path } of app.routes) {
    // Middleware is for all methods.
    if (method === 'ALL') continue;
    assert(guarded.has(`${method} ${path}`), `${method} ${path} is served without a permission`);
  }
}

/**
 * Hono hands `{}` past the schema where a body is optional and not there, so that what it is by default
 * would be missing: a `reason` that nobody gave must be null. No body is `{}` for the schema, too.
 */
function judgingEveryBody(route: GuardedRoute): GuardedRoute {
  const { request } = route;
  if (request?.body === undefined) return route;
  return { ...route, request: { ...request, body: { ...request.body, required: true } } };
}

interface GuardedRoute {
  readonly method: string;
  readonly path: string;
  readonly request?: { readonly body?: object };
  readonly 'x-permission'?: unknown;
  readonly middleware?: Middleware | readonly Middleware[];
}

function isRoutePermission(name: unknown): name is RoutePermission {
  return name === 'public' || (permissions as readonly unknown[]).includes(name);
}

function honoPath(path: string): string {
  return path.replaceAll(/\/{(.+?)}/g, '/:$1');
}

function guard(permission: RoutePermission, lookAgain: LookAgain): Middleware {
  return async (c, next) => {
    if (permission === 'public') {
      c.set('reach', nowhere);
      return next();
    }
    c.set('reach', reachOf(c.get('actor'), permission));
    if (!hasBody(c)) return next();
    // Kept for the handler, as is what goes wrong: whatever reads it next says that.
    await c.req.text().catch(() => '');
    const actor = await lookAgain(c);
    c.set('actor', actor);
    c.set('reach', reachOf(actor, permission));
    return next();
  };
}

/** Throws a Failure for nobody, and for who has the permission nowhere. */
function reachOf(actor: Actor | null, permission: Exclude<RoutePermission, 'public'>): Reach {
  if (actor === null) {
    throw new Failure('api-not-signed-in', 'nobody is known by this request');
  }
  const reach = organizationsOf(actor, permission);
  if (reach.kind === 'some' && reach.organizations.length === 0) {
    const text = `this takes the permission ${permission}, which you do not have`;
    throw new Failure('api-not-permitted', text, { wireText: text });
  }
  return reach;
}
