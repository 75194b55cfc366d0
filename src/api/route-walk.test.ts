/** The walk over all routes: on the network nothing is answered; and the walk itself can fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { ask, openDoor } from '../../test/support/api-door.ts';
import { walkRoutes } from '../../test/support/route-walk.ts';
import type { WalkedRequest } from '../../test/support/route-walk-cases.ts';
import { describeApi } from './openapi.ts';

test('no route that is not public is answered to a stranger, none to another site or by another name', async (t) => {
  const door = await openDoor(t);
  const paths = Object.entries(describeApi().paths ?? {});
  let operations = 0;
  for (const [path, item] of paths) {
    for (const [verb, operation] of Object.entries(item)) {
      const method = verb.toUpperCase();
      const isPublic = (operation as { 'x-permission'?: string })['x-permission'] === 'public';
      operations++;
      const call = { method, path: path.replaceAll(/\{[^}]+\}/g, 'x') };
      const stranger = { ...call, headers: { authorization: null } };
      const { status } = await ask(door, stranger);
      assert.equal(status === 401 || status === 404, !isPublic, `${method} ${path}: ${status}`);
      const elsewhere = { ...call, headers: { 'sec-fetch-site': 'cross-site' } };
      // A provider of OpenID Connect sends people back from its own site.
      const isReturn = path === '/v1/sign-in/oidc/callback';
      const fromElsewhere = (await ask(door, elsewhere)).status;
      assert.equal(fromElsewhere === 403, !isReturn, `${method} ${path}`);
      const misnamed = { ...call, headers: { host: 'evil.test' } };
      assert.equal((await ask(door, misnamed)).status, 421, `${method} ${path}`);
    }
  }
  assert.ok(operations >= 15);
});

const body = z.object({ count: z.int(), text: z.string().optional() });
const laxRoute = createRoute({
  method: 'post',
  path: '/v1/lax/{name}',
  request: {
    params: z.object({ name: z.string() }),
    body: { required: true, content: { 'application/json': { schema: body } } },
  },
  responses: { 200: { description: 'ok' } },
});

/** A route that takes whatever comes, in the way that `answer` says. */
async function walkLax(answer: (request: WalkedRequest) => Response, isChanged = false) {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerPath(laxRoute);
  const document = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: '', version: '' } });
  let state = 0;
  return walkRoutes({
    document: JSON.parse(JSON.stringify(document)),
    digest: async () => String(isChanged ? state++ : state),
    send: async (request) => {
      const response = answer(request);
      const headers = Object.fromEntries(response.headers);
      return { status: response.status, headers, text: await response.text() };
    },
  });
}

function refusal(status: number, fields: object, type = 'application/problem+json'): Response {
  const text = JSON.stringify({ code: 'a-b', whatToDo: 'Mend it.', ...fields });
  return new Response(text, { status, headers: { 'content-type': type } });
}

/** As it should be. */
const strict = ({ status, names }: WalkedRequest) =>
  refusal(status ?? 404, { invalid: [{ path: names ?? '', text: 'is wrong' }] });

test('the walk finds nothing where everything is refused by its name', async () => {
  const { operations, requests, findings } = await walkLax(strict);
  assert.deepEqual(findings, []);
  assert.equal(operations, 1);
  assert.ok(requests > 25, String(requests));
});

const breaches: readonly (readonly [string, (request: WalkedRequest) => Response, RegExp])[] = [
  ['what is taken', () => new Response('{}'), /answered 200/],
  ['what breaks', () => refusal(500, {}), /answered 500/],
  [
    'what is no problem',
    ({ status }) => refusal(status ?? 404, {}, 'application/json'),
    /no problem/,
  ],
  ['another status', () => refusal(404, {}), /not 4\d\d but 404/],
  ['a field that is not named', ({ status }) => refusal(status ?? 404, {}), /does not name count/],
  [
    'an unknown field that is taken',
    (request) =>
      request.what === 'a field that nobody knows' ? new Response('{}') : strict(request),
    /a field that nobody knows: answered 200/,
  ],
  [
    'a missing field that is taken',
    (request) => (request.what === 'without count' ? new Response('{}') : strict(request)),
    /without count: answered 200/,
  ],
  [
    'a bad path that is taken',
    (request) => (request.what.startsWith('{name}') ? new Response('{}') : strict(request)),
    /\{name\} that climbs: answered 200/,
  ],
];
for (const [what, answer, words] of breaches) {
  test(`the walk sees ${what}`, async () => {
    const { findings } = await walkLax(answer);
    assert.ok(
      findings.some((finding) => words.test(finding)),
      findings.join('\n'),
    );
  });
}

test('the walk sees that something has changed', async () => {
  const { findings } = await walkLax(strict, true);
  assert.deepEqual(findings, ['POST /v1/lax/{name}: something has changed']);
});
