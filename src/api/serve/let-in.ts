/** Who is let in, and how often: the actor of a request, and the rates of addresses and actors. */
import { Failure } from '../../mail/failure.ts';
import { socketActor } from '../../identity/actor.ts';
import { actorKey } from '../actor.ts';
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

/** Whoever opened the socket is the administrator. */
export function takeSocketActor(): Middleware {
  return (c, next) => {
    c.set('actor', socketActor);
    return next();
  };
}

/** Nobody is let in whom `authenticate` does not know, whatever the route. */
export function knowActors(door: TlsDoor, context: ApiContext): Middleware {
  return async (c, next) => {
    const { method, path } = c.req;
    const actor = await door.authenticate({
      method,
      path,
      address: addressOf(c) ?? '',
      header: (name) => c.req.header(name) ?? null,
    });
    c.set('actor', actor);
    if (actor !== null || isPublic(method, path)) return next();
    const failure = new Failure('api-not-signed-in', 'nobody is known by this request');
    const headers = { 'www-authenticate': 'Bearer realm="postern"' };
    return answerProblem(c, describeError(failure, context.failures), headers);
  };
}

function tellToWait(c: ApiRequest, { failures }: ApiContext, seconds: number): Response {
  const text = `too many requests: the next one is taken in ${seconds} s`;
  const problem = describeError(new Failure('api-too-many-requests', text), failures);
  return answerProblem(c, problem, { 'retry-after': String(seconds) });
}
