/** Every route of the API by its name, from the areas: an area is added with one line here. */
import type { RouteConfig } from '@hono/zod-openapi';
import * as audit from './audit.ts';
import * as certificates from './certificates.ts';
import * as config from './config.ts';
import * as document from './document.ts';
import * as domains from './domains.ts';
import * as explain from './explain.ts';
import * as messages from './messages.ts';
import { changesRoute, objectRoutes, policyRoute } from './policy-objects.ts';
import * as people from './people.ts';
import * as queue from './queue.ts';
import * as recordedMail from './recorded-mail.ts';
import * as revisions from './revisions.ts';
import * as session from './session.ts';
import * as status from './status.ts';
import * as suggestions from './suggestions.ts';
import * as tokens from './tokens.ts';
import * as traces from './traces.ts';
import * as validation from './validation.ts';

const ofObjects = objectRoutes.flatMap(([kind, routes]) =>
  Object.entries(routes).map(([verb, route]) => [`${kind.kind} ${verb}`, route] as const),
);
const policyObjects = { changesRoute, policyRoute, ...Object.fromEntries(ofObjects) };

const areas: readonly Readonly<Record<string, RouteConfig>>[] = [
  audit,
  certificates,
  config,
  document,
  domains,
  explain,
  messages,
  people,
  policyObjects,
  queue,
  recordedMail,
  revisions,
  session,
  status,
  suggestions,
  tokens,
  traces,
  validation,
];

/** In the order of their names, so that it does not matter in which file a route stands. */
export const allRoutes: readonly RouteConfig[] = areas
  .flatMap((area) => Object.entries(area))
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([, route]) => route);
