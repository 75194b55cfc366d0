/** Serves validations, live or at their end, and the alarms that are open. */
import { streamSSE } from 'hono/streaming';
import { describeObject } from '../../config/policy-object.ts';
import { Failure } from '../../mail/failure.ts';
import type { ValidationStep } from '../../policy/validation/run.ts';
import { describeError } from '../problem.ts';
import {
  alarmsRoute,
  probeRoute,
  validateRoute,
  validationRoute,
  validationsRoute,
} from '../routes/validation.ts';
import type { BegunValidation } from '../validation-services.ts';
import { isInReach, signedBy } from './reach.ts';
import type { ApiContext, ApiRequest, Serving } from './serving.ts';

export function serveValidation({ app, services, context }: Serving): void {
  app.openapi(validateRoute, async (c) => {
    const order = c.req.valid('json');
    const of = inReach(c, c.req.valid('param'));
    const by = signedBy(c, order.by);
    const begun = await services.startValidation(of, { ...order, by });
    const wantsEvents = (c.req.header('accept') ?? '').includes('text/event-stream');
    if (wantsEvents) return tellLive(c, begun, context);
    return c.json(await begun.run, 200);
  });
  app.openapi(probeRoute, async (c) => {
    const order = c.req.valid('json');
    const of = inReach(c, c.req.valid('param'));
    return c.json(await services.probeConnector(of, { ...order, by: signedBy(c, order.by) }), 200);
  });
  app.openapi(validationsRoute, async (c) =>
    c.json(
      await services.listValidations(inReach(c, c.req.valid('param')), c.req.valid('query')),
      200,
    ),
  );
  app.openapi(validationRoute, async (c) => {
    const { id, ...of } = c.req.valid('param');
    return c.json(await services.readValidation(inReach(c, of), id), 200);
  });
  app.openapi(alarmsRoute, async (c) => {
    const list = await services.listAlarms(c.req.valid('query'));
    const alarms = list.alarms.filter(({ organization }) => isInReach(c, organization));
    return c.json({ ...list, alarms }, 200);
  });
}

/** What is out of reach is answered as if it were not there. */
function inReach<Of extends { readonly organization: string; readonly name: string }>(
  c: ApiRequest,
  of: Of,
): Of {
  if (isInReach(c, of.organization)) return of;
  const { organization, name } = of;
  const what = describeObject({ kind: 'outbound-connector', organization, name });
  throw new Failure('object-unknown', `there is no ${what}`);
}

/**
 * Steps wait in memory for a slow reader: a run has some hundred at most. Whoever goes away does not end
 * the run; the gateway's stop ends the stream.
 */
function tellLive(c: ApiRequest, begun: BegunValidation, { failures, log, stopping }: ApiContext) {
  return streamSSE(c, async (stream) => {
    let last: Promise<void> = Promise.resolve();
    const tell = (event: string, data: unknown): void => {
      last = last.then(() => stream.writeSSE({ event, data: JSON.stringify(data) }));
    };
    begun.watch((step: ValidationStep) => tell('step', step));
    try {
      tell('run', await Promise.race([begun.run, stopped(stopping)]));
    } catch (error) {
      const told = describeError(error, failures);
      if (told.status >= 500) log.error({ code: told.code, err: error }, 'a validation failed');
      tell('problem', told);
    }
    await last;
  });
}

function stopped(stopping: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(new Failure('lane-unavailable', 'the gateway stops'));
    if (stopping.aborted) end();
    else stopping.addEventListener('abort', end, { once: true });
  });
}
