/**
 * The facts of one certificate, for evidence and for people.
 *
 * Names that could match are only those that everybody reads the same way: ASCII, a domain name
 * after canonicalisation. Whatever is odd (an embedded NUL, a U-label, a trailing dot) is left out.
 * @see RFC 9525 §6.2, RFC 5280 §4.2.1.6
 */
import { createHash } from 'node:crypto';
import { parseDomain } from '../mail/domain.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { CertificateFacts } from '../policy/evidence.ts';
import { BoundedMap } from './bounded-map.ts';
import { isHostLike } from './host-like.ts';
import { parseCertificate } from './parsed-certificate.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

/** Names kept of one certificate at most; real ones have up to some hundred. */
const namesMax = 1000;

const remembered = new BoundedMap<CertificateFacts>(2048);
/** Larger ones are read again each time: strangers shall not fill the memory with names. */
const rememberedNamesLengthMax = 4096;

/**
 * Facts from DER; never throws for its input. Of a malformed certificate only the fingerprint is
 * told: `spki256` and the dates are empty then, which match and hold for nothing.
 */
export function certificateFacts(der: Buffer): CertificateFacts {
  const fingerprint256 = createHash('sha256').update(der).digest('base64');
  const known = remembered.get(fingerprint256);
  if (known !== undefined) return known;
  const parsed = parseCertificate(der);
  const facts = parsed === null ? malformed(fingerprint256) : factsOf(parsed);
  const namesLength = facts.dnsNames.reduce((sum, name) => sum + name.length, 0);
  if (namesLength <= rememberedNamesLengthMax) remembered.set(fingerprint256, facts);
  return facts;
}

/** The same from a certificate already parsed. */
export function factsOf(certificate: ParsedCertificate): CertificateFacts {
  return {
    fingerprint256: certificate.fingerprint256,
    spki256: createHash('sha256').update(certificate.spki.raw).digest('base64'),
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    serialNumber: sanitizePeerText(certificate.serialNumber),
    notBefore: new Date(certificate.notBefore).toISOString(),
    notAfter: new Date(certificate.notAfter).toISOString(),
    dnsNames: dnsNamesOf(certificate),
    commonName: hostNameOf(certificate),
    isSelfSigned: certificate.isSelfSigned,
  };
}

function malformed(fingerprint256: string): CertificateFacts {
  return {
    fingerprint256,
    spki256: '',
    subject: 'malformed certificate',
    issuer: '',
    serialNumber: '',
    notBefore: '',
    notAfter: '',
    dnsNames: [],
    commonName: null,
    isSelfSigned: false,
  };
}

function dnsNamesOf(certificate: ParsedCertificate): string[] {
  const found = new Set<string>();
  for (const name of certificate.extensions.subjectAltName?.names ?? []) {
    const canonical = name.form === 'dns' ? canonicalName(name.text) : null;
    if (canonical !== null && found.size < namesMax) found.add(canonical);
  }
  return [...found];
}

/** The common name where it stands for a host: no DNS name beside it, odd or not, and only one. */
function hostNameOf(certificate: ParsedCertificate): string | null {
  const names = certificate.extensions.subjectAltName?.names ?? [];
  const { commonNames } = certificate.subject;
  if (names.some((name) => name.form === 'dns') || commonNames.length !== 1) return null;
  return isHostLike(commonNames[0]!) ? canonicalName(commonNames[0]!) : null;
}

/** Lower-case A-labels, a leading `*.` kept; null for what is no such name. */
function canonicalName(text: string): string | null {
  if (!/^[\x21-\x7e]+$/.test(text) || text.endsWith('.')) return null;
  if (!text.startsWith('*.')) return parseDomain(text);
  const base = parseDomain(text.slice(2));
  return base === null ? null : `*.${base}`;
}
