/**
 * A door before the API of a started gateway that writes down what goes through it, for tests that
 * let other programs ask: TLS on both sides, verified, and nothing is changed on the way.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';

/** One request as it was sent, and its answer as far as it has come. */
export interface RecordedExchange {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  body: string;
  /** 0 until it is answered. */
  status: number;
  contentType: string;
  answer: string;
}

export interface RecordingDoor {
  readonly port: number;
  readonly exchanges: readonly RecordedExchange[];
  close(): Promise<void>;
}

/** `name` is in the certificate of the gateway, which this door shows too. */
export interface RecordingDoorOptions {
  readonly name: string;
  readonly port: number;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export async function openRecordingDoor(options: RecordingDoorOptions): Promise<RecordingDoor> {
  const exchanges: RecordedExchange[] = [];
  const server = createServer({ cert: options.certificate, key: options.key }, (asked, answer) => {
    const exchange = beginExchange(asked);
    exchanges.push(exchange);
    pass(options, { asked, answer, exchange });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    exchanges,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function beginExchange({ method = '', url = '', headers }: IncomingMessage): RecordedExchange {
  return { method, url, headers, body: '', status: 0, contentType: '', answer: '' };
}

interface Passing {
  readonly asked: IncomingMessage;
  readonly answer: ServerResponse;
  readonly exchange: RecordedExchange;
}

function pass(options: RecordingDoorOptions, { asked, answer, exchange }: Passing): void {
  const outgoing = request({
    host: '127.0.0.1',
    port: options.port,
    servername: options.name,
    ca: options.ca,
    agent: false,
    method: exchange.method,
    path: exchange.url,
    headers: asked.headers,
    setHost: false,
  });
  outgoing.on('error', () => answer.destroy());
  answer.on('close', () => outgoing.destroy());
  outgoing.on('response', (incoming: IncomingMessage) => {
    exchange.status = incoming.statusCode ?? 0;
    exchange.contentType = incoming.headers['content-type'] ?? '';
    answer.writeHead(exchange.status, incoming.headers);
    answer.flushHeaders();
    incoming.on('data', (bytes: Buffer) => (exchange.answer += bytes.toString()));
    incoming.on('error', () => answer.destroy());
    incoming.pipe(answer);
  });
  asked.on('data', (bytes: Buffer) => (exchange.body += bytes.toString()));
  asked.pipe(outgoing);
}
