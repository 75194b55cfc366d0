/** The API on its Unix socket: made safe, answered within bounds, closed without leaving a file. */
import type { Server } from 'node:http';
import { chmod } from 'node:fs/promises';
import { createAdaptorServer } from '@hono/node-server';
import type { FailureTable } from '../mail/failure.ts';
import { Failure } from '../mail/failure.ts';
import type { Log } from '../report/log.ts';
import { silentLog } from '../report/log.ts';
import { createApplication } from './application.ts';
import { apiFailures } from './failures.ts';
import type { ApiLimits, Door } from './serve/serving.ts';
import type { ApiServices } from './services.ts';
import { prepareSocketFile } from './socket-file.ts';
import type { TlsListener } from './tls-listener.ts';

/** The default limits. A message of 25 MiB fits into the body with its base64 and JSON. */
export const apiLimits: ApiLimits = {
  bodyBytesMax: 36 * 1024 * 1024,
  submissionsMax: 4,
  handlerTimeoutMs: 30_000,
  events: {
    streamsMax: 64,
    streamsPerPersonMax: 8,
    heartbeatMs: 15_000,
    lifetimeMs: 15 * 60_000,
    pollMs: 2000,
  },
};

/** How often one address, and one actor, may ask from the network. */
export const networkRates = {
  perAddress: { perSecond: 50, burst: 200 },
  perActor: { perSecond: 50, burst: 200 },
};

const connectionsMax = 64;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 60_000;
const keepAliveTimeoutMs = 5000;
const closeTimeoutMs = 2000;

/** A port on the network that is open already, and who may ask there. */
export interface ServedNetwork extends Omit<Extract<Door, { readonly kind: 'tls' }>, 'kind'> {
  readonly listener: TlsListener;
}

/** `failures` are the tables of the rooms behind the services, so that their codes keep a meaning. */
export interface ApiSettings {
  readonly socketPath: string;
  readonly limits?: Partial<ApiLimits>;
  readonly failures?: FailureTable;
  readonly log?: Log;
  /** Served beside the socket, by the same services; nothing is where it is absent. */
  readonly network?: ServedNetwork | null;
}

export interface Api {
  /** Stops listening, lets running requests end for 2 s, removes the socket. May be called again. */
  close(): Promise<void>;
}

/** Resolves when the socket answers. Throws a Failure (`api-socket-…`). */
export async function startApi(settings: ApiSettings, services: ApiServices): Promise<Api> {
  const log = settings.log ?? silentLog;
  const stopping = new AbortController();
  const context = {
    stopping: stopping.signal,
    limits: { ...apiLimits, ...settings.limits },
    failures: { ...settings.failures, ...apiFailures },
    log,
  };
  const application = createApplication(services, { ...context, door: { kind: 'socket' } });
  await prepareSocketFile(settings.socketPath);
  const server = createAdaptorServer({
    fetch: application.fetch,
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: 16_384,
    },
  }) as Server;
  server.maxConnections = connectionsMax;
  await listen(server, settings.socketPath);
  server.on('error', (error) => log.error({ err: error }, 'API socket failed'));
  log.info({ socket: settings.socketPath }, 'API is listening');
  if (settings.network) {
    const { listener, ...rest } = settings.network;
    const door = { kind: 'tls', ...rest } as const;
    listener.serve(createApplication(services, { ...context, door }));
  }
  let closing: Promise<void> | null = null;
  return {
    close: () => {
      stopping.abort();
      return (closing ??= close(server));
    },
  };
}

async function listen(server: Server, socketPath: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: socketPath }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    await chmod(socketPath, 0o600);
  } catch (error) {
    server.close();
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const reason = error instanceof Error ? error.message : String(error);
    const message = `cannot listen on ${socketPath}: ${reason}`;
    const code = isTaken ? 'api-socket-in-use' : 'api-socket-failed';
    throw new Failure(code, message, { cause: error });
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), closeTimeoutMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
