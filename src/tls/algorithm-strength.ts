/**
 * Which signatures and keys a path may hold: a list of what is allowed, all else is weak.
 *
 * Signatures by SHA-2 or schemes with a hash of their own; RSA of 2048 bits and more, named curves
 * of 256 bits and more. The anchor's own signature proves nothing and is not looked at.
 * @see RFC 5280 §4.1.1.2, RFC 4055, RFC 8410, RFC 9881
 */
import { childrenOf, derTag, expectTag, MalformedDer, oidOf, readDer } from './der.ts';
import type { DerElement } from './der.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

const strongHashes: readonly string[] = [
  '2.16.840.1.101.3.4.2.1', // SHA-256
  '2.16.840.1.101.3.4.2.2', // SHA-384
  '2.16.840.1.101.3.4.2.3', // SHA-512
];

const rsaPss = '1.2.840.113549.1.1.10';
const mgf1 = '1.2.840.113549.1.1.8';

const strongSignatures: readonly string[] = [
  '1.2.840.113549.1.1.11', // RSA with SHA-256
  '1.2.840.113549.1.1.12', // RSA with SHA-384
  '1.2.840.113549.1.1.13', // RSA with SHA-512
  '1.2.840.10045.4.3.2', // ECDSA with SHA-256
  '1.2.840.10045.4.3.3', // ECDSA with SHA-384
  '1.2.840.10045.4.3.4', // ECDSA with SHA-512
  '1.3.101.112', // Ed25519
  '1.3.101.113', // Ed448
  '2.16.840.1.101.3.4.3.17', // ML-DSA-44
  '2.16.840.1.101.3.4.3.18', // ML-DSA-65
  '2.16.840.1.101.3.4.3.19', // ML-DSA-87
];

const ecPublicKey = '1.2.840.10045.2.1';

const strongCurves: readonly string[] = [
  '1.2.840.10045.3.1.7', // P-256
  '1.3.132.0.34', // P-384
  '1.3.132.0.35', // P-521
  '1.3.36.3.3.2.8.1.1.7', // brainpoolP256r1
  '1.3.36.3.3.2.8.1.1.11', // brainpoolP384r1
  '1.3.36.3.3.2.8.1.1.13', // brainpoolP512r1
];

const rsaKeys: readonly string[] = ['1.2.840.113549.1.1.1', rsaPss];
const rsaBitsMin = 2048;
/** Checking a signature by a larger key costs too much for a stranger's certificate. */
const rsaBitsMax = 8192;
const rsaExponentMax = 2n ** 32n;

const strongKeys: readonly string[] = [
  '1.3.101.112',
  '1.3.101.113',
  '2.16.840.1.101.3.4.3.17',
  '2.16.840.1.101.3.4.3.18',
  '2.16.840.1.101.3.4.3.19',
];

/** Why the signature on a certificate is too weak, as a detail for people; null where it is not. */
export function signatureWeakness(certificate: ParsedCertificate): string | null {
  return orMalformed(() => {
    const [oid, parameters] = algorithmOf(certificate.outerAlgorithm);
    if (strongSignatures.includes(oid)) return null;
    if (oid === rsaPss && hasStrongPssHashes(parameters)) return null;
    return `signature algorithm ${oid}`;
  });
}

/** Why the key of a certificate is too weak; null where it is not. */
export function keyWeakness(certificate: ParsedCertificate): string | null {
  return orMalformed(() => {
    const [algorithm] = childrenOf(certificate.spki);
    const [oid, parameters] = algorithmOf(expectTag(algorithm, derTag.sequence));
    if (strongKeys.includes(oid)) return null;
    if (oid === ecPublicKey) {
      const curve = parameters?.tag === derTag.objectIdentifier ? oidOf(parameters) : null;
      if (curve === null) return 'explicit curve parameters';
      return strongCurves.includes(curve) ? null : `curve ${curve}`;
    }
    return rsaKeys.includes(oid) ? rsaWeakness(certificate) : `key algorithm ${oid}`;
  });
}

function rsaWeakness(certificate: ParsedCertificate): string | null {
  const details = certificate.publicKey()?.asymmetricKeyDetails;
  const bits = details?.modulusLength ?? 0;
  if (bits < rsaBitsMin || bits > rsaBitsMax) return `RSA of ${bits} bits`;
  const exponent = details?.publicExponent ?? 0n;
  const isBroken = exponent < 3n || exponent % 2n === 0n || exponent > rsaExponentMax;
  return isBroken ? 'RSA with a broken exponent' : null;
}

/**
 * Whether checking one signature by the key costs many times what it should: up to 5 ms, where 32 may
 * be asked for by anybody who connects. Such a key is too weak in `keyWeakness` too.
 */
export function isCostlyKey(certificate: ParsedCertificate): boolean {
  const details = certificate.publicKey()?.asymmetricKeyDetails;
  const { modulusLength = 0, publicExponent = 0n } = details ?? {};
  return modulusLength > rsaBitsMax || publicExponent > rsaExponentMax;
}

/** `hashAlgorithm` and the hash of MGF1 must both be named; their defaults are SHA-1. */
function hasStrongPssHashes(parameters: DerElement | undefined): boolean {
  if (parameters?.tag !== derTag.sequence) return false;
  const fields = new Map(childrenOf(parameters).map((field) => [field.tag, field.value]));
  const hash = fields.get(0xa0);
  const mask = fields.get(0xa1);
  if (hash === undefined || mask === undefined) return false;
  const [maskOid, maskHash] = algorithmOf(readDer(mask, derTag.sequence));
  if (maskOid !== mgf1 || maskHash?.tag !== derTag.sequence) return false;
  const used = [algorithmOf(readDer(hash, derTag.sequence))[0], algorithmOf(maskHash)[0]];
  return used.every((oid) => strongHashes.includes(oid));
}

function algorithmOf(element: DerElement): [string, DerElement | undefined] {
  const [oid, parameters] = childrenOf(element);
  return [oidOf(expectTag(oid, derTag.objectIdentifier)), parameters];
}

function orMalformed(examine: () => string | null): string | null {
  try {
    return examine();
  } catch (error) {
    if (error instanceof MalformedDer) return `unreadable: ${error.message}`;
    throw error;
  }
}
