/** What the API refuses from the network, whatever the route. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { administrator, ask, openDoor } from '../../test/support/api-door.ts';
import type { DoorCall } from '../../test/support/api-door.ts';
import type { Actor } from '../identity/actor.ts';
import { Failure } from '../mail/failure.ts';
import type { Authenticate } from './people-services.ts';
import { securityHeaders } from './serve/security-headers.ts';

const json = { 'content-type': 'application/json' };
const explain: DoorCall = {
  method: 'POST',
  path: '/v1/explain',
  body: JSON.stringify({ from: 'a@example.test', to: 'b@contoso.com' }),
  headers: json,
};

/** Nothing of the gateway may be asked for any of these. */
const untouched = {
  explain: async () => assert.fail('was asked'),
  submit: async () => assert.fail('was asked'),
  status: async () => assert.fail('was asked'),
  reloadConfig: async () => assert.fail('was asked'),
};

const refused: readonly (readonly [string, DoorCall, number, string])[] = [
  ['nobody', { headers: { authorization: null } }, 401, 'api-not-signed-in'],
  ['a wrong token', { headers: { authorization: 'Bearer wrong' } }, 401, 'api-not-signed-in'],
  [
    'nobody who asks for what is not there',
    { path: '/v1/none', headers: { authorization: null } },
    401,
    'api-not-signed-in',
  ],
  [
    'a change from a page elsewhere',
    { ...explain, headers: { ...json, origin: 'https://evil.test' } },
    403,
    'api-cross-site',
  ],
  [
    'a change from a sandboxed page',
    { ...explain, headers: { ...json, origin: 'null' } },
    403,
    'api-cross-site',
  ],
  [
    'a change from the same host in clear',
    { ...explain, headers: { ...json, origin: 'http://gateway.example.test' } },
    403,
    'api-cross-site',
  ],
  [
    'a change that says it is from another site',
    { ...explain, headers: { ...json, 'sec-fetch-site': 'cross-site' } },
    403,
    'api-cross-site',
  ],
  [
    'a change from a neighbour of the same site',
    { ...explain, headers: { ...json, 'sec-fetch-site': 'same-site' } },
    403,
    'api-cross-site',
  ],
  [
    'a change that was typed into a browser',
    { ...explain, headers: { ...json, 'sec-fetch-site': 'none' } },
    403,
    'api-cross-site',
  ],
  [
    'a change with a cookie and no origin',
    { ...explain, headers: { ...json, cookie: '__Host-session=x' } },
    403,
    'api-cross-site',
  ],
  [
    'a look from another site',
    { headers: { 'sec-fetch-site': 'cross-site' } },
    403,
    'api-cross-site',
  ],
  [
    'JSON that calls itself text',
    { ...explain, headers: { 'content-type': 'text/plain' } },
    415,
    'api-media-type-wrong',
  ],
  [
    'a form',
    {
      method: 'POST',
      path: '/v1/config/reload',
      body: 'reason=x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    415,
    'api-media-type-wrong',
  ],
  [
    'an empty form',
    {
      method: 'POST',
      path: '/v1/config/reload',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' },
    },
    415,
    'api-media-type-wrong',
  ],
  [
    'a list of types',
    { ...explain, headers: { 'content-type': 'text/plain, application/json' } },
    415,
    'api-media-type-wrong',
  ],
  [
    'JSON in another character set',
    { ...explain, headers: { 'content-type': 'application/json; charset=utf-16' } },
    415,
    'api-media-type-wrong',
  ],
  ['a body without a type', { ...explain, headers: {} }, 415, 'api-media-type-wrong'],
  [
    'a compressed body',
    { ...explain, headers: { ...json, 'content-encoding': 'gzip' } },
    415,
    'api-media-type-wrong',
  ],
  [
    'a body that is too large',
    { ...explain, body: JSON.stringify({ from: 'a'.repeat(300_000) }) },
    413,
    'api-body-too-large',
  ],
  ['JSON that ends too soon', { ...explain, body: '{"from":' }, 400, 'api-request-invalid'],
  [
    'a field that nobody knows',
    { ...explain, body: '{"from":"a@b.test","to":"b@c.test","all":true}' },
    400,
    'api-request-invalid',
  ],
  ['a filter that nobody knows', { path: '/v1/queue?sate=held' }, 400, 'api-request-invalid'],
  ['a filter given twice', { path: '/v1/queue?limit=1&limit=2' }, 400, 'api-request-invalid'],
  ['a query where there is none', { path: '/v1/status?x=1' }, 400, 'api-request-invalid'],
  [
    'a body where there is none',
    {
      method: 'POST',
      path: '/v1/domains/contoso.com/verify',
      body: '{"force":true}',
      headers: json,
    },
    400,
    'api-request-invalid',
  ],
  ['what is not there', { path: '/v1/none' }, 404, 'api-route-unknown'],
  ['a method that is not there', { method: 'DELETE' }, 405, 'api-method-wrong'],
  ['a question whether another site may ask', { method: 'OPTIONS' }, 405, 'api-method-wrong'],
];

for (const [what, call, status, code] of refused) {
  test(`refuses ${what}`, async (t) => {
    const door = await openDoor(t, { services: untouched });
    const answer = await ask(door, call);
    assert.equal(answer.problem?.code, code, answer.text);
    assert.equal(answer.status, status);
    assert.ok(answer.problem.whatToDo !== '' && answer.problem.detail !== '');
  });
}

test('names the unknown field, and the methods that there are', async (t) => {
  const door = await openDoor(t);
  const unknown = await ask(door, { ...explain, body: '{"from":null,"to":"b@c.test","all":1}' });
  assert.deepEqual(unknown.problem?.invalid, [{ path: 'all', text: 'is not known here' }]);
  const wrong = await ask(door, { method: 'PUT', path: '/v1/queue/06X9T5K1G000' });
  assert.equal(wrong.headers['allow'], 'GET, HEAD');
  const orders = await ask(door, { method: 'DELETE', path: '/v1/queue/orders' });
  assert.equal(orders.headers['allow'], 'GET, HEAD, POST');
});

test('lets its own pages and programs through', async (t) => {
  const taken = { ...explain, body: '{"from":null,"to":"b@c.test"}' };
  const services = { explain: async () => assert.fail('was asked') };
  const door = await openDoor(t, { services });
  const own = { ...json, origin: `https://${door.host}`, 'sec-fetch-site': 'same-origin' };
  for (const headers of [json, own, { ...own, cookie: 'a=b' }]) {
    assert.equal((await ask(door, { ...taken, headers })).problem?.code, 'api-internal');
  }
});

test('every answer tells browsers to keep and run nothing, and has an id of its own', async (t) => {
  const door = await openDoor(t);
  const ids = new Set<string | undefined>();
  const calls: readonly DoorCall[] = [
    {},
    { path: '/v1/none' },
    { method: 'DELETE' },
    { headers: { authorization: null } },
    { headers: { host: 'evil.test' } },
    { path: '/v1/queue?limit=x' },
    { headers: { 'x-request-id': 'mine' } },
    { method: 'HEAD' },
  ];
  for (const call of calls) {
    const { headers } = await ask(door, call);
    for (const [name, value] of Object.entries(securityHeaders)) assert.equal(headers[name], value);
    assert.equal(headers['access-control-allow-origin'], undefined);
    ids.add(headers['x-request-id']);
  }
  assert.equal(ids.size, calls.length);
  assert.ok(!ids.has(undefined) && !ids.has('mine'));
});

test('does not believe what a request says of where it comes from', async (t) => {
  const seen: (string | null)[] = [];
  const door = await openDoor(t, {
    authenticate: ({ address }) => {
      seen.push(address);
      return null;
    },
    rates: { perAddress: { perSecond: 0.001, burst: 2 } },
  });
  const from = (address: string) => ({
    headers: { 'x-forwarded-for': address, forwarded: `for=${address}`, 'x-real-ip': address },
  });
  const statuses = [];
  for (const each of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
    statuses.push((await ask(door, from(each))).status);
  }
  assert.deepEqual(statuses, [401, 401, 429]);
  assert.deepEqual(seen, ['127.0.0.1', '127.0.0.1']);
});

test('who is let in no more once the body is here changes nothing', async (t) => {
  let known: Actor | null = administrator;
  const looks: boolean[] = [];
  const authenticate: Authenticate = (_credentials, isUse = true) => {
    looks.push(isUse);
    return known;
  };
  const door = await openDoor(t, { services: untouched, authenticate });
  const lost: readonly (readonly [string, Actor | null])[] = [
    ['api-not-signed-in', null],
    ['api-not-permitted', { ...administrator, grants: [] }],
  ];
  for (const [code, later] of lost) {
    known = administrator;
    looks.length = 0;
    const answer = await ask(door, {
      ...explain,
      headers: { ...json, 'content-length': String(explain.body!.length) },
      beforeBody: async () => {
        while (looks.length === 0) await sleep(5);
        await sleep(20);
        known = later;
      },
    });
    assert.equal(answer.problem?.code, code, answer.text);
    // It is one request, and used once.
    assert.deepEqual(looks, [true, false]);
  }
});

test('holds addresses and actors to their rates, and says when to come again', async (t) => {
  const slow = { perSecond: 0.1, burst: 2 };
  const door = await openDoor(t, { rates: { perActor: slow } });
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await ask(door));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 429],
  );
  assert.equal(answers[2]?.problem?.code, 'api-too-many-requests');
  assert.ok(Number(answers[2].headers['retry-after']) > 5);
  // Who is not signed in takes nothing from who is.
  assert.equal((await ask(door, { headers: { authorization: null } })).status, 401);
});

