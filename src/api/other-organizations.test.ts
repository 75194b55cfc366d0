/** What of one organization whoever looks after another one gets to see, over the API: nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readable } from 'node:stream';
import { applicationOf, makeActor } from '../../test/support/api-actors.ts';
import { fakeServices, sampleRows, sampleTrace } from '../../test/support/api-services.ts';
import { openRig } from '../../test/support/people-rig.ts';
import type { Actor } from '../identity/actor.ts';
import type { Role } from '../identity/permissions.ts';
import type { ApiServices } from './services.ts';

const inContoso = (role: Role): Actor => makeActor([{ role, organization: 'contoso' }]);
const rows = sampleRows.map((row, place) => ({
  ...row,
  message: { ...row.message, organization: place === 0 ? 'contoso' : 'fabrikam' },
}));
const [mine, theirs] = [rows[0]!.id, rows[1]!.id];

/** Two messages, two traces, two domains: one of each of contoso, the other of fabrikam. */
function twoOrganizations(): Partial<ApiServices> {
  const samples = fakeServices();
  const owners = new Map([
    ['contoso.com', 'contoso'],
    ['fabrikam.com', 'fabrikam'],
  ]);
  const domain = { type: 'Authoritative', state: 'not-needed', text: '', provenAt: null } as const;
  const rest = { record: null, lastLook: null, nextLookAt: null, whatToDo: null };
  return {
    showQueued: async (id) => {
      const message = await samples.showQueued(id);
      const organization = id === mine ? 'contoso' : 'fabrikam';
      return message === null
        ? null
        : {
            ...message,
            deliveries: message.deliveries.map((each) => ({ ...each, organization })),
          };
    },
    openContent: async () => Readable.from([Buffer.from('Subject: x\r\n\r\n')]),
    readTrace: async (id) => {
      const trace = sampleTrace(id);
      const organization = id === mine ? 'contoso' : 'fabrikam';
      return { ...trace, events: trace.events.map((each) => ({ ...each, organization })) };
    },
    organizationOf: (name) => owners.get(name) ?? null,
    listDomains: async () => ({
      formatVersion: 1,
      domainVerification: 'off',
      domains: [...owners].map(([name, organization]) => ({
        ...domain,
        ...rest,
        domain: name,
        organization,
      })),
    }),
    verifyDomain: async (name) => ({ ...domain, ...rest, domain: name, organization: 'contoso' }),
  };
}

interface Call {
  readonly path: string;
  readonly method?: string;
  readonly body?: object;
}

