/** Serves what recorded mail says of connectors and of other policies; one such question of a kind at a time. */
import { mayDo } from '../../identity/permissions.ts';
import { Failure } from '../../mail/failure.ts';
import { checkedTextBytesMax } from '../contract/config.ts';
import { requireRead } from '../object-permissions.ts';
import { describeRefusedConfig } from '../problem.ts';
import { readinessRoute, replayRoute } from '../routes/recorded-mail.ts';
import { problemType } from './answer-problem.ts';
import { limitConcurrency } from './limits.ts';
import { actorOf, organizationsInReach } from './reach.ts';
import type { Serving } from './serving.ts';

/** The largest configuration as text is mostly written. Who may only look makes us judge no more. */
const replayBytesMax = 1.25 * checkedTextBytesMax;

export function serveRecordedMail({ app, services, context, bodies }: Serving): void {
  for (const { path } of [readinessRoute, replayRoute]) {
    app.use(path, limitConcurrency(1, 'are answered already'));
  }
  bodies.allow(replayRoute.path, { bytesMax: replayBytesMax, atOnceMax: 2 });
  app.openapi(readinessRoute, async (c) =>
    c.json(await services.readReadiness(c.req.valid('query'), organizationsInReach(c)), 200),
  );
  app.openapi(replayRoute, async (c) => {
    const order = c.req.valid('json');
    const actor = actorOf(c);
    if (order.config !== null && !mayDo(actor, 'config.read', null)) {
      const text = 'config takes the permission config.read, which you do not have; send changes';
      throw new Failure('api-not-permitted', text, { wireText: text });
    }
    for (const { object } of order.changes ?? []) requireRead(actor, object);
    const outcome = await services.replay(order, actor, organizationsInReach(c));
    if (outcome.kind === 'replayed') return c.json(outcome.view, 200);
    const code = order.config === null ? 'policy-refused' : 'config-refused';
    const problem = describeRefusedConfig(outcome.problems, context.failures, code);
    return c.json(problem, problem.status as 422, { 'content-type': problemType });
  });
}
