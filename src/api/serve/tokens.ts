/** Serves API tokens. */
import {
  ownTokenAddRoute,
  ownTokenRemoveRoute,
  ownTokensRoute,
  tokenAddRoute,
  tokenRemoveRoute,
  tokensRoute,
} from '../routes/tokens.ts';
import { actorOf } from './reach.ts';
import type { Serving } from './serving.ts';

export function serveTokens({ app, services }: Serving): void {
  const { people } = services;
  app.openapi(tokensRoute, (c) => {
    const { person = null } = c.req.valid('query');
    return c.json(people.listTokens(person), 200);
  });
  app.openapi(tokenAddRoute, (c) => c.json(people.addToken(c.req.valid('json'), actorOf(c)), 201));
  app.openapi(tokenRemoveRoute, (c) => {
    people.removeToken(c.req.valid('param').id, actorOf(c));
    return c.body(null, 204);
  });
  app.openapi(ownTokensRoute, (c) => c.json(people.listOwnTokens(actorOf(c)), 200));
  app.openapi(ownTokenAddRoute, (c) =>
    c.json(people.addOwnToken(c.req.valid('json'), actorOf(c)), 201),
  );
  app.openapi(ownTokenRemoveRoute, (c) => {
    people.removeOwnToken(c.req.valid('param').id, actorOf(c));
    return c.body(null, 204);
  });
}
