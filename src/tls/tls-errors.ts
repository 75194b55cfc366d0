/**
 * Errors of TLS in stable words: what failed a handshake, or cut a session after it.
 *
 * The text is for people and sanitized; the peer chooses part of it.
 */
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Evidence } from '../policy/evidence.ts';
import { hybridGroups } from '../policy/post-quantum.ts';

/**
 * `certificate-refused`: the peer did not accept our certificate, or that we showed none.
 * `not-tls`: what came is no TLS. `closed`: the peer ended the connection without an alert.
 * `session-resumed`: no full handshake, so that the peer proved nothing anew.
 */
export type TlsErrorCode =
  | 'timeout'
  | 'closed'
  | 'reset'
  | 'not-tls'
  | 'version'
  | 'no-common-algorithm'
  | 'certificate-refused'
  | 'peer-refused'
  | 'own-certificate-missing'
  | 'session-resumed'
  | 'tls-error';

export interface TlsFault {
  readonly code: TlsErrorCode;
  readonly text: string;
}

const socketCodes: Readonly<Record<string, TlsErrorCode>> = {
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  ETIMEDOUT: 'timeout',
  ERR_STREAM_PREMATURE_CLOSE: 'closed',
  ERR_SOCKET_CLOSED: 'closed',
  ERR_STREAM_DESTROYED: 'closed',
};

/** By the words of OpenSSL's reason, first match. */
const reasons: readonly (readonly [RegExp, TlsErrorCode])[] = [
  [/wrong version number|http request|packet length too long|bad record type/i, 'not-tls'],
  [/unsupported protocol|protocol version|version too low|no protocols available/i, 'version'],
  [
    /alert.*(certificate|unknown ca|access denied)|certificate required|alert (bad|unsupported) certificate/i,
    'certificate-refused',
  ],
  [
    /no shared cipher|no suitable|no ciphers|no shared group|insufficient security/i,
    'no-common-algorithm',
  ],
  [/handshake failure|illegal parameter|decode error|internal error|alert/i, 'peer-refused'],
  [/unexpected eof/i, 'closed'],
];

/** Any error of a TLS socket, during the handshake or after it. */
export function classifyTlsError(error: unknown): TlsFault {
  const { code, reason: given, message } = partsOf(error);
  const reason = given ?? reasonIn(message);
  const text = sanitizePeerText(reason ?? message);
  // Node says ECONNRESET for a close without any alert before the handshake was complete.
  const isPlainClose = code === 'ECONNRESET' && message.includes('before secure TLS connection');
  if (isPlainClose) return { code: 'closed', text: 'the peer closed before TLS was established' };
  const known = socketCodes[code ?? ''];
  if (known !== undefined) return { code: known, text: `${sanitizePeerText(code!)}: ${text}` };
  const match = reasons.find(([pattern]) => pattern.test(reason ?? message));
  if (match?.[1] !== 'certificate-refused') return { code: match?.[1] ?? 'tls-error', text };
  return { code: 'certificate-refused', text: describeRefusedCertificate(text) };
}

/** Whose certificate it is about is what an administrator must learn first. */
function describeRefusedCertificate(text: string): string {
  return /certificate required/i.test(text)
    ? `the peer demands a client certificate and we showed none (${text})`
    : `${refusedOurs} (${text})`;
}

const refusedOurs = 'the peer refused our certificate';
const noCertificateHint =
  'this connector presents no client certificate; the server may demand one';
/** What servers alert to a client without a certificate, beside what names certificates. */
const alertsWithoutCertificate = /alert (handshake failure|decode error)/i;

/**
 * For a client that showed no certificate: adds that this may be the reason, where the peer's alert
 * is one that servers give for it. Before TLS 1.3 there is no alert that says it, and some say others.
 * @see RFC 8446 §6.2
 */
export function hintAtNoCertificate(fault: TlsFault): TlsFault {
  const isLikely =
    fault.code === 'certificate-refused' || alertsWithoutCertificate.test(fault.text);
  if (!isLikely) return fault;
  const text = fault.text.replace(refusedOurs, 'the peer refused the handshake');
  return { code: fault.code, text: `${text}; ${noCertificateHint}` };
}

/**
 * For a client that offered nothing but hybrid groups: says so where the server refused what was
 * offered. An alert does not tell which part of it.
 */
export function tellOfOnlyGroups({ code, text }: TlsFault): TlsFault {
  if (code !== 'peer-refused' && code !== 'no-common-algorithm' && code !== 'version') {
    return { code, text };
  }
  const offered = `TLS 1.3 with key exchange by ${hybridGroups.join(' or ')} alone was offered`;
  return { code, text: `${text}; ${offered}` };
}

/** OpenSSL's one-line form, `thread:error:code:library:function:reason:file:line:data`. */
function reasonIn(message: string): string | null {
  return /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? null;
}

function partsOf(error: unknown): { code: string | null; reason: string | null; message: string } {
  if (!(error instanceof Error)) return { code: null, reason: null, message: String(error) };
  const { code, reason, message } = error as NodeJS.ErrnoException & { reason?: unknown };
  return {
    code: typeof code === 'string' ? code : null,
    reason: typeof reason === 'string' ? reason : null,
    message,
  };
}

/**
 * What it may mean that the peer closed before its first reply on an encrypted connection: in TLS
 * 1.3 it learns of our certificate only after we are done, and refuses it by alert or plain close.
 * Null where that cannot be the reason.
 */
export function classifyEarlyClose(evidence: Evidence): TlsFault | null {
  if (evidence.role !== 'client' || evidence.tls?.protocol !== 'TLSv1.3') return null;
  const { ownCertificate } = evidence.tls;
  const why =
    ownCertificate === null
      ? noCertificateHint
      : `we showed certificate ${ownCertificate}, which it may have refused`;
  return {
    code: 'certificate-refused',
    text: `the peer closed right after the TLS 1.3 handshake; ${why}`,
  };
}
