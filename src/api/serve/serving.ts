/** What the areas of the API are joined with: the application, the services, the bounds. */
import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import type { FailureTable } from '../../mail/failure.ts';
import type { Log } from '../../report/log.ts';
import type { Actor } from '../../identity/actor.ts';
import type { Reach } from '../../identity/permissions.ts';
import type { Authenticate } from '../people-services.ts';
import type { ApiServices } from '../services.ts';
import type { BodyLimits } from './body-limits.ts';
import type { EventBounds, EventStreams } from './event-streams.ts';
import type { Rate } from './rate-table.ts';

/** `bodyBytesMax` bounds a submission; other bodies have 256 KiB. */
export interface ApiLimits {
  readonly bodyBytesMax: number;
  /** Submissions whose bodies may be in memory at once; more are answered 503. */
  readonly submissionsMax: number;
  readonly handlerTimeoutMs: number;
  readonly events: EventBounds;
}

/**
 * How requests come in. `socket`: opening it is being the gateway's administrator. `tls`: from the
 * network, so that whom `authenticate` does not know is answered on public routes alone.
 */
export type Door =
  | { readonly kind: 'socket' }
  | {
      readonly kind: 'tls';
      readonly authenticate: Authenticate;
      readonly rates: { readonly perAddress: Rate; readonly perActor: Rate };
    };

export interface ApiContext {
  readonly door: Door;
  readonly limits: ApiLimits;
  readonly failures: FailureTable;
  readonly log: Log;
  /** Aborted when the gateway stops: streams end. */
  readonly stopping: AbortSignal;
}

/**
 * `actor` null on public routes alone. `reach`: of which organizations the actor has the permission of
 * the route; set before any handler runs.
 */
export interface ApiEnv {
  Bindings: Partial<HttpBindings>;
  Variables: { requestId: string; actor: Actor | null; reach: Reach };
}

/** The application that areas add their routes to. */
export type Application = OpenAPIHono<ApiEnv>;
export type ApiRequest = Context<ApiEnv>;
export type Middleware = MiddlewareHandler<ApiEnv>;

export interface Serving {
  readonly app: Application;
  readonly services: ApiServices;
  readonly context: ApiContext;
  /** Where a route takes a body larger than others do. */
  readonly bodies: BodyLimits;
  readonly events: EventStreams;
}
