/** Who gets past the door of which route: every route, every role, one's own organization and another's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationOf, makeActor } from '../../test/support/api-actors.ts';
import type { Actor } from '../identity/actor.ts';
import type { Role } from '../identity/permissions.ts';
import { permissions, roles } from '../identity/permissions.ts';
import type { Problem } from './contract.ts';
import { describeApi } from './openapi.ts';
import { allRoutes } from './routes/all-routes.ts';

/** Written out by hand, so that a change of the tables is seen here. `session`: whoever signed in with a cookie. */
const admitted: Readonly<Record<string, 'anybody' | 'signed-in' | 'session' | readonly Role[]>> = {
  signIn: 'anybody',
  readSignInWays: 'anybody',
  startOidc: 'anybody',
  finishOidc: 'anybody',
  acceptInvitation: 'anybody',
  readSession: 'signed-in',
  readDocument: 'signed-in',
  signOut: 'session',
  changePassword: 'session',
  startAuthenticator: 'session',
  confirmAuthenticator: 'session',
  removeAuthenticator: 'session',
  listOwnTokens: 'session',
  addOwnToken: 'session',
  removeOwnToken: 'session',
  readStatus: roles,
  listQueue: roles,
  showQueued: roles,
  searchTraces: roles,
  readTrace: roles,
  watchQueue: roles,
  watchTraces: roles,
  probeConnector: [
    'gateway-administrator',
    'organization-administrator',
    'connector-administrator',
  ],
  validateConnector: [
    'gateway-administrator',
    'organization-administrator',
    'connector-administrator',
  ],
  orderQueue: ['gateway-administrator', 'organization-administrator'],
  readContent: ['gateway-administrator', 'organization-administrator', 'auditor'],
  readRecords: [
    'gateway-administrator',
    'organization-administrator',
    'connector-administrator',
    'auditor',
  ],
  replayMail: [
    'gateway-administrator',
    'organization-administrator',
    'connector-administrator',
    'auditor',
  ],
  readReadiness: [
    'gateway-administrator',
    'organization-administrator',
    'connector-administrator',
    'auditor',
  ],
  suggestConnectors: [
    'gateway-administrator',
    'organization-administrator',
    'connector-administrator',
    'auditor',
  ],
  explainMail: [
    'gateway-administrator',
    'organization-administrator',
    'connector-administrator',
    'auditor',
  ],
  listDomains: [
    'gateway-administrator',
    'organization-administrator',
    'connector-administrator',
    'auditor',
  ],
  verifyDomain: ['gateway-administrator', 'organization-administrator'],
  searchAudit: ['gateway-administrator', 'organization-administrator', 'auditor'],
  readAuditChain: ['gateway-administrator', 'auditor'],
  readConfig: ['gateway-administrator', 'auditor'],
  checkConfig: ['gateway-administrator', 'auditor'],
  reloadConfig: ['gateway-administrator'],
  submitMessage: ['gateway-administrator'],
  listPeople: ['gateway-administrator', 'auditor'],
  readPerson: ['gateway-administrator', 'auditor'],
  addPerson: ['gateway-administrator'],
  changePerson: ['gateway-administrator'],
  removePerson: ['gateway-administrator'],
  invite: ['gateway-administrator'],
  listTokens: ['gateway-administrator', 'auditor'],
  addToken: ['gateway-administrator'],
  removeToken: ['gateway-administrator'],
};

const readers: readonly Role[] = [
  'gateway-administrator',
  'organization-administrator',
  'connector-administrator',
  'auditor',
];
const inOrganization: readonly Role[] = ['gateway-administrator', 'organization-administrator'];
const onConnectors: readonly Role[] = [...inOrganization, 'connector-administrator'];
const gatewayOnly: readonly Role[] = ['gateway-administrator'];
const wholeReaders: readonly Role[] = ['gateway-administrator', 'auditor'];

/** Of each kind of policy object: who reads it, who puts and removes it, who patches it. */
const kinds: Readonly<Record<string, readonly [string, readonly Role[], readonly Role[]]>> = {
  Organization: ['Organizations', gatewayOnly, inOrganization],
  AcceptedDomain: ['AcceptedDomains', inOrganization, inOrganization],
  Mailbox: ['Mailboxes', inOrganization, inOrganization],
  Alias: ['Aliases', inOrganization, inOrganization],
  Rule: ['Rules', inOrganization, inOrganization],
  InboundConnector: ['InboundConnectors', onConnectors, onConnectors],
  OutboundConnector: ['OutboundConnectors', onConnectors, onConnectors],
  DeliveryTarget: ['DeliveryTargets', gatewayOnly, gatewayOnly],
  Certificate: ['Certificates', gatewayOnly, gatewayOnly],
};

