/** Serves the audit log, of each organization to those who may read it. */
import { auditChainRoute, auditRoute } from '../routes/audit.ts';
import { organizationsInReach } from './reach.ts';
import type { Serving } from './serving.ts';

export function serveAudit({ app, services }: Serving): void {
  const { people } = services;
  app.openapi(auditRoute, (c) =>
    c.json(people.searchAudit(c.req.valid('query'), organizationsInReach(c)), 200),
  );
  app.openapi(auditChainRoute, (c) => c.json(people.readAuditChain(c.req.valid('query')), 200));
}
