/**
 * The listener for monitoring, apart from mail and API: `/metrics` for Prometheus, `/livez` and
 * `/readyz` for whoever restarts or routes. It only reads, and tells nothing of single messages.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '../mail/failure.ts';
import { metricsContentType } from '../report/prometheus.ts';

/** `problems` says why it is not ready, a line each; empty where it is. */
export interface Readiness {
  readonly problems: readonly string[];
}

export interface MonitoringSources {
  /** The text for Prometheus. */
  metrics(): Promise<string>;
  readiness(): Promise<Readiness>;
}

export interface MonitoringServer {
  readonly port: number;
  close(): Promise<void>;
}

const connectionsMax = 32;
const requestTimeoutMs = 10_000;
const headerBytesMax = 8192;

/** Rejects with a Failure `listen-failed`. */
export async function startMonitoring(
  at: { readonly host: string; readonly port: number },
  sources: MonitoringSources,
): Promise<MonitoringServer> {
  const server = createServer({ maxHeaderSize: headerBytesMax }, (request, response) => {
    void answer(sources, request, response);
  });
  server.maxConnections = connectionsMax;
  server.headersTimeout = requestTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  server.setTimeout(3 * requestTimeoutMs);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const text = `metrics: cannot listen on ${at.host} port ${at.port}: ${cause.message}`;
      reject(new Failure('listen-failed', text, { cause }));
    });
    server.listen(at.port, at.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port, close };
}

async function answer(
  sources: MonitoringSources,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => undefined);
  const [path = ''] = (request.url ?? '').split('?');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return say(response, 405, 'only GET is answered here\n');
  }
  try {
    switch (path) {
      case '/livez':
        return say(response, 200, 'ok\n');
      case '/readyz': {
        const { problems } = await sources.readiness();
        if (problems.length === 0) return say(response, 200, 'ok\n');
        return say(response, 503, problems.map((problem) => `${problem}\n`).join(''));
      }
      case '/metrics':
        return say(response, 200, await sources.metrics(), metricsContentType);
      default:
        return say(response, 404, 'there are /metrics, /livez and /readyz\n');
    }
  } catch (error) {
    const text = error instanceof Failure ? error.wireText : 'internal error';
    say(response, 503, `${text}\n`);
  }
}

function say(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  const headers = { 'content-type': type, 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(text);
}