const ofPolicy: Readonly<Record<string, readonly Role[]>> = {
  readCertificateContents: wholeReaders,
  listValidations: readers,
  readValidation: readers,
  listAlarms: readers,
  changePolicy: onConnectors,
  readPolicy: wholeReaders,
  listRevisions: wholeReaders,
  readRevision: wholeReaders,
  diffRevisions: wholeReaders,
  whenInForce: wholeReaders,
  rollBack: gatewayOnly,
  ...Object.fromEntries(
    Object.entries(kinds).flatMap(([kind, [plural, put, patch]]) => [
      [`list${plural}`, kind === 'Certificate' ? wholeReaders : readers],
      [`read${kind}`, kind === 'Certificate' ? wholeReaders : readers],
      [`put${kind}`, put],
      [`remove${kind}`, put],
      [`patch${kind}`, patch],
    ]),
  ),
};

/** What a token may never do, whoever it is of: it would outlive its revocation. */
const byPeopleAlone = new Set([
  'addPerson',
  'changePerson',
  'removePerson',
  'invite',
  'addToken',
  'removeToken',
]);

/** Of what is common to all a grant for one organization opens nothing. */
const common = new Set([
  'readAuditChain',
  'readConfig',
  'checkConfig',
  'reloadConfig',
  'submitMessage',
  'listPeople',
  'readPerson',
  'addPerson',
  'changePerson',
  'removePerson',
  'invite',
  'listTokens',
  'addToken',
  'removeToken',
  'readPolicy',
  'listRevisions',
  'readRevision',
  'diffRevisions',
  'whenInForce',
  'rollBack',
  'putOrganization',
  'removeOrganization',
  'listCertificates',
  'readCertificate',
  'readCertificateContents',
  'putCertificate',
  'patchCertificate',
  'removeCertificate',
  'putDeliveryTarget',
  'patchDeliveryTarget',
  'removeDeliveryTarget',
]);

type Asked = (typeof allRoutes)[number];

/** One application for all, since it takes a while to build; who asks is whoever was put here last. */
let asking: Actor | null = null;
const shared = applicationOf(() => asking);

/** What the route says to a request that is nothing but its method and path. */
async function ask(actor: Actor | null, route: Asked): Promise<string> {
  const path = route.path.replaceAll(/\{\w+\}/g, 'x');
  const method = route.method.toUpperCase();
  asking = actor;
  const answer = await shared.request(`https://gateway.test${path}`, { method });
  if (answer.headers.get('content-type') === 'application/problem+json') {
    return ((await answer.json()) as Problem).code;
  }
  // A stream of events has no end of its own.
  await answer.body?.cancel();
  return 'answered';
}

const shut = ['api-not-signed-in', 'api-not-permitted'];

for (const route of allRoutes) {
  const name = route.operationId!;
  test(`${name} admits whom it is for, and nobody else`, async () => {
    const who = admitted[name] ?? ofPolicy[name];
    assert.ok(who !== undefined, `say here who may ${name}`);
    const code = await ask(null, route);
    if (who === 'anybody') assert.ok(!shut.includes(code), code);
    else assert.equal(code, 'api-not-signed-in');
    for (const organization of [null, 'contoso']) {
      for (const role of roles) {
        if (role === 'gateway-administrator' && organization !== null) continue;
        const isFor: boolean =
          typeof who === 'string' ||
          (who.includes(role) && (organization === null || !common.has(name)));
        const answered = await ask(makeActor([{ role, organization }]), route);
        const text = `${role} of ${organization ?? 'all'}: ${answered}`;
        assert.equal(!shut.includes(answered), isFor, text);
      }
    }
    const without = await ask(makeActor([]), route);
    assert.equal(!shut.includes(without), typeof who === 'string', `without a role: ${without}`);
    const token = makeActor([{ role: 'gateway-administrator', organization: null }], 'token');
    const byToken = await ask(token, route);
    const isForTokens = who !== 'session' && !byPeopleAlone.has(name);
    assert.equal(!shut.includes(byToken), isForTokens, `a token: ${byToken}`);
  });
}

test('every route of the document names its permission, and no permission is without a route', () => {
  const unused = new Set<unknown>(permissions);
  const names: readonly unknown[] = ['public', ...permissions];
  for (const [path, methods] of Object.entries(describeApi().paths ?? {})) {
    for (const [method, operation] of Object.entries(methods)) {
      const { 'x-permission': permission } = operation as { 'x-permission'?: unknown };
      assert.ok(names.includes(permission), `${method} ${path}: ${String(permission)}`);
      unused.delete(permission);
    }
  }
  assert.deepEqual([...unused], []);
});
