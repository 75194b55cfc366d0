/** The HTTP application without its socket: routes joined with services, limits, errors. */
import { Readable } from 'node:stream';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { parseDomain } from '../mail/domain.ts';
import type { FailureTable } from '../mail/failure.ts';
import { Failure } from '../mail/failure.ts';
import { formatQueueId, parseQueueId } from '../mail/queue-id.ts';
import type { Log } from '../report/log.ts';
import type { Problem } from './contract.ts';
import { checkedTextBytesMax } from './contract/config.ts';
import { describeApi } from './openapi.ts';
import { describeError, describeInvalid, describeRefusedConfig } from './problem.ts';
import { toMatch } from './queue-orders.ts';
import { describeQueueRow } from './queue-view.ts';
import {
  configCheckRoute,
  configRoute,
  contentRoute,
  domainVerifyRoute,
  domainsRoute,
  explainRoute,
  queuedRoute,
  queueOrderRoute,
  queueRoute,
  recordsRoute,
  reloadRoute,
  statusRoute,
  submitRoute,
  traceRoute,
  traceSearchRoute,
} from './routes.ts';
import type { ApiServices } from './services.ts';

/** `bodyBytesMax` bounds a submission; other bodies have 256 KiB. */
export interface ApiLimits {
  readonly bodyBytesMax: number;
  /** Submissions whose bodies may be in memory at once; more are answered 503. */
  readonly submissionsMax: number;
  readonly handlerTimeoutMs: number;
}

const smallBodyBytesMax = 256 * 1024;
/** JSON may write a byte of a configuration in six. */
const configBodyBytesMax = 6 * checkedTextBytesMax + 1024;
const problemType = 'application/problem+json';

export interface ApiContext {
  readonly limits: ApiLimits;
  readonly failures: FailureTable;
  readonly log: Log;
}

export function createApplication(services: ApiServices, context: ApiContext): OpenAPIHono {
  const { limits, failures, log } = context;
  const app = new OpenAPIHono({
    defaultHook: (result, c) =>
      result.success ? undefined : answerProblem(c, describeInvalid(result.error, failures)),
  });
  app.use(limitTime(limits.handlerTimeoutMs));
  app.use('/v1/messages', limitConcurrency(limits.submissionsMax), limitBody(limits.bodyBytesMax));
  app.use('/v1/explain', limitBody(smallBodyBytesMax));
  app.use('/v1/queue/*', limitBody(smallBodyBytesMax));
  app.use('/v1/config/reload', limitBody(smallBodyBytesMax));
  app.use('/v1/config/check', limitBody(configBodyBytesMax));
  app.use('/v1/domains/*', limitBody(smallBodyBytesMax));
  serve(app, services);
  serveReload(app, services, failures);
  app.notFound((c) => {
    const failure = new Failure('api-route-unknown', `there is no ${c.req.method} ${c.req.path}`);
    return answerProblem(c, describeError(failure, failures));
  });
  app.onError((error, c) => {
    const problem = describeError(error, failures);
    const fields = { code: problem.code, method: c.req.method, path: c.req.path };
    if (problem.status >= 500) log.error({ ...fields, err: error }, 'API request failed');
    else log.debug({ ...fields, reason: problem.detail }, 'API request refused');
    return answerProblem(c, problem);
  });
  return app;
}

function serve(app: OpenAPIHono, services: ApiServices): void {
  app.openapi(statusRoute, async (c) => c.json(await services.status(), 200));
  serveQueue(app, services);
  app.openapi(traceSearchRoute, async (c) =>
    c.json(await services.searchTraces(c.req.valid('query')), 200),
  );
  app.openapi(recordsRoute, async (c) =>
    c.json(await services.readRecords(c.req.valid('query')), 200),
  );
  app.openapi(traceRoute, async (c) => {
    const { id } = c.req.valid('param');
    const known = readId(id);
    const trace = known === null ? null : await services.readTrace(known);
    if (trace === null) throw new Failure('trace-unknown', `nothing is known about "${id}"`);
    return c.json(trace, 200);
  });
  app.openapi(submitRoute, async (c) => c.json(await services.submit(c.req.valid('json')), 202));
  app.openapi(explainRoute, async (c) => c.json(await services.explain(c.req.valid('json')), 200));
  app.openapi(configRoute, async (c) => {
    const { defaults } = c.req.valid('query');
    return c.json(await services.readConfig({ withDefaults: defaults === 'true' }), 200);
  });
  app.openapi(configCheckRoute, async (c) =>
    c.json(await services.checkConfig(c.req.valid('json').text), 200),
  );
  serveDomains(app, services);
  const document = describeApi();
  app.get('/v1/openapi.json', (c) => c.json(document));
}

