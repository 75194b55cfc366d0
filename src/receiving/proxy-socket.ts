/** Reads the PROXY header off a new connection and leaves all that follows unread. */
import type net from 'node:net';
import type { ProxyHeader } from '../smtp/proxy-header.ts';
import { readProxyHeader } from '../smtp/proxy-header.ts';

const nothing = Buffer.alloc(0);

/**
 * The header, never `incomplete`; `refused` also where the peer was silent or left. The socket must
 * be paused and is paused again; it is the caller's to destroy.
 */
export function takeProxyHeader(
  raw: net.Socket,
  timeoutMs: number,
): Promise<Exclude<ProxyHeader, { readonly kind: 'incomplete' }>> {
  return new Promise((resolve) => {
    let bytes: Buffer = nothing;
    const settle = (header: Exclude<ProxyHeader, { readonly kind: 'incomplete' }>): void => {
      clearTimeout(timer);
      raw.off('data', onData).off('end', onGone).off('close', onGone).pause();
      resolve(header);
    };
    const onData = (piece: Buffer): void => {
      bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
      const header = readProxyHeader(bytes);
      if (header.kind === 'incomplete') return;
      settle(header);
      if (header.kind === 'refused' || bytes.length === header.sizeBytes) return;
      raw.unshift(bytes.subarray(header.sizeBytes));
    };
    const onGone = (): void => settle({ kind: 'refused', reason: 'did not come' });
    const timer = setTimeout(() => {
      settle({ kind: 'refused', reason: `did not come within ${timeoutMs} ms` });
    }, timeoutMs);
    raw.on('data', onData).on('end', onGone).on('close', onGone).resume();
  });
}
