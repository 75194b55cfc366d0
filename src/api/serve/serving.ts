/** What the areas of the API are joined with: the application, the services, the bounds. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { FailureTable } from '../../mail/failure.ts';
import type { Log } from '../../report/log.ts';
import type { ApiServices } from '../services.ts';

/** `bodyBytesMax` bounds a submission; other bodies have 256 KiB. */
export interface ApiLimits {
  readonly bodyBytesMax: number;
  /** Submissions whose bodies may be in memory at once; more are answered 503. */
  readonly submissionsMax: number;
  readonly handlerTimeoutMs: number;
}

export interface ApiContext {
  readonly limits: ApiLimits;
  readonly failures: FailureTable;
  readonly log: Log;
}

/** The application that areas add their routes to. */
export type Application = OpenAPIHono;

export interface Serving {
  readonly app: Application;
  readonly services: ApiServices;
  readonly context: ApiContext;
}
