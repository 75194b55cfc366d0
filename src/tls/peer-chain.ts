/** The one place where a peer's certificates are taken from Node. */
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { AnchorSet } from './anchors.ts';
import { certificateFacts } from './certificate-facts.ts';
import { PresentedChain, presentedMax } from './presented-chain.ts';

/**
 * The certificates as sent, leaf first; to be called once, before anything else asks the socket
 * for its peer's certificate (`getPeerX509Certificate` takes the intermediates away).
 *
 * Node links them by issuer: one that issues none of the others is not told. As client it appends
 * CAs of our own store; `own` (null as server) names what to leave out at the end.
 */
export function readPeerChain(socket: TLSSocket, own: AnchorSet | null): PresentedChain {
  const certificates: Buffer[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && certificates.length <= presentedMax) {
    certificates.push(next.raw);
    const issuer: DetailedPeerCertificate | undefined = next.issuerCertificate;
    next = issuer === next ? undefined : issuer;
  }
  if (own === null) return new PresentedChain(certificates);
  const sent = certificates.findLastIndex((der) => !isOf(own, der)) + 1;
  return new PresentedChain(certificates.slice(0, Math.max(1, sent)));
}

function isOf(set: AnchorSet, der: Buffer): boolean {
  return set.has(certificateFacts(der).fingerprint256);
}
