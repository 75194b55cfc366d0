/** Routes: the objects of the policy, the same for each kind, and changes of many. */
import { createRoute, z } from '@hono/zod-openapi';
import type { KindOfObject } from '../../config/policy-object.ts';
import { kindsInOrganization, kindsOfGateway } from '../../config/policy-object.ts';
import {
  changedSchema,
  changesOrderSchema,
  nameParam,
  objectListQuerySchema,
  objectListSchema,
  objectParam,
  objectViewSchema,
  organizationParam,
  pascalCase,
  placedQuerySchema,
  policyDocumentSchema,
  preconditionHeaders,
  removalQuerySchema,
  valueSchemaOf,
} from '../contract/policy-objects.ts';
import { permissionToChange, permissionToRead } from '../object-permissions.ts';
import { body, json, needs, problem } from './route-parts.ts';

/** Where objects of a kind are: their list, and one of them. */
function pathsOf({ kind, collection }: KindOfObject) {
  if (kind === 'organization') {
    const one = '/v1/organizations/{organization}';
    return { list: '/v1/organizations', one, listParams: z.object({}), params: organizationParam };
  }
  if (kind === 'certificate') {
    const list = `/v1/${collection}`;
    return { list, one: `${list}/{name}`, listParams: z.object({}), params: nameParam };
  }
  const list = `/v1/organizations/{organization}/${collection}`;
  return { list, one: `${list}/{name}`, listParams: organizationParam, params: objectParam };
}

/** The routes of one kind of object. */
export function routesOfKind(kind: KindOfObject) {
  const { list, one, listParams, params } = pathsOf(kind);
  const pascal = pascalCase(kind.kind);
  const plural = `${kind.list[0]!.toUpperCase()}${kind.list.slice(1)}`;
  const words = kind.words;
  const changed = { 200: json('What changed', changedSchema), default: problem };
  const written = body(valueSchemaOf(kind.kind));
  return {
    list: createRoute({
      method: 'get',
      path: list,
      operationId: `list${plural}`,
      ...needs(permissionToRead(kind.kind)),
      summary: `Objects of the policy: each ${words}, in order`,
      request: { params: listParams, query: objectListQuerySchema },
      responses: { 200: json('One page', objectListSchema), default: problem },
    }),
    read: createRoute({
      method: 'get',
      path: one,
      operationId: `read${pascal}`,
      ...needs(permissionToRead(kind.kind)),
      summary: `One ${words}, with its etag`,
      request: { params },
      responses: { 200: json('As it is', objectViewSchema), default: problem },
    }),
    put: createRoute({
      method: 'put',
      path: one,
      operationId: `put${pascal}`,
      ...needs(permissionToChange(kind.kind, 'put')),
      summary: `Makes the ${words}, or makes it exactly this; in force when the answer comes`,
      request: { params, query: placedQuerySchema, headers: preconditionHeaders, ...written },
      responses: changed,
    }),
    patch: createRoute({
      method: 'patch',
      path: one,
      operationId: `patch${pascal}`,
      ...needs(permissionToChange(kind.kind, 'patch')),
      summary: `Changes the named keys of the ${words}; null removes a key (RFC 7396)`,
      request: { params, query: placedQuerySchema, headers: preconditionHeaders, ...written },
      responses: changed,
    }),
    remove: createRoute({
      method: 'delete',
      path: one,
      operationId: `remove${pascal}`,
      ...needs(permissionToChange(kind.kind, 'remove')),
      summary: `Removes the ${words}; refused while something depends on it`,
      request: { params, query: removalQuerySchema, headers: preconditionHeaders },
      responses: changed,
    }),
  };
}

/** By the kind. */
export const objectRoutes = [...kindsOfGateway, ...kindsInOrganization].map(
  (kind) => [kind, routesOfKind(kind)] as const,
);

export const changesRoute = createRoute({
  method: 'post',
  path: '/v1/changes',
  operationId: 'changePolicy',
  // To come in; each object of the change takes its own.
  ...needs('connector.write'),
  summary: 'Changes many objects of the policy, all or none',
  request: body(changesOrderSchema),
  responses: { 200: json('What changed', changedSchema), default: problem },
});

export const policyRoute = createRoute({
  method: 'get',
  path: '/v1/policy',
  operationId: 'readPolicy',
  ...needs('revision.read'),
  summary: 'The whole policy in the words of a file, secrets left out',
  responses: { 200: json('The policy', policyDocumentSchema), default: problem },
});
