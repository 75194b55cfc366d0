/** Every route of a really started gateway, over its socket, with what must be refused. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RunningGateway } from '../support/gateway.ts';
import { startGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { freePort } from '../support/ports.ts';
import { walkRoutes } from '../support/route-walk.ts';
import type { WalkAnswer } from '../support/route-walk.ts';
import type { WalkedRequest } from '../support/route-walk-cases.ts';

let gateway: RunningGateway;
before(async () => {
  const port = await freePort();
  const away = { name: 'away', recipientDomains: 'elsewhere.test', smartHosts: smartHost(port) };
  const organization = { outboundConnectors: [away] };
  gateway = await startGateway(await gatewaySetup({ organization, peerPorts: [port] }));
  // Something to be found, and to be harmed; held, so that nothing but a request changes it.
  const { id } = await gateway.api.submit({
    from: 'user@example.test',
    to: ['nobody@elsewhere.test'],
    content: Buffer.from('Subject: x\r\n\r\nx\r\n').toString('base64'),
  });
  await gateway.waitForRow(id);
  await gateway.api.orderQueue({ action: 'hold', match: { id } });
  await gateway.waitForRow(id, ({ state }) => state === 'held');
});
after(() => gateway?.remove());

type Asked = Pick<WalkedRequest, 'method' | 'path' | 'headers' | 'body'>;

function send({ method, path, headers, body }: Asked): Promise<WalkAnswer> {
  const socketPath = join(gateway.dataFolder, 'run', 'api.sock');
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, method, path, headers, agent: false },
      (incoming: IncomingMessage) => {
        let text = '';
        incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
        incoming.on('error', reject);
        incoming.on('end', () => {
          outgoing.destroy();
          const { statusCode: status = 0 } = incoming;
          resolve({ status, headers: incoming.headers as Record<string, string>, text });
        });
      },
    );
    outgoing.on('error', reject);
    // Node sends the body of a DELETE without saying that there is one.
    if (method === 'DELETE' && body !== null && headers['content-length'] === undefined) {
      outgoing.setHeader('content-length', Buffer.byteLength(body));
    }
    if (headers['content-length'] === undefined) outgoing.end(body ?? undefined);
    else outgoing.write(body);
  });
}

interface Document {
  readonly paths: Readonly<Record<string, { readonly get?: Get }>>;
}
interface Get {
  readonly parameters?: readonly { readonly required?: boolean }[];
  readonly responses: { readonly 200?: { readonly content?: Readonly<Record<string, unknown>> } };
}

/** These say something else each time: what time it is, and that somebody was refused. */
const tellsTheTime = new Set(['/v1/suggestions', '/v1/audit', '/v1/audit/chain']);

/** What every list and view says, without times, and every file that is not the store's. */
async function digest(document: Document): Promise<string> {
  const hash = createHash('sha256');
  for (const [path, { get }] of Object.entries(document.paths)) {
    if (tellsTheTime.has(path)) continue;
    const isJson = get?.responses[200]?.content?.['application/json'] !== undefined;
    if (!isJson || get.parameters?.some(({ required }) => required === true) === true) continue;
    const { status, text } = await send({ method: 'GET', path, headers: {}, body: null });
    hash.update(`${path} ${status} ${withoutTimes(text)}\n`);
  }
  hash.update(await readFile(gateway.configFile));
  const files = await readdir(gateway.dataFolder, { recursive: true });
  hash.update(
    files
      .filter((name) => !/\.db-|\.lock/.test(name))
      .sort()
      .join('\n'),
  );
  return hash.digest('hex');
}

function withoutTimes(text: string): string {
  return JSON.stringify(JSON.parse(text), (key, value: unknown) =>
    /At$|^at$|^lastLook$/.test(key) ? undefined : value,
  );
}

test('every route refuses what is wrong with a problem that names it, and nothing changes', async () => {
  const { text } = await send({ method: 'GET', path: '/v1/openapi.json', headers: {}, body: null });
  const document = JSON.parse(text) as Document;
  const { operations, requests, findings } = await walkRoutes({
    document,
    send,
    digest: () => digest(document),
  });
  assert.deepEqual(findings, []);
  assert.ok(operations >= 15 && requests > 300, `${operations} operations, ${requests} requests`);
});
