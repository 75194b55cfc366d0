/** What routes are made of: bodies, answers and the problem that each may answer with. */
import { z } from '@hono/zod-openapi';
import { problemSchema } from '../contract.ts';
import type { Permission } from '../../identity/permissions.ts';

/** The answer of every route that fails. */
export const problem = {
  description: 'Why not',
  content: { 'application/problem+json': { schema: problemSchema } },
};

/** An answer in JSON. */
export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

/** An answer without a body: 204. */
export function nothing(description: string) {
  return { description };
}

/** A body in JSON that must be there. */
export function body<Schema extends z.ZodType>(schema: Schema) {
  return { body: { required: true, content: { 'application/json': { schema } } } };
}

/** Server-sent events; `description` names them. */
export function events(description: string) {
  return { description, content: { 'text/event-stream': { schema: z.string() } } };
}

/** The id of a message in a path. */
export const idParam = z.object({ id: z.string().max(64) });

/** What a route takes: a permission, or nothing at all of whoever signs in. */
export type RoutePermission = Permission | 'public';

/** The permission of a route, which it says in the document as well. Without one it is not served. */
export function needs<Name extends RoutePermission>(permission: Name) {
  return { 'x-permission': permission };
}
