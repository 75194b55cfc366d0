import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { assertGuarded, guardRoutes } from './guard.ts';
import type { ApiEnv } from './serving.ts';

const nobody = async () => null;
const bare = { method: 'get', path: '/v1/x', responses: { 200: { description: '' } } } as const;

test('a route without a permission, or with one that there is not, is refused when it is added', () => {
  for (const permission of [undefined, '', 'everything', 'Public']) {
    const app = new OpenAPIHono<ApiEnv>();
    guardRoutes(app, nobody);
    const route = createRoute({ ...bare, 'x-permission': permission });
    assert.throws(() => app.openapi(route, (c) => c.text('')), /names no permission/);
  }
});

test('what is added past the guard is refused when the application is complete', () => {
  const inside = new OpenAPIHono<ApiEnv>().get('/y', (c) => c.text(''));
  for (const add of [
    (app: OpenAPIHono<ApiEnv>) => app.get('/v1/y', (c) => c.text('')),
    (app: OpenAPIHono<ApiEnv>) => app.post('/v1/x', (c) => c.text('')),
    (app: OpenAPIHono<ApiEnv>) => app.route('/v1', inside),
  ]) {
    const app = new OpenAPIHono<ApiEnv>();
    const guarded = guardRoutes(app, nobody);
    app.openapi(createRoute({ ...bare, 'x-permission': 'queue.read' }), (c) => c.text(''));
    assertGuarded(app, guarded);
    add(app);
    assert.throws(() => assertGuarded(app, guarded), /without a permission/);
  }
});

test('no handler runs for whom the guard does not let in, and the route has its own middleware still', async () => {
  const app = new OpenAPIHono<ApiEnv>();
  guardRoutes(app, nobody);
  let ran = 0;
  const middleware = async (_c: unknown, next: () => Promise<void>) => {
    ran++;
    await next();
  };
  const route = createRoute({ ...bare, middleware, 'x-permission': 'queue.read' });
  app.use((c, next) => {
    c.set('actor', null);
    return next();
  });
  app.openapi(route, (c) => c.text(String(ran)));
  app.onError((_error, c) => c.text('shut', 401));
  assert.equal((await app.request('/v1/x')).status, 401);
  assert.equal(ran, 0);
});
