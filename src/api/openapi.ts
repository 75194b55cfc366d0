/** The OpenAPI 3.1 document of the contract; `docs/openapi.json` is this, held by a test. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { allRoutes } from './routes/all-routes.ts';

export function describeApi(): ReturnType<OpenAPIHono['getOpenAPI31Document']> {
  const app = new OpenAPIHono();
  for (const route of allRoutes) app.openAPIRegistry.registerPath(route);
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Postern',
      version: 'v1',
      description:
        'The gateway over its Unix socket, where opening it is being its administrator, and over TLS where `api.port` is set, where whoever asks must be known. docs/api.md tells how.',
      license: { name: 'Apache-2.0' },
    },
    servers: [
      { url: 'http://localhost', description: '<data folder>/run/api.sock' },
      {
        url: 'https://{name}:{port}',
        description: '`api.hostNames` and `api.port`',
        variables: { name: { default: 'localhost' }, port: { default: '443' } },
      },
    ],
  });
}
