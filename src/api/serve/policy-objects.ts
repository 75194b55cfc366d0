/** Serves the objects of the policy: lists, single ones, changes. */
import type { KindOfObject, ObjectKey } from '../../config/policy-object.ts';
import { canonicalName } from '../../config/policy-object.ts';
import { Failure } from '../../mail/failure.ts';
import type { ChangesOrder } from '../contract/policy-objects.ts';
import { changesOrderSchema } from '../contract/policy-objects.ts';
import type { PolicyAnswer } from '../policy-services.ts';
import { describeDependents, describeRefusedConfig, describeWeaker } from '../problem.ts';
import { changesRoute, objectRoutes, policyRoute } from '../routes/policy-objects.ts';
import { problemType } from './answer-problem.ts';
import { organizationOfObject, requireChange } from '../object-permissions.ts';
import type { Organizations } from '../services.ts';
import { actorOf, isInReach, organizationsInReach } from './reach.ts';
import type { ApiRequest, Serving } from './serving.ts';

const changesBytesMax = 16 * 1024 * 1024;

export function servePolicyObjects(serving: Serving): void {
  const { app, services, bodies } = serving;
  bodies.allow('/v1/changes', { bytesMax: changesBytesMax, atOnceMax: 2 });
  for (const [kind, routes] of objectRoutes) serveKind(serving, kind, routes);
  app.openapi(changesRoute, async (c) => {
    const order = c.req.valid('json');
    const actor = actorOf(c);
    for (const { object, kind } of order.changes) requireChange(actor, object, kind);
    const answer = await services.changePolicy(order, actor);
    return answerChange(c, answer, serving) as never;
  });
  app.openapi(policyRoute, async (c) => c.json(await services.readPolicy(), 200));
}

type Routes = (typeof objectRoutes)[number][1];

function serveKind(serving: Serving, kind: KindOfObject, routes: Routes): void {
  const { app, services } = serving;
  app.openapi(routes.list, async (c) => {
    const { organization = null } = c.req.valid('param') as { organization?: string };
    const of = { kind: kind.kind, organization };
    if (organization !== null && !isInReach(c, organization)) throw unknown(of, organization);
    return c.json(await services.listObjects(of, c.req.valid('query'), reachOfNames(c, kind)), 200);
  });
  app.openapi(routes.read, async (c) => {
    const key = keyOf(kind, c.req.valid('param'));
    const organization = organizationOfObject(key);
    if (!isInReach(c, organization)) throw unknown(key, organization);
    const object = await services.readObject(key);
    return c.json(object, 200, { etag: object.etag });
  });
  for (const [verb, route] of [
    ['put', routes.put],
    ['patch', routes.patch],
  ] as const) {
    app.openapi(route, async (c) => {
      const { place = null } = c.req.valid('query');
      const value = c.req.valid('json') as Readonly<Record<string, unknown>>;
      const object = keyOf(kind, c.req.valid('param'));
      requireChange(actorOf(c), object, verb);
      const order = orderOf(c, { kind: verb, object, value, place });
      return answerChange(c, await services.changePolicy(order, actorOf(c)), serving) as never;
    });
  }
  app.openapi(routes.remove, async (c) => {
    const withContents = c.req.valid('query').withContents === 'true';
    const object = keyOf(kind, c.req.valid('param'));
    requireChange(actorOf(c), object, 'remove');
    const order = orderOf(c, { kind: 'remove', object, withContents });
    return answerChange(c, await services.changePolicy(order, actorOf(c)), serving) as never;
  });
}

/** Organizations are listed as far as they are in reach; what is in one is all in reach. */
function reachOfNames(c: ApiRequest, { kind }: KindOfObject): Organizations {
  return kind === 'organization' ? organizationsInReach(c) : null;
}

/** Of what is another organization's, word for word as of what is not there. */
function unknown({ kind }: Pick<ObjectKey, 'kind'>, organization: string | null): Failure {
  const of = kind === 'certificate' ? kind : 'organization';
  return new Failure('object-unknown', `there is no ${of} "${organization ?? ''}"`);
}

function keyOf({ kind }: KindOfObject, param: object): ObjectKey {
  const { organization = null, name } = param as { organization?: string; name?: string };
  if (kind === 'organization') return { kind, organization: null, name: organization ?? '' };
  return { kind, organization, name: canonicalName(kind, name ?? '') };
}

/** With what the query and the headers say. */
function orderOf(c: ApiRequest, change: object): ChangesOrder {
  const { dryRun, reason } = c.req.query();
  return changesOrderSchema.parse({
    changes: [{ ...change, expect: expectationOf(c) }],
    reason: reason ?? null,
    dryRun: dryRun === 'true',
  });
}

/** @see RFC 9110 §13.1 */
function expectationOf(c: ApiRequest): string {
  const match = c.req.header('if-match');
  if (c.req.header('if-none-match') === '*') {
    if (match === undefined) return 'absent';
    throw new Failure('api-request-invalid', 'If-Match and If-None-Match cannot both hold');
  }
  if (match === undefined) return 'any';
  return match === '*' ? 'present' : match;
}

/** What became of a change, or the problem why nothing did. */
export function answerChange(c: ApiRequest, answer: PolicyAnswer, { context }: Serving): Response {
  if (answer.kind === 'done') {
    const { object } = answer.view;
    return c.json(answer.view, 200, object === null ? {} : { etag: object.etag });
  }
  const { failures } = context;
  const problem =
    answer.kind === 'asks-why'
      ? describeWeaker(answer.weaker, failures)
      : answer.dependents.length > 0
        ? describeDependents(answer, failures)
        : describeRefusedConfig(answer.problems, failures, 'policy-refused');
  return c.json(problem, problem.status as 422, { 'content-type': problemType });
}
