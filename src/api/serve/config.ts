/** Serves the configuration in force, checks candidates, puts the next one in force. */
import { checkedTextBytesMax } from '../contract/config.ts';
import { describeRefusedConfig } from '../problem.ts';
import { configCheckRoute, configRoute, reloadRoute } from '../routes/config.ts';
import { problemType } from './answer-problem.ts';
import { actorOf } from './reach.ts';
import type { Serving } from './serving.ts';

/** JSON may write a byte of a configuration in six. */
const configBodyBytesMax = 6 * checkedTextBytesMax + 1024;
const checksMax = 4;

export function serveConfig({ app, services, context, bodies }: Serving): void {
  bodies.allow('/v1/config/check', { bytesMax: configBodyBytesMax, atOnceMax: checksMax });
  app.openapi(configRoute, async (c) => {
    const { defaults } = c.req.valid('query');
    return c.json(await services.readConfig({ withDefaults: defaults === 'true' }), 200);
  });
  app.openapi(configCheckRoute, async (c) =>
    c.json(await services.checkConfig(c.req.valid('json').text), 200),
  );
  app.openapi(reloadRoute, async (c) => {
    const outcome = await services.reloadConfig(c.req.valid('json'), actorOf(c));
    if (outcome.kind === 'reloaded') {
      const { policyRevision } = outcome.view;
      services.people.note(actorOf(c), {
        action: 'config.reloaded',
        organization: null,
        object: null,
        reason: c.req.valid('json').reason,
        after: { policyRevision },
      });
      return c.json(outcome.view, 200);
    }
    const problem = describeRefusedConfig(outcome.problems, context.failures);
    return c.json(problem, problem.status as 422, { 'content-type': problemType });
  });
}
