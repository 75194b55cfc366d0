/**
 * What was seen of one connection's TLS: facts, never an opinion.
 *
 * Made by `tls/handshake.ts`, judged by `policy/tls-verdict.ts`, kept by `report`. Plain data.
 */
import type { AnchorsName } from './policy.ts';
import type { PathPurpose } from './tls-requirement.ts';

/** What became of encryption on one connection. `tls` is set only with `established`. */
export interface Evidence {
  readonly formatVersion: 1;
  /** Unique within the gateway; a permit names it. */
  readonly connectionId: string;
  readonly observedAt: string;
  /** Which side we were. */
  readonly role: 'client' | 'server';
  readonly peer: {
    readonly address: string;
    readonly port: number;
    readonly hostName: string | null;
  };
  /**
   * `not-offered`: this connection's EHLO reply had no STARTTLS, or EHLO was refused.
   * `not-used`: offered, and the client (we, by explicit allowance, or the peer) did not use it.
   * `refused`: offered, then STARTTLS was answered with another code than 220.
   * `failed`: the handshake was cut, timed out or failed.
   * `internal`: handed over inside this gateway; the message crossed no network.
   */
  readonly encryption:
    'not-offered' | 'not-used' | 'refused' | 'failed' | 'established' | 'internal';
  /** The organization that handed it over; set only with `internal`. */
  readonly fromOrganization?: string;
  /** Why encryption was refused or failed, sanitized; null otherwise. */
  readonly failure: { readonly code: string; readonly text: string } | null;
  readonly tls: TlsEvidence | null;
}

export interface TlsEvidence {
  /** As OpenSSL names it: `TLSv1.2`, `TLSv1.3`. */
  readonly protocol: string;
  /** The suite's OpenSSL name, and the IANA name. */
  readonly cipher: string;
  readonly cipherStandardName: string;
  /** Key exchange group, `X25519MLKEM768`; null where Node does not tell. */
  readonly group: string | null;
  /** By STARTTLS, or from the first byte on. */
  readonly mode: 'starttls' | 'implicit';
  readonly sni: string | null;
  /** The peer's certificates as sent, leaf first; empty where it showed none. */
  readonly chain: readonly CertificateFacts[];
  /** False where we, as server, asked for none; absent where we did, and as client. */
  readonly isCertificateRequested?: false;
  /** One result per set of anchors and purpose that was examined. */
  readonly paths: readonly PathResult[];
  /** OpenSSL's own verdict as client, with the anchors it was given; null as server. */
  readonly openssl: { readonly anchors: AnchorsName; readonly result: string } | null;
  readonly revocation: 'not-checked';
  /** SHA-256 fingerprint of the certificate that we presented; null where none was. */
  readonly ownCertificate: string | null;
  /** Connection id of the full handshake that a resumed session continues; null for a full one. */
  readonly resumedFrom: string | null;
}

/** Peer-controlled texts are sanitized; `fingerprint256` and `spki256` are base64 of SHA-256. */
export interface CertificateFacts {
  readonly fingerprint256: string;
  readonly spki256: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** DNS names of the SAN, lower-case A-labels, wildcards as written; CN only without any. */
  readonly dnsNames: readonly string[];
  readonly commonName: string | null;
  readonly isSelfSigned: boolean;
}

/**
 * The search for a path from the leaf to one of the anchors under the purpose.
 * `reached` holds from `notBefore` to `notAfter`, the overlap of every certificate on the path.
 */
export type PathResult =
  | {
      readonly kind: 'reached';
      readonly anchors: AnchorsName;
      readonly purpose: PathPurpose;
      readonly anchorFingerprint256: string;
      readonly notBefore: string;
      readonly notAfter: string;
    }
  | {
      readonly kind: 'not-reached';
      readonly anchors: AnchorsName;
      readonly purpose: PathPurpose;
      readonly problem: PathProblem;
      readonly detail: string;
    };

/** Exchange's words where it has one: UntrustedRoot; the rest are named after X.509's checks. */
export type PathProblem =
  | 'no-certificate'
  | 'self-signed'
  | 'untrusted-root'
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-purpose'
  | 'weak-signature'
  | 'weak-key'
  | 'not-a-ca'
  | 'path-too-long'
  | 'name-constraint'
  | 'unknown-critical-extension'
  | 'bad-signature'
  | 'malformed'
  | 'limit-exceeded'
  | 'anchors-unavailable';
