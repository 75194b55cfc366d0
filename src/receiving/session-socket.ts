/**
 * The socket of one session: in clear at first, under TLS later, and told to its driver as one.
 *
 * What is written goes out in the order of the calls; what arrives is not read before `open`.
 */
import type net from 'node:net';

/** What the driver is told. After `onClose` nothing more comes. */
export interface SocketEvents {
  readonly onData: (bytes: Buffer) => void;
  /** The client closed its side. */
  readonly onEnd: () => void;
  /** The connection broke; `onClose` follows. */
  readonly onError: (error: Error & { code?: string }) => void;
  readonly onClose: () => void;
}

export class SessionSocket {
  readonly #events: SocketEvents;
  #socket: net.Socket;
  #onDrained: (() => void) | null = null;

  /** `raw` is paused and untouched. */
  constructor(raw: net.Socket, events: SocketEvents) {
    this.#events = events;
    this.#socket = raw;
    this.#watch(raw);
  }

  get isWritable(): boolean {
    return this.#socket.writable;
  }

  /** Begins to read. */
  open(): void {
    const socket = this.#socket;
    socket.on('data', this.#events.onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#events.onEnd);
    socket.resume();
  }

  /** Lets the socket go, paused; its close is left to the handshake and to the socket of TLS. */
  release(): net.Socket {
    const socket = this.#socket;
    socket.off('data', this.#events.onData);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#events.onEnd);
    socket.off('close', this.#onClose);
    socket.pause();
    return socket;
  }

  /** Goes on with the socket of TLS, and reads from it. */
  replace(socket: net.Socket): void {
    this.#socket = socket;
    this.#watch(socket);
    this.open();
  }

  /** A promise where the client must read first. */
  write(bytes: Buffer): Promise<void> | undefined {
    if (bytes.length === 0 || !this.#socket.writable || this.#socket.write(bytes)) return undefined;
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Ends our side; what the client still sends is read on. */
  end(): void {
    this.#socket.end();
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #watch(socket: net.Socket): void {
    socket.on('error', this.#events.onError);
    socket.on('close', this.#onClose);
  }

  readonly #onDrain = (): void => {
    this.#onDrained?.();
    this.#onDrained = null;
  };

  readonly #onClose = (): void => {
    this.#onDrain();
    this.#events.onClose();
  };
}
