/** Routes: API tokens, everybody's and one's own. */
import { createRoute, z } from '@hono/zod-openapi';
import { personName } from '../contract/people.ts';
import {
  newTokenSchema,
  ownTokenSchema,
  tokenAddSchema,
  tokenListSchema,
  tokenParamSchema,
} from '../contract/tokens.ts';
import { body, json, needs, nothing, problem } from './route-parts.ts';

export const tokensRoute = createRoute({
  method: 'get',
  path: '/v1/tokens',
  operationId: 'listTokens',
  ...needs('token.read'),
  summary: 'The tokens of everybody, or of one person, without their secrets',
  request: { query: z.strictObject({ person: personName.optional() }) },
  responses: { 200: json('The tokens', tokenListSchema), default: problem },
});

export const tokenAddRoute = createRoute({
  method: 'post',
  path: '/v1/tokens',
  operationId: 'addToken',
  ...needs('token.write'),
  summary: 'Makes a token for a person; its secret is shown this once',
  request: body(tokenAddSchema),
  responses: { 201: json('The token', newTokenSchema), default: problem },
});

export const tokenRemoveRoute = createRoute({
  method: 'delete',
  path: '/v1/tokens/{id}',
  operationId: 'removeToken',
  ...needs('token.write'),
  summary: 'Revokes a token',
  request: { params: tokenParamSchema },
  responses: { 204: nothing('It counts no more'), default: problem },
});

export const ownTokensRoute = createRoute({
  method: 'get',
  path: '/v1/account/tokens',
  operationId: 'listOwnTokens',
  ...needs('account.own'),
  summary: 'The own tokens, without their secrets',
  responses: { 200: json('The tokens', tokenListSchema), default: problem },
});

export const ownTokenAddRoute = createRoute({
  method: 'post',
  path: '/v1/account/tokens',
  operationId: 'addOwnToken',
  ...needs('account.own'),
  summary: "Makes a token of one's own; its secret is shown this once",
  request: body(ownTokenSchema),
  responses: { 201: json('The token', newTokenSchema), default: problem },
});

export const ownTokenRemoveRoute = createRoute({
  method: 'delete',
  path: '/v1/account/tokens/{id}',
  operationId: 'removeOwnToken',
  ...needs('account.own'),
  summary: "Revokes a token of one's own",
  request: { params: tokenParamSchema },
  responses: { 204: nothing('It counts no more'), default: problem },
});
