/**
 * A TLS connection to a gateway whose certificate was verified before a byte was sent: by CA and name,
 * or by the pin of its key in their place. There is no third way, and no variable of the environment
 * opens one.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { isIP } from 'node:net';
import { Failure } from '../../mail/failure.ts';

/** `ca` in PEM, null: those that Node trusts. `pin`: base64 of the SHA-256 of its SubjectPublicKeyInfo. */
export type ServerTrust =
  | { readonly kind: 'ca'; readonly ca: string | null }
  | { readonly kind: 'pin'; readonly pin: string };

/** Rejects with `gateway-certificate-refused`, or with whatever Node says. */
export async function connectVerified(
  { hostname, port }: URL,
  trust: ServerTrust,
  signal: AbortSignal,
): Promise<Duplex> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const options: ConnectionOptions = {
    host,
    port: port === '' ? 443 : Number(port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    // Said either way, since the environment would say it else. A pinned key is judged below.
    rejectUnauthorized: trust.kind === 'ca',
    ...(trust.kind === 'ca' && trust.ca !== null ? { ca: trust.ca } : {}),
  };
  const socket = await handshake(options, signal);
  const complaint = trust.kind === 'pin' ? judgePin(socket, trust.pin) : null;
  if (complaint === null) return socket;
  socket.destroy();
  throw new Failure('gateway-certificate-refused', `${hostname}: ${complaint}`);
}

function handshake(options: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(options);
    const giveUp = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', (error) => {
      signal.removeEventListener('abort', giveUp);
      reject(error);
    });
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', giveUp);
      resolve(socket);
    });
  });
}

function judgePin(socket: TLSSocket, pin: string): string | null {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) return 'it showed no certificate';
  const certificate = new X509Certificate(shown.raw);
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const found = createHash('sha256').update(key).digest('base64');
  if (found !== pin) return `its key is another one than the pinned one (it is ${found})`;
  const now = Date.now();
  if (certificate.validFromDate.getTime() > now) return 'its certificate is not valid yet';
  return certificate.validToDate.getTime() < now ? 'its certificate has expired' : null;
}
