/**
 * What a request says and no route would look at is refused: a filter that is spelt wrong must not
 * find everything, and a body that a route does not take must not seem to have been taken.
 */
import type { RouteConfig } from '@hono/zod-openapi';
import type { FailureTable } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { describeInvalidParts } from '../problem.ts';
import type { InvalidPart } from '../problem.ts';
import { findRoute } from '../routes/find-route.ts';
import { answerProblem } from './answer-problem.ts';
import type { ApiRequest, Middleware } from './serving.ts';

export function refuseWhatHasNoEffect(failures: FailureTable): Middleware {
  return async (c, next) => {
    const route = findRoute(c.req.method, c.req.path);
    if (route === null) return next();
    const invalid = [...judgeQuery(route, c), ...(await judgeBody(route, c))];
    if (invalid.length === 0) return next();
    return answerProblem(c, describeInvalidParts(invalid, failures));
  };
}

function judgeQuery(route: RouteConfig, c: ApiRequest): InvalidPart[] {
  const known = queryKeys(route);
  if (known === null) return [];
  const given = Object.entries(c.req.queries());
  return given.flatMap(([name, values]) => {
    const path = sanitizePeerText(name);
    if (!known.has(name)) {
      const names = known.size === 0 ? 'there is none' : `there are: ${[...known].join(', ')}`;
      return [{ path, text: `is no parameter here; ${names}` }];
    }
    return values.length === 1 ? [] : [{ path, text: 'is given more than once' }];
  });
}

interface QuerySchema {
  readonly shape?: object;
  readonly def?: { readonly catchall?: { readonly def: { readonly type: string } } };
}

/** Null where the schema does not tell its keys: then it judges by itself. */
function queryKeys(route: RouteConfig): ReadonlySet<string> | null {
  const query = route.request?.query as QuerySchema | undefined;
  if (query === undefined) return new Set();
  const { shape, def } = query;
  const isLoose = def?.catchall !== undefined && def.catchall.def.type !== 'never';
  return shape === undefined || isLoose ? null : new Set(Object.keys(shape));
}

/** `{}` is nothing, as clients send it that always send something. */
async function judgeBody(route: RouteConfig, c: ApiRequest): Promise<InvalidPart[]> {
  if (route.request?.body !== undefined) return [];
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return [];
  const text = (await c.req.text()).trim();
  if (text === '' || /^\{\s*\}$/.test(text)) return [];
  return [{ path: '', text: 'this route takes no body' }];
}
