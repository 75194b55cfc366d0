/** The HTTP application without its socket: routes joined with services, limits, errors. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { FailureTable } from '../mail/failure.ts';
import { Failure } from '../mail/failure.ts';
import { describeApi } from './openapi.ts';
import { describeError, describeInvalid } from './problem.ts';
import { allowedMethods } from './routes/find-route.ts';
import { documentRoute } from './routes/document.ts';
import { answerProblem } from './serve/answer-problem.ts';
import { serveAudit } from './serve/audit.ts';
import { createBodyLimits } from './serve/body-limits.ts';
import { serveCertificates } from './serve/certificates.ts';
import { serveConfig } from './serve/config.ts';
import { serveDomains } from './serve/domains.ts';
import { EventStreams } from './serve/event-streams.ts';
import { assertGuarded, guardRoutes } from './serve/guard.ts';
import { serveExplain } from './serve/explain.ts';
import { credentialsOf, knowActors, limitActors, limitAddresses, whoAsks } from './serve/let-in.ts';
import { limitTime } from './serve/limits.ts';
import { takeJsonOnly } from './serve/media-type.ts';
import { serveMessages } from './serve/messages.ts';
import { servePolicyObjects } from './serve/policy-objects.ts';
import { servePeople } from './serve/people.ts';
import { serveQueue } from './serve/queue.ts';
import { serveRecordedMail } from './serve/recorded-mail.ts';
import { serveRevisions } from './serve/revisions.ts';
import { describeRequest, nameRequests } from './serve/request-care.ts';
import { refuseOtherSites } from './serve/same-origin.ts';
import { secureAnswers } from './serve/security-headers.ts';
import { refuseWhatHasNoEffect } from './serve/no-effect.ts';
import type { ApiContext, ApiEnv, ApiRequest, Application, Serving } from './serve/serving.ts';
import { serveSession } from './serve/session.ts';
import { serveStatus } from './serve/status.ts';
import { serveSuggestions } from './serve/suggestions.ts';
import { serveTokens } from './serve/tokens.ts';
import { serveTraces } from './serve/traces.ts';
import { serveValidation } from './serve/validation.ts';
import type { ApiServices } from './services.ts';

/** An area is added with one line here; `routes/all-routes.ts` has its routes. */
const areas: readonly ((serving: Serving) => void)[] = [
  serveStatus,
  serveSuggestions,
  serveRecordedMail,
  serveQueue,
  serveTraces,
  serveMessages,
  serveExplain,
  serveConfig,
  serveDomains,
  serveCertificates,
  servePolicyObjects,
  serveRevisions,
  serveValidation,
  serveSession,
  servePeople,
  serveTokens,
  serveAudit,
];

/** A validation is bounded by itself. */
const slowPaths = { pattern: /\/(?:validate|probe)$/, timeoutMs: 345_000 };

export function createApplication(services: ApiServices, context: ApiContext): Application {
  const { limits, failures, log } = context;
  const app: Application = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) =>
      result.success ? undefined : answerProblem(c, describeInvalid(result.error, failures)),
  });
  app.use(nameRequests(context));
  addDoor(app, context);
  const bodies = createBodyLimits();
  app.use(limitTime(limits.handlerTimeoutMs, slowPaths), takeJsonOnly(), bodies.middleware);
  app.use(refuseWhatHasNoEffect(failures));
  const guarded = guardRoutes(app, (c) => whoAsks(context.door, credentialsOf(c), false));
  const events = new EventStreams(context);
  for (const serve of areas) serve({ app, services, context, bodies, events });
  const document = describeApi();
  app.openapi(documentRoute, (c) =>
    c.json(document as unknown as Readonly<Record<string, string>>, 200),
  );
  assertGuarded(app, guarded);
  app.notFound((c) => answerUnknown(c, failures));
  app.onError((error, c) => {
    const problem = describeError(error, failures);
    const fields = { ...describeRequest(c), code: problem.code };
    if (problem.status >= 500) log.error({ ...fields, err: error }, 'API request failed');
    else log.debug({ ...fields, reason: problem.detail }, 'API request refused');
    return answerProblem(c, problem);
  });
  return app;
}

/** What a request must get past before a handler sees it, in this order. */
function addDoor(app: Application, context: ApiContext): void {
  const { door } = context;
  if (door.kind === 'socket') {
    app.use(knowActors(context));
    return;
  }
  app.use(
    secureAnswers(),
    limitAddresses(door, context),
    refuseOtherSites(),
    knowActors(context),
    limitActors(door, context),
  );
}

function answerUnknown(c: ApiRequest, failures: FailureTable): Response {
  const { method, path } = c.req;
  const allowed = allowedMethods(path);
  if (allowed.length === 0) {
    const failure = new Failure('api-route-unknown', `there is no ${method} ${path}`);
    return answerProblem(c, describeError(failure, failures));
  }
  const text = `${path} knows no ${method}; it takes ${allowed.join(', ')}`;
  const problem = describeError(new Failure('api-method-wrong', text), failures);
  return answerProblem(c, problem, { allow: allowed.join(', ') });
}
