/** Routes: signing in and out, who somebody is, the own account. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  passwordChangeSchema,
  recoveryCodesSchema,
  sessionSchema,
  signInSchema,
  signInWaysSchema,
  totpConfirmSchema,
  totpOfferSchema,
  totpRemoveSchema,
  totpStartSchema,
} from '../contract/session.ts';
import { body, json, needs, nothing, problem } from './route-parts.ts';

const html = { 'text/html': { schema: z.string() } };

export const signInWaysRoute = createRoute({
  method: 'get',
  path: '/v1/sign-in',
  operationId: 'readSignInWays',
  ...needs('public'),
  summary: 'How one can sign in here',
  responses: { 200: json('The ways', signInWaysSchema), default: problem },
});

export const signInRoute = createRoute({
  method: 'post',
  path: '/v1/sign-in',
  operationId: 'signIn',
  ...needs('public'),
  summary:
    'Begins a session, in a cookie; where `second-factor-needed` is answered, the same again with the code',
  request: body(signInSchema),
  responses: { 200: json('Who is signed in', sessionSchema), default: problem },
});

export const oidcStartRoute = createRoute({
  method: 'get',
  path: '/v1/sign-in/oidc',
  operationId: 'startOidc',
  ...needs('public'),
  summary: 'Sends the browser to the provider of OpenID Connect',
  responses: { 302: { description: 'To the provider' }, default: problem },
});

export const oidcCallbackRoute = createRoute({
  method: 'get',
  path: '/v1/sign-in/oidc/callback',
  operationId: 'finishOidc',
  ...needs('public'),
  summary: 'Where the provider sends the browser back to; begins a session',
  request: {
    // What else a provider adds is looked at by the library that reads the answer.
    query: z.looseObject({
      state: z.string().max(512).optional(),
      code: z.string().max(4096).optional(),
    }),
  },
  responses: { 200: { description: 'A page that leads on', content: html }, default: problem },
});

export const signOutRoute = createRoute({
  method: 'post',
  path: '/v1/sign-out',
  operationId: 'signOut',
  ...needs('account.own'),
  summary: 'Ends the session',
  responses: { 204: nothing('It has ended'), default: problem },
});

export const sessionRoute = createRoute({
  method: 'get',
  path: '/v1/session',
  operationId: 'readSession',
  ...needs('session.read'),
  summary: 'Who asks, and what may be done where',
  responses: { 200: json('Who asks', sessionSchema), default: problem },
});

export const passwordChangeRoute = createRoute({
  method: 'put',
  path: '/v1/account/password',
  operationId: 'changePassword',
  ...needs('account.own'),
  summary: 'Changes the own password; all sessions end, this one too',
  request: body(passwordChangeSchema),
  responses: { 204: nothing('It was changed'), default: problem },
});

export const totpStartRoute = createRoute({
  method: 'post',
  path: '/v1/account/authenticator',
  operationId: 'startAuthenticator',
  ...needs('account.own'),
  summary: 'Shows the secret of a new authenticator, which counts once it is confirmed',
  request: body(totpStartSchema),
  responses: { 200: json('Its secret', totpOfferSchema), default: problem },
});

export const totpConfirmRoute = createRoute({
  method: 'post',
  path: '/v1/account/authenticator/confirm',
  operationId: 'confirmAuthenticator',
  ...needs('account.own'),
  summary: 'Confirms it by a code; shows the recovery codes, and all sessions end',
  request: body(totpConfirmSchema),
  responses: { 200: json('The recovery codes', recoveryCodesSchema), default: problem },
});

export const totpRemoveRoute = createRoute({
  method: 'post',
  path: '/v1/account/authenticator/remove',
  operationId: 'removeAuthenticator',
  ...needs('account.own'),
  summary: 'Takes the own authenticator and the recovery codes away; all sessions end',
  request: body(totpRemoveSchema),
  responses: { 204: nothing('It is gone'), default: problem },
});
