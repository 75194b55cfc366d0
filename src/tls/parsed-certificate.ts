/**
 * A certificate as path validation needs it: every field and extension that decides something.
 *
 * For `chain.ts` and `certificate-facts.ts`. node:crypto knows neither path lengths, key-usage
 * bits, name constraints nor policies; they are read here from the same octets.
 * @see RFC 5280 §4.1, §4.2
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readExtensions } from './certificate-extensions.ts';
import type { CertificateExtensions } from './certificate-extensions.ts';
import {
  childrenOf,
  derTag,
  expectTag,
  integerOctets,
  MalformedDer,
  readDer,
  smallIntegerOf,
  timeOf,
} from './der.ts';
import type { DerElement } from './der.ts';
import { nameKey, readDistinguishedName } from './distinguished-name.ts';
import type { DistinguishedName } from './distinguished-name.ts';

/** Times are epoch milliseconds; `subjectKey` and `issuerKey` are the names in comparable form. */
export interface ParsedCertificate {
  readonly der: Buffer;
  /** Base64 of SHA-256. */
  readonly fingerprint256: string;
  readonly version: number;
  /** Hexadecimal digits, upper case, as written. */
  readonly serialNumber: string;
  /** The AlgorithmIdentifier, inside and outside of the signed part. */
  readonly innerAlgorithm: DerElement;
  readonly outerAlgorithm: DerElement;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly issuerKey: string;
  readonly subjectKey: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly spki: DerElement;
  readonly extensions: CertificateExtensions;
  /** Issued to itself: counts for no path length, and name constraints pass it over. */
  readonly isSelfIssued: boolean;
  /** Self-issued with its own key as authority key, as far as identifiers tell. */
  readonly isSelfSigned: boolean;
  /** node:crypto's view of the same octets; null where OpenSSL cannot read them. Made once. */
  x509(): X509Certificate | null;
  /** The public key; null where OpenSSL cannot read it. Made once. */
  publicKey(): KeyObject | null;
}

/** Larger certificates are refused; OpenSSL takes 100 KiB for a whole chain. */
const certificateBytesMax = 100 * 1024;

/** Null where the octets are no certificate in strict DER; never throws for its input. */
export function parseCertificate(der: Buffer): ParsedCertificate | null {
  try {
    return readCertificate(der);
  } catch (error) {
    if (error instanceof MalformedDer) return null;
    throw error;
  }
}

function readCertificate(der: Buffer): ParsedCertificate {
  if (der.length > certificateBytesMax) throw new MalformedDer('too large');
  const [tbs, outerAlgorithm, signature, ...rest] = childrenOf(readDer(der, derTag.sequence));
  if (tbs === undefined || rest.length > 0) throw new MalformedDer('not three parts');
  // OpenSSL leaves unused bits out of account: the same certificate would have many fingerprints.
  if (expectTag(signature, derTag.bitString).value[0] !== 0) {
    throw new MalformedDer('a signature that is not whole octets');
  }
  const fields = childrenOf(expectTag(tbs, derTag.sequence));
  const version = fields[0]?.tag === 0xa0 ? versionOf(fields.shift()!) : 1;
  const [serial, inner, issuerName, validity, subjectName, spki, ...optional] = fields;
  const issuer = readDistinguishedName(expectTag(issuerName, derTag.sequence));
  const subject = readDistinguishedName(expectTag(subjectName, derTag.sequence));
  const [notBefore, notAfter, ...more] = childrenOf(expectTag(validity, derTag.sequence));
  if (notBefore === undefined || notAfter === undefined || more.length > 0) {
    throw new MalformedDer('a broken validity');
  }
  const extensions = readExtensions(extensionList(optional));
  const issuerKey = nameKey(issuer);
  const subjectKey = nameKey(subject);
  const { subjectKeyId, authorityKeyId } = extensions;
  const isOwnAuthority =
    subjectKeyId === null || (authorityKeyId?.keyId?.equals(subjectKeyId) ?? true);
  return {
    der,
    fingerprint256: createHash('sha256').update(der).digest('base64'),
    version,
    serialNumber: integerOctets(expectTag(serial, derTag.integer)).toString('hex').toUpperCase(),
    innerAlgorithm: expectTag(inner, derTag.sequence),
    outerAlgorithm: expectTag(outerAlgorithm, derTag.sequence),
    issuer,
    subject,
    issuerKey,
    subjectKey,
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    spki: expectTag(spki, derTag.sequence),
    extensions,
    isSelfIssued: issuerKey === subjectKey,
    isSelfSigned: issuerKey === subjectKey && isOwnAuthority,
    ...lazyViews(der),
  };
}

function versionOf(explicit: DerElement): number {
  const [inner, ...rest] = childrenOf(explicit);
  const version = smallIntegerOf(expectTag(inner, derTag.integer)) + 1;
  if (rest.length > 0 || version > 3) throw new MalformedDer('an unknown version');
  return version;
}

/** The SEQUENCE of extensions under [3]; [1] and [2] are the unique identifiers of version 2. */
function extensionList(optional: readonly DerElement[]): DerElement | null {
  let list: DerElement | null = null;
  let last = 0xa0;
  for (const element of optional) {
    const number = element.tag & 0x1f;
    const isExpected = element.tag === 0xa3 || element.tag === 0x81 || element.tag === 0x82;
    if (!isExpected || number <= (last & 0x1f)) throw new MalformedDer('an unknown field');
    last = element.tag;
    if (element.tag === 0xa3) list = readDer(element.value, derTag.sequence);
  }
  return list;
}

function lazyViews(der: Buffer): Pick<ParsedCertificate, 'x509' | 'publicKey'> {
  let x509: X509Certificate | null | undefined;
  let publicKey: KeyObject | null | undefined;
  const view = (): X509Certificate | null => (x509 ??= attempt(() => new X509Certificate(der)));
  return {
    x509: view,
    publicKey: () => (publicKey ??= attempt(() => view()?.publicKey ?? null)),
  };
}

/** OpenSSL's refusals surface as exceptions; what it cannot read is null here. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
