/**
 * The handshakes of both roles, and the evidence of what they came to: facts, never an opinion.
 *
 * Second of the three files where forced TLS lives. Nothing of Node's own judgement is used: inbound
 * `authorized` is not read, outbound it is recorded as OpenSSL's word beside our own examination.
 * @see RFC 3207 §4, RFC 8314 §3.3
 */
import type { Socket } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Evidence, PathResult, TlsEvidence } from '../policy/evidence.ts';
import type { AnchorsName, PostQuantum } from '../policy/policy.ts';
import type { PathPurpose } from '../policy/tls-requirement.ts';
import type { AnchorRegistry } from './anchors.ts';
import { certificateFacts } from './certificate-facts.ts';
import { examineChain } from './chain.ts';
import type { ClientTls, ServerTls } from './contexts.ts';
import { readPeerChain } from './peer-chain.ts';
import { PresentedChain } from './presented-chain.ts';
import { groupName, readSessionGroup } from './session-group.ts';
import { classifyTlsError, hintAtNoCertificate, tellOfOnlyGroups } from './tls-errors.ts';
import type { TlsFault } from './tls-errors.ts';

/** One examination of the peer's chain that some clause may ask for. */
export interface WantedPath {
  readonly anchors: AnchorsName;
  readonly purpose: PathPurpose;
}

/** `socket` is null exactly where evidence says `failed`; the raw socket is destroyed then. */
export interface Upgraded {
  readonly socket: TLSSocket | null;
  readonly evidence: Evidence;
}

export interface ServerUpgrade {
  readonly connectionId: string;
  readonly mode: 'starttls' | 'implicit';
  readonly wantedPaths: readonly WantedPath[];
  /** From the call to the end of the handshake. */
  readonly timeoutMs: number;
  readonly requestClientCertificate: boolean;
}

/** `sni` null sends none; `clientCertificate` is a key of the client's settings. */
export interface ClientUpgrade {
  readonly connectionId: string;
  readonly mode: 'starttls' | 'implicit';
  readonly sni: string | null;
  /** The set that OpenSSL gets. */
  readonly anchors: AnchorsName;
  readonly wantedPaths: readonly WantedPath[];
  readonly clientCertificate: string | null;
  readonly peer: Evidence['peer'];
  readonly timeoutMs: number;
  readonly smallClientHello?: boolean;
  /** `prefer` where absent. */
  readonly postQuantum?: PostQuantum;
  /** Told the certificates as sent, which evidence has only the facts of. */
  readonly onChain?: (chain: PresentedChain) => void;
}

type Frame = Pick<Evidence, 'formatVersion' | 'connectionId' | 'observedAt' | 'role' | 'peer'>;

/**
 * TLS as server on a connection whose plain-text input is spent. Resolves once, within
 * `timeoutMs`; never rejects for the peer's fault.
 */
export async function upgradeServer(
  raw: Socket,
  tls: ServerTls,
  options: ServerUpgrade,
): Promise<Upgraded> {
  const frame = frameOf(options.connectionId, 'server', peerOf(raw));
  const socket = new TLSSocket(raw, {
    isServer: true,
    secureContext: tls.context,
    requestCert: options.requestClientCertificate,
    rejectUnauthorized: false,
  });
  const fault = await outcomeOf(socket, raw, 'secure', options.timeoutMs);
  if (fault !== null) return failed(frame, fault);
  const chain = options.requestClientCertificate ? readPeerChain(socket, null) : nothingShown;
  const evidence = establishedTls(socket, chain, options, {
    group: readSessionGroup(socket.getSession()),
    sni: typeof socket.servername === 'string' ? sanitizePeerText(socket.servername) : null,
    paths: examine(chain, options.wantedPaths, tls.anchors),
    openssl: null,
    ownCertificate: presentedOf(socket, tls),
    ...(options.requestClientCertificate ? {} : { isCertificateRequested: false as const }),
  });
  return {
    socket,
    evidence: { ...frame, encryption: 'established', failure: null, tls: evidence },
  };
}

/** TLS as client; otherwise as `upgradeServer`. `raw` is connected and its input is spent. */
export async function upgradeClient(
  raw: Socket,
  options: ClientUpgrade,
  tls: ClientTls,
): Promise<Upgraded> {
  const frame = frameOf(options.connectionId, 'client', options.peer);
  const { anchors, clientCertificate, smallClientHello = false, postQuantum = 'prefer' } = options;
  const secureContext = tls.context({ anchors, clientCertificate, smallClientHello, postQuantum });
  if (secureContext === null) {
    raw.destroy();
    const text = `own certificate ${sanitizePeerText(clientCertificate ?? '')} is not configured`;
    return failed(frame, { code: 'own-certificate-missing', text });
  }
  const socket = connect({
    socket: raw,
    secureContext,
    ...(options.sni === null ? {} : { servername: options.sni }),
    rejectUnauthorized: false,
    // Names are compared by policy; here OpenSSL shall speak of the chain alone.
    checkServerIdentity: () => undefined,
  });
  const fault = await outcomeOf(socket, raw, 'secureConnect', options.timeoutMs);
  if (fault !== null) {
    const told = postQuantum === 'require' ? tellOfOnlyGroups(fault) : fault;
    return failed(frame, clientCertificate === null ? hintAtNoCertificate(told) : told);
  }
  const chain = readPeerChain(socket, tls.anchors.get(anchors));
  options.onChain?.(chain);
  const own = clientCertificate === null ? null : tls.ownCertificate(clientCertificate);
  const evidence = establishedTls(socket, chain, options, {
    group: groupOf(socket),
    sni: options.sni,
    paths: examine(chain, options.wantedPaths, tls.anchors),
    openssl: { anchors, result: opensslResult(socket) },
    ownCertificate: own?.fingerprint256 ?? null,
  });
  return {
    socket,
    evidence: { ...frame, encryption: 'established', failure: null, tls: evidence },
  };
}

