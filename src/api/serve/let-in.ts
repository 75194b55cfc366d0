/** Who is let in, and how often: the actor of a request, and the rates of addresses and actors. */
import { Failure } from '../../mail/failure.ts';
import type { Actor } from '../../identity/actor.ts';
import { actorKey, socketActor } from '../../identity/actor.ts';
import type { Credentials } from '../people-services.ts';
import { describeError } from '../problem.ts';
import { isPublic } from '../routes/find-route.ts';
import { addressKey } from './address-key.ts';
import { answerProblem } from './answer-problem.ts';
import { RateTable } from './rate-table.ts';
import { addressOf } from './request-care.ts';
import type { ApiContext, ApiRequest, Door, Middleware } from './serving.ts';

type TlsDoor = Extract<Door, { readonly kind: 'tls' }>;

/** Counts before anything is looked at, so that guessing is slow. */
export function limitAddresses(door: TlsDoor, context: ApiContext): Middleware {
  const table = new RateTable(door.rates.perAddress);
  return async (c, next) => {
    const waitSeconds = table.take(addressKey(addressOf(c) ?? ''));
    if (waitSeconds > 0) return tellToWait(c, context, waitSeconds);
    return next();
  };
}

export function limitActors(door: TlsDoor, context: ApiContext): Middleware {
  const table = new RateTable(door.rates.perActor);
  return async (c, next) => {
    const actor = c.get('actor');
    const waitSeconds = actor === null ? 0 : table.take(actorKey(actor));
    if (waitSeconds > 0) return tellToWait(c, context, waitSeconds);
    return next();
  };
}

/** What a request says of who asks. */
export function credentialsOf(c: ApiRequest): Credentials {
  return {
    authorization: c.req.header('authorization') ?? null,
    cookie: c.req.header('cookie') ?? null,
    address: addressOf(c),
  };
}

/** As of now. Whoever opened the socket is the administrator. */
export async function whoAsks(
  door: Door,
  credentials: Credentials,
  isUse: boolean,
): Promise<Actor | null> {
  return door.kind === 'socket' ? socketActor : door.authenticate(credentials, isUse);
}

/** Nobody is let in whom the door does not know, whatever the route. */
export function knowActors({ door, failures }: ApiContext): Middleware {
  return async (c, next) => {
    const { method, path } = c.req;
    const actor = await whoAsks(door, credentialsOf(c), true);
    c.set('actor', actor);
    if (actor !== null || isPublic(method, path)) return next();
    const failure = new Failure('api-not-signed-in', 'nobody is known by this request');
    const headers = { 'www-authenticate': 'Bearer realm="postern"' };
    return answerProblem(c, describeError(failure, failures), headers);
  };
}

function tellToWait(c: ApiRequest, { failures }: ApiContext, seconds: number): Response {
  const text = `too many requests: the next one is taken in ${seconds} s`;
  const problem = describeError(new Failure('api-too-many-requests', text), failures);
  return answerProblem(c, problem, { 'retry-after': String(seconds) });
}
