/** Checks of how a client of an inbound connector proves itself by certificate. */
import type { Refuse } from './check-outbound.ts';
import type { ParsedInbound } from './schema-connectors.ts';

/** For connectors on which a certificate counts. */
export function checkProof(value: ParsedInbound, refuse: Refuse): void {
  const names = value.tlsSenderCertificateName.length > 0;
  const pins = value.pins.length > 0;
  if (!names && !pins && value.restrictDomainsToCertificate) {
    const text = 'needs tlsSenderCertificateName (the name on the client certificate) or pins';
    refuse('restrictDomainsToCertificate', text);
  }
  if (names) return;
  const text = pins
    ? 'has no effect: pins alone decide. Give tlsSenderCertificateName too where the CA is to be checked besides'
    : 'acts only with tlsSenderCertificateName';
  if (value.restrictDomainsToCertificate && !pins) return;
  if (value.anchors !== 'bundled') refuse('anchors', text);
  if (value.acceptServerAuthOnly) refuse('acceptServerAuthOnly', text);
}