test('what authentication throws lets nobody in, and tells nothing', async (t) => {
  const authenticate = async () => {
    throw new Error('secret database');
  };
  const { status, text } = await ask(await openDoor(t, { authenticate }));
  assert.equal(status, 500);
  assert.doesNotMatch(text, /secret/);
});

test('a body that may be left out is its defaults, judged like any other', async (t) => {
  const orders: unknown[] = [];
  const take = async (order: unknown) => {
    orders.push(order);
    throw new Failure('api-busy', 'not now');
  };
  const startValidation = (_of: unknown, order: unknown) => take(order);
  const services = { reloadConfig: take, checkConfig: take, startValidation };
  const door = await openDoor(t, { services });
  const validate = '/v1/organizations/contoso/outbound-connectors/partner/validate';
  for (const path of ['/v1/config/reload', '/v1/config/check', validate]) {
    assert.equal((await ask(door, { method: 'POST', path })).problem?.code, 'api-busy');
    const written = await ask(door, { method: 'POST', path, body: '{}', headers: json });
    assert.equal(written.problem?.code, 'api-busy');
    assert.deepEqual(orders.at(-2), orders.at(-1));
  }
  // A reason that nobody gave must not count as one: the policy might ask for less.
  assert.deepEqual(orders[0], { reason: null, overwritePolicy: false });
});

test('every log line about a request has its id, its actor and its address', async (t) => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const note = (fields: Readonly<Record<string, unknown>>) => void lines.push(fields);
  const log = { info: note, warn: note, error: note, debug: note };
  const door = await openDoor(t, { log, services: { status: async () => assert.fail('broken') } });
  const { headers } = await ask(door);
  const about = lines.filter(({ path }) => path === '/v1/status');
  assert.ok(about.length >= 2);
  for (const line of about) {
    assert.equal(line['requestId'], headers['x-request-id']);
    assert.equal(line['actor'], 'admin');
    assert.equal(line['address'], '127.0.0.1');
  }
});