const nothingShown = new PresentedChain([]);

const resumed: TlsFault = {
  code: 'session-resumed',
  text: 'the session was resumed, and only a full handshake proves who the peer is',
};

function frameOf(connectionId: string, role: Evidence['role'], peer: Evidence['peer']): Frame {
  return { formatVersion: 1, connectionId, observedAt: new Date().toISOString(), role, peer };
}

/** An IPv4 client on a socket for both families is still an IPv4 client. */
function peerOf(raw: Socket): Evidence['peer'] {
  const address = (raw.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
  return { address, port: raw.remotePort ?? 0, hostName: null };
}

function failed(frame: Frame, fault: TlsFault): Upgraded {
  return { socket: null, evidence: { ...frame, encryption: 'failed', failure: fault, tls: null } };
}

/**
 * Null once the handshake is complete; else what ended it, with both sockets destroyed. A resumed
 * session shows no chain and repeats the verdict of another handshake: nothing of ours resumes, and
 * what did all the same is refused. Exported for its tests.
 */
export function outcomeOf(
  socket: TLSSocket,
  raw: Socket,
  event: 'secure' | 'secureConnect',
  timeoutMs: number,
): Promise<TlsFault | null> {
  return new Promise((resolve) => {
    const finish = (fault: TlsFault | null): void => {
      clearTimeout(timer);
      socket.off(event, onSecure).off('error', onError).off('close', onClose).off('end', onClose);
      // An error between here and the session's own listener must not end the process.
      socket.on('error', () => {});
      if (fault !== null) {
        socket.destroy();
        raw.destroy();
      }
      resolve(fault);
    };
    const onSecure = (): void => finish(socket.isSessionReused() ? resumed : null);
    const onError = (error: Error): void => finish(classifyTlsError(error));
    const onClose = (): void =>
      finish({ code: 'closed', text: 'the peer closed before TLS was established' });
    const timer = setTimeout(
      () => finish({ code: 'timeout', text: `no TLS within ${timeoutMs / 1000} s` }),
      timeoutMs,
    );
    raw.on('error', () => {});
    socket.on(event, onSecure).on('error', onError).on('close', onClose).on('end', onClose);
    if (raw.destroyed) onClose();
  });
}

/** Each wanted examination once. */
function examine(
  chain: PresentedChain,
  wanted: readonly WantedPath[],
  registry: AnchorRegistry,
): PathResult[] {
  const results = new Map<string, PathResult>();
  const at = Date.now();
  for (const { anchors, purpose } of wanted) {
    const key = `${purpose} ${anchors}`;
    if (results.has(key)) continue;
    const search = { anchors, set: registry.get(anchors), purpose, at };
    results.set(key, examineChain(chain, search));
  }
  return [...results.values()];
}

type Known = Pick<
  TlsEvidence,
  'group' | 'sni' | 'paths' | 'openssl' | 'ownCertificate' | 'isCertificateRequested'
>;

function establishedTls(
  socket: TLSSocket,
  chain: PresentedChain,
  options: Pick<ServerUpgrade, 'mode'>,
  known: Known,
): TlsEvidence {
  const cipher = socket.getCipher();
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: cipher.name,
    cipherStandardName: cipher.standardName,
    mode: options.mode,
    chain: chain.certificates.map(certificateFacts),
    revocation: 'not-checked',
    resumedFrom: null,
    ...known,
  };
}

/** Told to the client's side; as server see `session-group.ts`. */
function groupOf(socket: TLSSocket): string | null {
  const info = socket.getEphemeralKeyInfo();
  return info !== null && 'name' in info && typeof info.name === 'string'
    ? groupName(info.name)
    : null;
}

/** OpenSSL's word on the chain with the anchors of the context: `ok`, or its error's code. */
function opensslResult(socket: TLSSocket): string {
  if (socket.authorized) return 'ok';
  const error: unknown = socket.authorizationError;
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return typeof error === 'string' ? error : 'unknown';
}

/** Which of our certificates it was; asked of OpenSSL only where there are several. */
function presentedOf(socket: TLSSocket, tls: ServerTls): string | null {
  if (tls.certificates.length === 1) return tls.certificates[0]!.fingerprint256;
  const shown = socket.getX509Certificate();
  return shown === undefined ? null : certificateFacts(shown.raw).fingerprint256;
}
