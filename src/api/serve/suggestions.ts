/** Serves connectors that recorded mail suggests. */
import { suggestionsRoute } from '../routes/suggestions.ts';
import { limitConcurrency } from './limits.ts';
import { organizationsInReach } from './reach.ts';
import type { Serving } from './serving.ts';

export function serveSuggestions({ app, services }: Serving): void {
  app.use('/v1/suggestions', limitConcurrency(1, 'are answered already'));
  app.openapi(suggestionsRoute, async (c) =>
    c.json(await services.suggestConnectors(c.req.valid('query'), organizationsInReach(c)), 200),
  );
}
