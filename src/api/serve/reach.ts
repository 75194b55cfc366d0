/** Of which organizations a request may see or change something, for handlers. */
import assert from 'node:assert';
import type { Actor } from '../../identity/actor.ts';
import { describeActor } from '../../identity/actor.ts';
import type { ApiRequest } from './serving.ts';

/** Null: of all, and what belongs to none. */
export function organizationsInReach(c: Pick<ApiRequest, 'get'>): readonly string[] | null {
  const reach = c.get('reach');
  return reach.kind === 'all' ? null : reach.organizations;
}

/** Whose it must have been, for the audit log; null where it may have been of several, or of all. */
export function onlyOneInReach(c: Pick<ApiRequest, 'get'>): string | null {
  const mine = organizationsInReach(c);
  return mine?.length === 1 ? mine[0]! : null;
}

/** What is out of reach is answered as if it were not there. `organization` null: it is nobody's. */
export function isInReach(c: Pick<ApiRequest, 'get'>, organization: string | null): boolean {
  const mine = organizationsInReach(c);
  return mine === null || (organization !== null && mine.includes(organization));
}

/** Behind the guard of a route that is not public there is one. */
export function actorOf(c: Pick<ApiRequest, 'get'>): Actor {
  const actor = c.get('actor');
  assert(actor !== null, 'a route that is not public was served to nobody');
  return actor;
}

/** Who is said to have done something: over the socket whoever the caller says, else who signed in. */
export function signedBy(c: Pick<ApiRequest, 'get'>, said: string): string {
  const actor = actorOf(c);
  return actor.kind === 'socket' ? said : describeActor(actor);
}
