/** The certificates that a peer presented, leaf first, bounded, each parsed at most once. */
import { createHash } from 'node:crypto';
import { parseCertificate } from './parsed-certificate.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

/** Certificates taken from a peer at most; the rest is not looked at. */
export const presentedMax = 16;

export class PresentedChain {
  /** DER, leaf first, at most `presentedMax`. */
  readonly certificates: readonly Buffer[];
  /** Whether the peer presented more than were taken. */
  readonly isTruncated: boolean;
  #parsed: (ParsedCertificate | null)[] | null = null;
  #key: string | null = null;

  constructor(certificates: readonly Buffer[]) {
    this.certificates = certificates.slice(0, presentedMax);
    this.isTruncated = certificates.length > presentedMax;
  }

  /** In the same order; null for one that is malformed. */
  parsed(): readonly (ParsedCertificate | null)[] {
    this.#parsed ??= this.certificates.map(parseCertificate);
    return this.#parsed;
  }

  /** Names the chain: equal keys are equal octets in equal order. */
  key(): string {
    if (this.#key !== null) return this.#key;
    const hash = createHash('sha256');
    for (const der of this.certificates) hash.update(createHash('sha256').update(der).digest());
    this.#key = `${hash.digest('base64')}${this.isTruncated ? '+' : ''}`;
    return this.#key;
  }
}
