/** Opens TCP connections for real; the `dial` that `app` hands to delivery. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Dial } from './services.ts';

/** Resolves when connected, paused. Rejects with the socket's error, or `ETIMEDOUT` in time. */
export const dialTcp: Dial = (address, port, localAddress, timeoutMs) =>
  new Promise<Socket>((resolve, reject) => {
    const options = { host: address, port, noDelay: true, keepAlive: true };
    const socket = connect(localAddress === null ? options : { ...options, localAddress });
    const timer = setTimeout(() => {
      const error = new Error(`no connection to ${address} port ${port} in ${timeoutMs / 1000} s`);
      socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
