/** Bounds on connections from the network: how many, how long, how much of a header. */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { addressKey } from './serve/address-key.ts';

export interface ConnectionBounds {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly requestsPerConnectionMax: number;
  readonly headerBytesMax: number;
  readonly handshakeTimeoutMs: number;
  /** From the first byte of a request to the end of its header. */
  readonly headerTimeoutMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** In which nothing moves in either direction. */
  readonly idleTimeoutMs: number;
  /** How often slow connections are looked for. */
  readonly lookEveryMs: number;
}

export const connectionBounds: ConnectionBounds = {
  connectionsMax: 256,
  connectionsPerAddressMax: 64,
  requestsPerConnectionMax: 1000,
  headerBytesMax: 16_384,
  handshakeTimeoutMs: 10_000,
  headerTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 15_000,
  idleTimeoutMs: 60_000,
  lookEveryMs: 1000,
};

/** Counts connections by address and keeps them, so that all can be ended. */
export class OpenConnections {
  readonly #perAddressMax: number;
  readonly #sockets = new Map<string, Set<Socket>>();

  constructor(server: Server, { connectionsPerAddressMax }: ConnectionBounds) {
    this.#perAddressMax = connectionsPerAddressMax;
    server.on('connection', (socket: Socket) => this.#take(socket));
  }

  destroyAll(): void {
    for (const sockets of this.#sockets.values()) for (const socket of sockets) socket.destroy();
  }

  #take(socket: Socket): void {
    const key = addressKey(socket.remoteAddress ?? '');
    const sockets = this.#sockets.get(key) ?? new Set();
    if (sockets.size >= this.#perAddressMax) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    this.#sockets.set(key, sockets);
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) this.#sockets.delete(key);
    });
  }
}
