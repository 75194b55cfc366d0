/** Opens connections for real, by TCP or to a Unix socket; the `dial` that `app` hands to delivery. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Dial } from './services.ts';

/** Resolves when connected, paused. Rejects with the socket's error, or `ETIMEDOUT` in time. */
export const dialTcp: Dial = (address, port, localAddress, timeoutMs) => {
  const options = { host: address, port, noDelay: true, keepAlive: true };
  const socket = connect(localAddress === null ? options : { ...options, localAddress });
  return whenConnected(socket, `${address} port ${port}`, timeoutMs);
};

/** The same, and a Unix socket where `address` is its path. */
export const dial: Dial = (address, port, localAddress, timeoutMs) => {
  if (!isSocketPath(address)) return dialTcp(address, port, localAddress, timeoutMs);
  return whenConnected(connect({ path: address }), address, timeoutMs);
};

export function isSocketPath(address: string): boolean {
  return address.startsWith('/');
}

function whenConnected(socket: Socket, where: string, timeoutMs: number): Promise<Socket> {
  return new Promise<Socket>((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new Error(`no connection to ${where} in ${timeoutMs / 1000} s`);
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
}
