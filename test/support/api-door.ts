/** The API on a TLS port with fake services, and bare requests to it, for tests. */
import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { TestContext } from 'node:test';
import { connect } from 'node:tls';
import type { Authenticate } from '../../src/api/people-services.ts';
import type { Actor } from '../../src/identity/actor.ts';
import { permissions } from '../../src/identity/permissions.ts';
import { createApplication } from '../../src/api/application.ts';
import type { ConnectionBounds } from '../../src/api/connection-bounds.ts';
import type { Problem } from '../../src/api/contract.ts';
import { apiFailures } from '../../src/api/failures.ts';
import type { Rate } from '../../src/api/serve/rate-table.ts';
import { apiLimits } from '../../src/api/server.ts';
import type { ApiServices } from '../../src/api/services.ts';
import type { TlsListener } from '../../src/api/tls-listener.ts';
import { openTlsListener } from '../../src/api/tls-listener.ts';
import { silentLog } from '../../src/report/log.ts';
import type { Log } from '../../src/report/log.ts';
import { httpsServerOptions } from '../../src/tls/contexts.ts';
import { makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import { fakeServices } from './api-services.ts';

export const doorCa = makeCa('API CA');
export const doorLeaf = makeLeaf(doorCa, ['gateway.example.test'], { ipAddresses: ['127.0.0.1'] });
export const doorSource = {
  certificate: Buffer.from(doorLeaf.pem),
  key: Buffer.from(doorLeaf.keyPem),
};
export const doorName = 'gateway.example.test';

export const administrator: Actor = {
  kind: 'token',
  person: { id: 'p1', name: 'admin' },
  grants: [{ role: 'gateway-administrator', organization: null }],
  narrowing: { permissions, organization: null },
  credential: 't1',
  address: '127.0.0.1',
};

/** Who sends `Bearer right` is the administrator. */
export const byToken: Authenticate = ({ authorization }) =>
  /^Bearer right(?:-token)?$/.test(authorization ?? '') ? administrator : null;

export interface DoorOptions {
  readonly services?: Partial<ApiServices>;
  readonly authenticate?: Authenticate;
  readonly bounds?: Partial<ConnectionBounds>;
  readonly rates?: { readonly perAddress?: Rate; readonly perActor?: Rate };
  readonly limits?: Partial<typeof apiLimits>;
  readonly hostNames?: readonly string[];
  readonly log?: Log;
}

export interface ApiDoor {
  readonly listener: TlsListener;
  readonly port: number;
  /** What Host says by default. */
  readonly host: string;
  readonly stopping: AbortController;
}

const plenty: Rate = { perSecond: 10_000, burst: 10_000 };

export async function openDoor(t: TestContext, options: DoorOptions = {}): Promise<ApiDoor> {
  const log = options.log ?? silentLog;
  const listener = await openTlsListener({
    host: '127.0.0.1',
    port: 0,
    tls: await httpsServerOptions([doorSource]),
    hostNames: options.hostNames ?? [doorName],
    bounds: options.bounds ?? {},
    failures: apiFailures,
    log,
  });
  const stopping = new AbortController();
  const application = createApplication(fakeServices(options.services), {
    door: {
      kind: 'tls',
      authenticate: options.authenticate ?? byToken,
      rates: {
        perAddress: options.rates?.perAddress ?? plenty,
        perActor: options.rates?.perActor ?? plenty,
      },
    },
    limits: { ...apiLimits, ...options.limits },
    failures: apiFailures,
    log,
    stopping: stopping.signal,
  });
  listener.serve(application);
  t.after(async () => {
    stopping.abort();
    await listener.close();
  });
  return { listener, port: listener.port, host: `${doorName}:${listener.port}`, stopping };
}

export interface DoorCall {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  /** The head is sent already while this runs. */
  readonly beforeBody?: () => Promise<void>;
  /** Null leaves one out that would be sent by default. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

export interface DoorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** Of a text that is a problem; else null. */
  readonly problem: Problem | null;
}

/** With the right token and Host. */
export async function ask(door: ApiDoor, call: DoorCall = {}): Promise<DoorAnswer> {
  const given = { authorization: 'Bearer right', host: door.host, ...call.headers };
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(given)) if (value !== null) headers[name] = value;
  const outgoing = request({
    host: '127.0.0.1',
    port: door.port,
    servername: doorName,
    ca: doorCa.pem,
    agent: false,
    method: call.method ?? 'GET',
    path: call.path ?? '/v1/status',
    headers,
    setHost: false,
  });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  if (call.beforeBody !== undefined) {
    outgoing.flushHeaders();
    await call.beforeBody();
  }
  outgoing.end(call.body);
  const [incoming] = await answered;
  let text = '';
  for await (const chunk of incoming as AsyncIterable<Buffer>) text += chunk.toString();
  const isProblem = incoming.headers['content-type'] === 'application/problem+json';
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers as Record<string, string>,
    text,
    problem: isProblem ? (JSON.parse(text) as Problem) : null,
  };
}

/** Sends these bytes, and answers what came until the other side closed. */
export async function sendRaw(
  door: ApiDoor,
  parts: readonly string[],
  waitMs = 0,
): Promise<{ readonly text: string }> {
  const socket = connect({
    host: '127.0.0.1',
    port: door.port,
    servername: doorName,
    ca: doorCa.pem,
  });
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'secureConnect');
  for (const part of parts) {
    socket.write(part);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (socket.destroyed) break;
  }
  await closed;
  return { text };
}
