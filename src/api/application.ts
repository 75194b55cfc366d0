/** The HTTP application without its socket: routes joined with services, limits, errors. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { Failure } from '../mail/failure.ts';
import { describeApi } from './openapi.ts';
import { describeError, describeInvalid } from './problem.ts';
import { answerProblem } from './serve/answer-problem.ts';
import { serveConfig } from './serve/config.ts';
import { serveDomains } from './serve/domains.ts';
import { serveExplain } from './serve/explain.ts';
import { limitTime } from './serve/limits.ts';
import { serveMessages } from './serve/messages.ts';
import { servePolicyObjects } from './serve/policy-objects.ts';
import { serveQueue } from './serve/queue.ts';
import { serveRevisions } from './serve/revisions.ts';
import type { ApiContext, Application, Serving } from './serve/serving.ts';
import { serveStatus } from './serve/status.ts';
import { serveTraces } from './serve/traces.ts';
import type { ApiServices } from './services.ts';

/** An area is added with one line here; `routes/all-routes.ts` has its routes. */
const areas: readonly ((serving: Serving) => void)[] = [
  serveStatus,
  serveQueue,
  serveTraces,
  serveMessages,
  serveExplain,
  serveConfig,
  serveDomains,
  servePolicyObjects,
  serveRevisions,
];

export function createApplication(services: ApiServices, context: ApiContext): Application {
  const { limits, failures, log } = context;
  const app: Application = new OpenAPIHono({
    defaultHook: (result, c) =>
      result.success ? undefined : answerProblem(c, describeInvalid(result.error, failures)),
  });
  app.use(limitTime(limits.handlerTimeoutMs));
  for (const serve of areas) serve({ app, services, context });
  const document = describeApi();
  app.get('/v1/openapi.json', (c) => c.json(document));
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
