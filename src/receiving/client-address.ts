/** Who a connection comes from, and the key under which bounds per address count it. */
import type net from 'node:net';

/** `proxy` is the load balancer's address; null where the client connected itself. */
export interface Client {
  readonly address: string;
  readonly port: number;
  readonly proxy: string | null;
}

/** A load balancer that speaks for itself, as in a health check. */
export function isProxyItself({ proxy, address }: Client): boolean {
  return proxy === address;
}

/** An IPv4 client of a socket for both families shows its IPv4 address. */
export function clientAddressOf(socket: net.Socket): string {
  const address = socket.remoteAddress ?? '';
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return mapped ?? address;
}

/** The address itself, or its /64: an IPv6 client owns at least that much. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array<string>(missing).fill('0'), ...after];
  return `${all.slice(0, 4).join(':')}::/64`;
}
