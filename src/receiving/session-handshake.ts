/** The handshake of a session: the socket of TLS, and what its client has shown. @see RFC 3207 §4 */
import type net from 'node:net';
import { wantedInboundPaths } from '../policy/inbound-paths.ts';
import { upgradeServer } from '../tls/handshake.ts';
import type { SessionPeer } from './session-peer.ts';
import { nameSession } from './session-peer.ts';
import type { TransactionContext } from './transaction-start.ts';

export interface SessionHandshake {
  /** Null where it failed. */
  readonly socket: net.Socket | null;
  readonly peer: SessionPeer;
}

/** `raw` has no listeners for data any more; it is the caller's to destroy where the handshake fails. */
export async function takeHandshake(
  raw: net.Socket,
  context: TransactionContext,
  peer: SessionPeer,
  mode: 'starttls' | 'implicit',
): Promise<SessionHandshake> {
  const { services, settings } = context;
  const { upgrade = upgradeServer } = services;
  const tls = services.serverTls();
  const { socket, evidence } = await upgrade(raw, tls, {
    connectionId: peer.evidence.connectionId,
    mode,
    requestClientCertificate: settings.requestClientCertificate,
    wantedPaths: wantedInboundPaths(services.policy()),
    timeoutMs: settings.limits.handshakeTimeoutMs,
  });
  // The raw socket knows the proxy only.
  const { address, port } = peer.client;
  const shown = { ...evidence, peer: { ...evidence.peer, address, port } };
  const known = { ...peer, evidence: shown, anchors: tls.anchors };
  if (socket !== null && !socket.destroyed) return { socket, peer: known };
  const name = nameSession(context, peer.client);
  services.log.warn({ ...name, mode, ...evidence.failure }, 'TLS handshake failed');
  socket?.destroy();
  return { socket: null, peer: known };
}
