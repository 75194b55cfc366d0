/** Opens TCP connections for delivery. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Dial } from '../delivery/services.ts';

/** Rejects with the socket's error, or one with code ETIMEDOUT. */
export const dial: Dial = (address, port, localAddress, timeoutMs) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect({
      host: address,
      port,
      noDelay: true,
      ...(localAddress === null ? {} : { localAddress }),
    });
    const timer = setTimeout(() => {
      const error: NodeJS.ErrnoException = new Error(`connect to ${address}:${port} timed out`);
      error.code = 'ETIMEDOUT';
      socket.destroy(error);
    }, timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      // The caller adds its own in the same tick; between, an error must not be fatal.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