async function get(
  actor: Actor,
  { path, method = 'GET', body }: Call,
  services = twoOrganizations(),
) {
  const application = applicationOf(() => actor, services);
  const answer = await application.request(`https://gateway.test${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await answer.text();
  return { status: answer.status, text, code: /"code":"([^"]+)"/.exec(text)?.[1] ?? null };
}

test('what is of another organization is not there, word for word as what is not there at all', async () => {
  const admin = inContoso('organization-administrator');
  const unknown = '06X9T5K1J000';
  for (const path of ['/v1/queue/', '/v1/traces/']) {
    assert.equal((await get(admin, { path: path + mine })).status, 200);
    const foreign = await get(admin, { path: path + theirs });
    assert.equal(foreign.status, 404);
    const absent = await get(
      admin,
      { path: path + unknown },
      { ...twoOrganizations(), readTrace: async () => null },
    );
    assert.equal(foreign.text.replace(theirs, unknown), absent.text);
  }
  assert.equal((await get(admin, { path: `/v1/queue/${mine}/content` })).status, 200);
  assert.equal((await get(admin, { path: `/v1/queue/${theirs}/content` })).status, 404);
  const verify = (name: string): Call => ({
    method: 'POST',
    path: `/v1/domains/${name}/verify`,
  });
  assert.equal((await get(admin, verify('contoso.com'))).status, 200);
  const foreign = await get(admin, verify('fabrikam.com'));
  assert.equal(foreign.code, 'domain-unknown');
  const absent = await get(admin, verify('nowhere.com'));
  assert.equal(foreign.text.replace('fabrikam', 'nowhere'), absent.text);
});

test('lists are asked for what is in reach, and no query makes it more', async () => {
  const asked: unknown[] = [];
  const services: Partial<ApiServices> = {
    listQueue: async ({ organization, organizations }) => {
      asked.push([organization, organizations]);
      return [];
    },
    orderQueue: async (order, organizations) => {
      asked.push([order.match.organization, organizations]);
      return { changed: 0, pending: 0, unfit: 0, withheld: [], rows: [], next: null };
    },
    searchTraces: async ({ organization }, organizations) => {
      asked.push([organization, organizations]);
      return { rows: [], next: null };
    },
    readRecords: async ({ organization }, organizations) => {
      asked.push([organization, organizations]);
      return { traces: [], facts: [], next: null };
    },
    readReadiness: async (query, organizations) => {
      asked.push([query.organization, organizations]);
      return fakeServices().readReadiness(query, null);
    },
    replay: async ({ organization }, _actor, organizations) => {
      asked.push([organization, organizations]);
      return { kind: 'refused', problems: [] };
    },
    status: async (organizations) => {
      asked.push([undefined, organizations]);
      return fakeServices().status(null);
    },
  };
  const since = 'since=2026-11-01T00:00:00.000Z';
  const calls: readonly Call[] = [
    { path: '/v1/status' },
    { path: '/v1/queue' },
    { path: '/v1/queue?organization=fabrikam' },
    { path: '/v1/traces?organization=fabrikam' },
    { path: `/v1/records?organization=fabrikam&${since}` },
    { path: '/v1/readiness?name=a&organization=fabrikam' },
    {
      method: 'POST',
      path: '/v1/queue/orders',
      body: { action: 'delete', match: { organization: 'fabrikam' } },
    },
  ];
  for (const call of calls) {
    assert.equal((await get(inContoso('organization-administrator'), call, services)).status, 200);
  }
  const reach = ['contoso'];
  assert.deepEqual(asked, [
    [undefined, reach],
    [undefined, reach],
    ['fabrikam', reach],
    ['fabrikam', reach],
    ['fabrikam', reach],
    ['fabrikam', reach],
    ['fabrikam', reach],
  ]);
  const domains = await get(inContoso('auditor'), { path: '/v1/domains' });
  assert.match(domains.text, /contoso\.com/);
  assert.doesNotMatch(domains.text, /fabrikam/);
});

test('explain tells nobody of the policy of another organization', async () => {
  const explained: string[] = [];
  const services: Partial<ApiServices> = {
    ...twoOrganizations(),
    explain: async ({ from, to }, organizations) => {
      explained.push(`${from} ${to} ${String(organizations)}`);
      throw new Error('far enough');
    },
  };
  const question = (from: string | null, to: string): Call => ({
    method: 'POST',
    path: '/v1/explain',
    body: { from, to },
  });
  const actor = inContoso('connector-administrator');
  for (const [from, to] of [
    ['a@far.test', 'b@fabrikam.com'],
    ['a@fabrikam.com', 'b@contoso.com'],
    ['a@contoso.com', 'b@fabrikam.com'],
    ['a@far.test', 'b@elsewhere.test'],
    [null, 'b@elsewhere.test'],
  ] as const) {
    assert.equal((await get(actor, question(from, to), services)).code, 'api-not-permitted', to);
  }
  assert.deepEqual(explained, []);
  await get(actor, question('a@far.test', 'b@contoso.com'), services);
  await get(actor, question('a@contoso.com', 'b@far.test'), services);
  assert.deepEqual(explained, [
    'a@far.test b@contoso.com contoso',
    'a@contoso.com b@far.test contoso',
  ]);
});

test('the help desk sees no header of a message, since that is content', async () => {
  const header = /"header":(null|"[^"]*)/;
  const desk = await get(inContoso('help-desk'), { path: `/v1/queue/${mine}` });
  assert.equal(header.exec(desk.text)?.[1], 'null');
  const admin = await get(inContoso('organization-administrator'), { path: `/v1/queue/${mine}` });
  assert.notEqual(header.exec(admin.text)?.[1], 'null');
});

test('from the network nobody signs an order with another name, and reading content is written down', async () => {
  const said: string[] = [];
  const rig = openRig();
  const services: Partial<ApiServices> = {
    ...twoOrganizations(),
    people: rig.services,
    orderQueue: async ({ by }) => {
      said.push(by);
      return { changed: 0, pending: 0, unfit: 0, withheld: [], rows: [], next: null };
    },
    openContent: async (_id, by) => {
      said.push(by);
      return Readable.from([Buffer.from('x')]);
    },
  };
  const actor = inContoso('organization-administrator');
  const body = { action: 'retry', match: {}, all: true, by: 'somebody else' };
  await get(actor, { method: 'POST', path: '/v1/queue/orders', body }, services);
  await get(actor, { path: `/v1/queue/${mine}/content?by=nobody` }, services);
  assert.deepEqual(said, ['ada', 'ada']);
  const [entry] = rig.entries();
  assert.deepEqual(
    [entry?.action, entry?.organization, entry?.object?.name, entry?.actor.person],
    ['content.read', 'contoso', mine, 'ada'],
  );
});

test('what is done in one organization is in its audit log, whatever the request names', async () => {
  const rig = openRig();
  const services: Partial<ApiServices> = {
    ...twoOrganizations(),
    people: rig.services,
    orderQueue: async () => ({
      changed: 1,
      pending: 0,
      unfit: 0,
      withheld: [],
      rows: [],
      next: null,
    }),
  };
  const actor = inContoso('organization-administrator');
  const body = { action: 'retry', match: {}, all: true };
  await get(actor, { method: 'POST', path: '/v1/queue/orders', body }, services);
  const verify = { method: 'POST', path: '/v1/domains/contoso.com/verify' } as const;
  assert.equal((await get(actor, verify, services)).status, 200);
  const { entries } = rig.services.searchAudit({ limit: 10 }, ['contoso']);
  assert.deepEqual(
    entries.map(({ action, object }) => [action, object?.name ?? null]),
    [
      ['accepted-domain.verified', 'contoso.com'],
      ['queue.retry', null],
    ],
  );
});

test('of a change of many objects each takes its own permission, before anything is asked for', async () => {
  const services: Partial<ApiServices> = { changePolicy: async () => assert.fail('was asked') };
  const put = (kind: string, organization: string | null, name: string) => ({
    kind: 'put',
    object: { kind, organization, name },
    value: {},
  });
  const own = put('outbound-connector', 'contoso', 'a');
  const ask = async (actor: Actor, ...changes: readonly object[]): Promise<string | null> => {
    const call = { method: 'POST', path: '/v1/changes', body: { changes } };
    return (await get(actor, call, services)).code;
  };
  const connectors = inContoso('connector-administrator');
  const whole = inContoso('organization-administrator');
  assert.equal(await ask(connectors, own, put('rule', 'contoso', 'a')), 'api-not-permitted');
  assert.equal(await ask(connectors, own, put('mailbox', 'fabrikam', 'a')), 'object-unknown');
  assert.equal(await ask(whole, own, put('rule', 'fabrikam', 'a')), 'object-unknown');
  assert.equal(await ask(whole, put('organization', null, 'contoso')), 'api-not-permitted');
  assert.equal(await ask(whole, put('organization', null, 'third')), 'object-unknown');
  assert.equal(await ask(whole, put('delivery-target', 'contoso', 'a')), 'api-not-permitted');
  assert.equal(await ask(whole, put('certificate', null, 'a')), 'object-unknown');
  // Own ones reach the policy, which here fails the test inside and is a defect for who asks.
  assert.equal(await ask(connectors, own), 'api-internal');
});

test('objects of another organization are neither read, listed, changed nor removed', async () => {
  const actor = inContoso('organization-administrator');
  const untouched = async (): Promise<never> => assert.fail('was asked');
  const services: Partial<ApiServices> = {
    readObject: untouched,
    listObjects: untouched,
    changePolicy: untouched,
  };
  for (const [method, path, body] of [
    ['GET', '/v1/organizations/fabrikam'],
    ['GET', '/v1/organizations/fabrikam/rules'],
    ['GET', '/v1/organizations/fabrikam/rules/a'],
    ['PUT', '/v1/organizations/fabrikam/rules/a', {}],
    ['PATCH', '/v1/organizations/fabrikam/rules/a', {}],
    ['DELETE', '/v1/organizations/fabrikam/rules/a'],
    ['PATCH', '/v1/organizations/fabrikam', {}],
  ] as const) {
    const answer = await get(actor, { method, path, ...(body ? { body } : {}) }, services);
    assert.equal(answer.code, 'object-unknown', `${method} ${path}`);
  }
  const listed: unknown[] = [];
  const list: Partial<ApiServices> = {
    listObjects: async (of, _query, names) => {
      listed.push([of.kind, names]);
      return { formatVersion: 1, revision: 1, objects: [], next: null };
    },
  };
  await get(actor, { path: '/v1/organizations' }, list);
  assert.deepEqual(listed, [['organization', ['contoso']]]);
});

test('a replay tells nothing of objects that one may not see, nor of a whole configuration', async () => {
  const asked: unknown[] = [];
  const services: Partial<ApiServices> = {
    replay: async ({ changes }, actor, organizations) => {
      asked.push([changes?.length, actor.person?.name, organizations]);
      return { kind: 'refused', problems: [] };
    },
  };
  const replay = async (actor: Actor, body: object): Promise<string | null> =>
    (await get(actor, { method: 'POST', path: '/v1/replay', body }, services)).code;
  const of = (kind: string, organization: string | null, name = 'a') => ({
    changes: [{ kind: 'remove', object: { kind, organization, name } }],
  });
  for (const role of [
    'organization-administrator',
    'connector-administrator',
    'auditor',
  ] as const) {
    const actor = inContoso(role);
    assert.equal(await replay(actor, of('rule', 'fabrikam')), 'object-unknown');
    assert.equal(await replay(actor, of('organization', null, 'fabrikam')), 'object-unknown');
    assert.equal(await replay(actor, of('certificate', null)), 'object-unknown');
    assert.equal(await replay(actor, { config: 'hostName: a' }), 'api-not-permitted');
  }
  assert.equal(await replay(inContoso('help-desk'), {}), 'api-not-permitted');
  assert.deepEqual(asked, []);
  // What may be seen may be tried, also by who may change nothing.
  assert.equal(await replay(inContoso('auditor'), of('rule', 'contoso')), 'policy-refused');
  assert.deepEqual(asked, [[1, 'ada', ['contoso']]]);
  const whole = makeActor([{ role: 'auditor', organization: null }]);
  assert.equal(await replay(whole, { config: 'hostName: a' }), 'config-refused');
});