function serveDomains(app: OpenAPIHono, services: ApiServices): void {
  app.openapi(domainsRoute, async (c) => c.json(await services.listDomains(), 200));
  app.openapi(domainVerifyRoute, async (c) => {
    const domain = parseDomain(c.req.valid('param').domain)!;
    return c.json(await services.verifyDomain(domain), 200);
  });
}

function serveQueue(app: OpenAPIHono, services: ApiServices): void {
  app.openapi(queueRoute, async (c) => {
    const { limit, ...query } = c.req.valid('query');
    const rows = await services.listQueue({ limit, ...toMatch(query) });
    return c.json({ rows: rows.map(describeQueueRow), limit }, 200);
  });
  app.openapi(queueOrderRoute, async (c) =>
    c.json(await services.orderQueue(c.req.valid('json')), 200),
  );
  app.openapi(queuedRoute, async (c) => {
    const id = readId(c.req.valid('param').id);
    const message = id === null ? null : await services.showQueued(id);
    if (message === null) throw notQueued(c.req.valid('param').id);
    return c.json(message, 200);
  });
  app.openapi(contentRoute, async (c) => {
    const id = readId(c.req.valid('param').id);
    const content = id === null ? null : await services.openContent(id, c.req.valid('query').by);
    if (content === null) throw notQueued(c.req.valid('param').id);
    const stream = Readable.toWeb(content) as ReadableStream;
    return c.body(stream, 200, { 'content-type': 'message/rfc822' });
  });
}

/** The id in its one spelling; null where it is none. */
function readId(text: string): string | null {
  const parsed = parseQueueId(text);
  return parsed === null ? null : formatQueueId(parsed);
}

function notQueued(id: string): Failure {
  return new Failure('message-not-queued', `no message ${id} is queued`);
}

function serveReload(app: OpenAPIHono, services: ApiServices, failures: FailureTable): void {
  app.openapi(reloadRoute, async (c) => {
    const outcome = await services.reloadConfig(c.req.valid('json'));
    if (outcome.kind === 'reloaded') return c.json(outcome.view, 200);
    const problem = describeRefusedConfig(outcome.problems, failures);
    return c.json(problem, problem.status as 422, { 'content-type': problemType });
  });
}

function answerProblem(c: Context, problem: Problem): Response {
  const status = problem.status as ContentfulStatusCode;
  return c.body(JSON.stringify(problem), status, { 'content-type': problemType });
}

function limitBody(maxSize: number): MiddlewareHandler {
  const onError = (): never => {
    throw new Failure('api-body-too-large', `the body is larger than ${maxSize} bytes`);
  };
  return bodyLimit({ maxSize, onError });
}

/** What is still running after the time goes on to its end; only the caller stops waiting. */
function limitTime(timeoutMs: number): MiddlewareHandler {
  return async (_c, next) => {
    let timer: NodeJS.Timeout | undefined;
    const expiry = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Failure('api-timeout', `the gateway did not finish within ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      await Promise.race([next(), expiry]);
    } finally {
      clearTimeout(timer);
    }
  };
}

function limitConcurrency(max: number): MiddlewareHandler {
  let running = 0;
  return async (_c, next) => {
    if (running >= max) {
      throw new Failure('api-busy', `${max} submissions are being taken in already`);
    }
    running++;
    try {
      await next();
    } finally {
      running--;
    }
  };
}
