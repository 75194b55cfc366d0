/** Routes: people, their roles, invitations. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  acceptanceSchema,
  acceptedSchema,
  invitationSchema,
  inviteSchema,
  peopleSchema,
  personAddSchema,
  personChangeSchema,
  personParamSchema,
  personSchema,
} from '../contract/people.ts';
import { body, json, needs, nothing, problem } from './route-parts.ts';

export const peopleRoute = createRoute({
  method: 'get',
  path: '/v1/people',
  operationId: 'listPeople',
  ...needs('person.read'),
  summary: 'Everybody who may sign in, with roles, and what they sign in with',
  responses: { 200: json('The people', peopleSchema), default: problem },
});

export const personAddRoute = createRoute({
  method: 'post',
  path: '/v1/people',
  operationId: 'addPerson',
  ...needs('person.write'),
  summary: 'Adds a person, who can sign in once invited, given a password, or known by a provider',
  request: body(personAddSchema),
  responses: { 201: json('The person', personSchema), default: problem },
});

export const personRoute = createRoute({
  method: 'get',
  path: '/v1/people/{name}',
  operationId: 'readPerson',
  ...needs('person.read'),
  summary: 'One person',
  request: { params: personParamSchema },
  responses: { 200: json('The person', personSchema), default: problem },
});

export const personChangeRoute = createRoute({
  method: 'patch',
  path: '/v1/people/{name}',
  operationId: 'changePerson',
  ...needs('person.write'),
  summary: 'Changes roles, password and the like; what takes something away ends all sessions',
  request: { params: personParamSchema, ...body(personChangeSchema) },
  responses: { 200: json('The person as it is now', personSchema), default: problem },
});

export const personRemoveRoute = createRoute({
  method: 'delete',
  path: '/v1/people/{name}',
  operationId: 'removePerson',
  ...needs('person.write'),
  summary: 'Removes a person with all sessions and tokens',
  request: {
    params: personParamSchema,
    query: z.strictObject({ reason: z.string().trim().min(1).max(500).optional() }),
  },
  responses: { 204: nothing('It is gone'), default: problem },
});

export const inviteRoute = createRoute({
  method: 'post',
  path: '/v1/invitations',
  operationId: 'invite',
  ...needs('person.write'),
  summary: 'Makes a link by which a person chooses a password: once, within a day',
  request: body(inviteSchema),
  responses: { 201: json('The link', invitationSchema), default: problem },
});

export const acceptRoute = createRoute({
  method: 'post',
  path: '/v1/invitations/accept',
  operationId: 'acceptInvitation',
  ...needs('public'),
  summary: 'Chooses a password by such a link; then one can sign in',
  request: body(acceptanceSchema),
  responses: { 200: json('Who may sign in now', acceptedSchema), default: problem },
});
