/** Serves validations, live or at their end, and the alarms that are open. */
import { streamSSE } from 'hono/streaming';
import { Failure } from '../../mail/failure.ts';
import type { ValidationStep } from '../../policy/validation/run.ts';
import { describeError } from '../problem.ts';
import {
  alarmsRoute,
  validateRoute,
  validationRoute,
  validationsRoute,
} from '../routes/validation.ts';
import type { BegunValidation } from '../validation-services.ts';
import type { ApiContext, ApiRequest, Serving } from './serving.ts';

export function serveValidation({ app, services, context }: Serving): void {
  app.openapi(validateRoute, async (c) => {
    const order = c.req.valid('json');
    // Who signed in is known; whoever opened the socket says it.
    const by = c.get('actor')?.person?.name ?? order.by;
    const begun = await services.startValidation(c.req.valid('param'), { ...order, by });
    const wantsEvents = (c.req.header('accept') ?? '').includes('text/event-stream');
    if (wantsEvents) return tellLive(c, begun, context);
    return c.json(await begun.run, 200);
  });
  app.openapi(validationsRoute, async (c) =>
    c.json(await services.listValidations(c.req.valid('param'), c.req.valid('query')), 200),
  );
  app.openapi(validationRoute, async (c) => {
    const { id, ...of } = c.req.valid('param');
    return c.json(await services.readValidation(of, id), 200);
  });
  app.openapi(alarmsRoute, async (c) =>
    c.json(await services.listAlarms(c.req.valid('query')), 200),
  );
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
