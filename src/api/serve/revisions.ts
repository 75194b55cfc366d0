/** Serves the revisions of the policy. */
import {
  diffRoute,
  inForceRoute,
  revisionRoute,
  revisionsRoute,
  rollbackRoute,
} from '../routes/revisions.ts';
import { actorOf } from './reach.ts';
import { answerChange } from './policy-objects.ts';
import type { Serving } from './serving.ts';

export function serveRevisions(serving: Serving): void {
  const { app, services } = serving;
  app.openapi(revisionsRoute, async (c) => {
    const { before, limit } = c.req.valid('query');
    const page = before === undefined ? { limit } : { before, limit };
    return c.json(await services.listRevisions(page), 200);
  });
  app.openapi(revisionRoute, async (c) =>
    c.json(await services.readRevision(c.req.valid('param').revision), 200),
  );
  app.openapi(diffRoute, async (c) => {
    const { from, to = null } = c.req.valid('query');
    return c.json(await services.diffRevisions(from, to), 200);
  });
  app.openapi(rollbackRoute, async (c) => {
    const { revision } = c.req.valid('param');
    const answer = await services.rollBack(revision, c.req.valid('json'), actorOf(c));
    return answerChange(c, answer, serving) as never;
  });
  app.openapi(inForceRoute, async (c) =>
    c.json(await services.whenInForce(c.req.valid('param').policyRevision), 200),
  );
}
