/**
 * The API's own port on the network: HTTP/1.1 over TLS and nothing else, within bounds.
 *
 * It is opened before rights are given up and answers 503 until it is told what to serve.
 * @see RFC 9112, RFC 9325 §3
 */
import { getRequestListener } from '@hono/node-server';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { FailureTable } from '../mail/failure.ts';
import { Failure } from '../mail/failure.ts';
import type { Log } from '../report/log.ts';
import type { ConnectionBounds } from './connection-bounds.ts';
import { connectionBounds, OpenConnections } from './connection-bounds.ts';
import type { HostNames } from './front.ts';
import { hostValues, judgeFront, refuseConnection, refuseRequest } from './front.ts';
import type { Application } from './serve/serving.ts';

/** `tls` says versions, suites and certificates. */
export interface TlsListenerSettings {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls: SecureContextOptions;
  /** Names that clients may ask by, each with `:port` or without. */
  readonly hostNames: readonly string[];
  readonly bounds?: Partial<ConnectionBounds>;
  readonly failures: FailureTable;
  readonly log: Log;
}

export interface TlsListener {
  readonly port: number;
  /** From now on requests are answered. */
  serve(application: Application): void;
  /** For connections and requests that come from now on. Throws what OpenSSL refuses. */
  change(settings: Pick<TlsListenerSettings, 'tls' | 'hostNames'>): void;
  /** Lets running requests end for 2 s. May be called again. */
  close(): Promise<void>;
}

const closeTimeoutMs = 2000;

type Answer = (incoming: IncomingMessage, outgoing: ServerResponse) => unknown;

/** Rejects with a Failure `api-port-failed`. */
export async function openTlsListener(settings: TlsListenerSettings): Promise<TlsListener> {
  const { failures, log } = settings;
  const bounds = { ...connectionBounds, ...settings.bounds };
  let hostNames: HostNames = new Set();
  let answer: Answer = (_incoming, outgoing) => {
    refuseRequest(outgoing, new Failure('api-busy', 'the gateway is starting'), failures);
  };
  const server = createBoundedServer(settings.tls, bounds, (incoming, outgoing) => {
    const refusal = judgeFront(incoming, hostNames);
    if (refusal === null) return void answer(incoming, outgoing);
    log.debug(
      { code: refusal.code, address: incoming.socket.remoteAddress },
      'API request refused',
    );
    refuseRequest(outgoing, refusal, failures);
  });
  const connections = new OpenConnections(server, bounds);
  // What fails in the handshake comes here as well, where nothing can be said yet.
  const established = new WeakSet<object>();
  server.on('secureConnection', (socket) => established.add(socket));
  server.on('clientError', (error, socket) => {
    if (established.has(socket)) refuseConnection(error, socket, failures);
    else socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    log.debug({ address: socket.remoteAddress, reason: error.message }, 'API handshake failed');
  });
  const port = await listen(server, settings);
  server.on('error', (error) => log.error({ err: error }, 'API listener failed'));
  hostNames = hostValues(settings.hostNames, port);
  let closing: Promise<void> | null = null;
  return {
    port,
    serve(application) {
      const options = { overrideGlobalObjects: false };
      answer = getRequestListener(application.fetch, options);
    },
    change(next) {
      server.setSecureContext(next.tls);
      hostNames = hostValues(next.hostNames, port);
    },
    close: () => (closing ??= close(server, connections)),
  };
}

function createBoundedServer(
  tls: SecureContextOptions,
  bounds: ConnectionBounds,
  answer: Answer,
): Server {
  const server = createServer(
    {
      ...tls,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: bounds.handshakeTimeoutMs,
      headersTimeout: bounds.headerTimeoutMs,
      requestTimeout: bounds.requestTimeoutMs,
      keepAliveTimeout: bounds.keepAliveTimeoutMs,
      connectionsCheckingInterval: bounds.lookEveryMs,
      maxHeaderSize: bounds.headerBytesMax,
      // A missing Host is told as a problem, like everything else.
      requireHostHeader: false,
      insecureHTTPParser: false,
    },
    answer,
  );
  server.maxConnections = bounds.connectionsMax;
  server.maxRequestsPerSocket = bounds.requestsPerConnectionMax;
  server.setTimeout(bounds.idleTimeoutMs);
  return server;
}

async function listen(server: Server, { host, port }: TlsListenerSettings): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const text = `api: cannot listen on ${host} port ${port}: ${cause.message}`;
      reject(new Failure('api-port-failed', text, { cause }));
    });
    server.listen({ host, port }, resolve);
  });
  server.removeAllListeners('error');
  return (server.address() as AddressInfo).port;
}

function close(server: Server, connections: OpenConnections): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => connections.destroyAll(), closeTimeoutMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
