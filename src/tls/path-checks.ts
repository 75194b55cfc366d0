/**
 * Whether a complete path, leaf to anchor with every signature checked, is valid for a purpose at
 * a time. The rules are those of `openssl verify -x509_strict -auth_level 2`, stricter in places.
 *
 * @see RFC 5280 §6.1
 */
import type { PathProblem } from '../policy/evidence.ts';
import { keyWeakness, signatureWeakness } from './algorithm-strength.ts';
import { keyUsageBit } from './certificate-extensions.ts';
import { policyViolation } from './certificate-policies.ts';
import { nameConstraintViolation } from './name-constraints.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

/** What is wrong with a path: the problem's word and a detail for people. */
export interface PathFault {
  readonly problem: PathProblem;
  readonly detail: string;
}

/** One extended key usage; `either` is two examinations, made by the caller. */
export type SinglePurpose = 'serverAuth' | 'clientAuth';

/** One certificate and its place: depth 0 is the leaf; `last` is the anchor's depth. */
interface Place {
  readonly certificate: ParsedCertificate;
  readonly depth: number;
  readonly last: number;
}

/** The first fault found, null for a valid path. `path` is leaf first and never empty. */
export function faultOfPath(
  path: readonly ParsedCertificate[],
  purpose: SinglePurpose,
  at: number,
): PathFault | null {
  const places = path.map((certificate, depth) => ({ certificate, depth, last: path.length - 1 }));
  const checks = [
    (place: Place) => dateFault(place, at),
    strengthFault,
    criticalFault,
    authorityFault,
    strictFault,
    (place: Place) => purposeFault(place, purpose),
  ];
  for (const check of checks) {
    for (const place of places) {
      const fault = check(place);
      if (fault !== null) return fault;
    }
  }
  return pathLengthFault(path) ?? treeFault(path);
}

function fault(place: Place, problem: PathProblem, detail: string): PathFault {
  const role = place.depth === 0 ? 'leaf' : place.depth === place.last ? 'anchor' : 'intermediate';
  return { problem, detail: `${role} (depth ${place.depth}): ${detail}` };
}

/** The last second of validity counts as over, as with OpenSSL. */
function dateFault(place: Place, at: number): PathFault | null {
  const { notBefore, notAfter } = place.certificate;
  if (at < notBefore) {
    return fault(place, 'not-yet-valid', `valid from ${new Date(notBefore).toISOString()}`);
  }
  if (at >= notAfter) {
    return fault(place, 'expired', `expired ${new Date(notAfter).toISOString()}`);
  }
  return null;
}

function strengthFault(place: Place): PathFault | null {
  const { certificate, depth, last } = place;
  const signature = depth < last ? signatureWeakness(certificate) : null;
  if (signature !== null) return fault(place, 'weak-signature', signature);
  const key = keyWeakness(certificate);
  return key === null ? null : fault(place, 'weak-key', key);
}

function criticalFault(place: Place): PathFault | null {
  const { unprocessed } = place.certificate.extensions;
  if (unprocessed.length === 0) return null;
  return fault(place, 'unknown-critical-extension', unprocessed.slice(0, 4).join(' '));
}

/** Above the leaf every certificate must be a CA in the full sense, the anchor included. */
function authorityFault(place: Place): PathFault | null {
  const { certificate, depth } = place;
  const { basicConstraints, keyUsage } = certificate.extensions;
  const mayNotSign = keyUsage !== null && (keyUsage & keyUsageBit.keyCertSign) === 0;
  if (depth > 0) {
    if (certificate.version < 3) return fault(place, 'not-a-ca', 'version 1 or 2');
    if (basicConstraints === null) return fault(place, 'not-a-ca', 'no basic constraints');
    if (!basicConstraints.ca) return fault(place, 'not-a-ca', 'basic constraints say no CA');
    if (mayNotSign) return fault(place, 'not-a-ca', 'key usage without keyCertSign');
    return null;
  }
  // A leaf that may sign certificates without saying that it is a CA is neither fish nor fowl.
  const saysNothing = basicConstraints === null && keyUsage !== null && !mayNotSign;
  const netscapeCa = (certificate.extensions.netscapeType ?? 0) & 0x07;
  const isNetscapeCa = basicConstraints === null && keyUsage === null && netscapeCa !== 0;
  const isOldRoot = certificate.version === 1 && certificate.isSelfSigned;
  if (saysNothing || isNetscapeCa || isOldRoot) {
    return fault(place, 'malformed', 'neither a CA nor an end certificate');
  }
  return null;
}

/** What -x509_strict asks of each certificate of a path of two and more. */
function strictFault(place: Place): PathFault | null {
  if (place.last === 0) return null;
  const detail =
    constraintStrictness(place.certificate) ??
    nameStrictness(place.certificate) ??
    identifierStrictness(place);
  return detail === null ? null : fault(place, 'malformed', detail);
}

function constraintStrictness({ extensions }: ParsedCertificate): string | null {
  const { basicConstraints, keyUsage } = extensions;
  const isCa = basicConstraints?.ca === true;
  const maySign = keyUsage === null || (keyUsage & keyUsageBit.keyCertSign) !== 0;
  if (basicConstraints !== null && basicConstraints.pathLen !== null) {
    if (!isCa) return 'a path length without being a CA';
    if (!maySign) return 'a path length without keyCertSign';
  }
  if (isCa && !basicConstraints.isCritical) return 'basic constraints not critical';
  if (isCa && keyUsage === null) return 'a CA without key usage';
  if (!isCa && keyUsage !== null && maySign) return 'keyCertSign without being a CA';
  return null;
}

function nameStrictness({ issuer, subject, extensions }: ParsedCertificate): string | null {
  if (issuer.canonical.length === 0) return 'an empty issuer';
  if (subject.canonical.length > 0) return null;
  const { basicConstraints, keyUsage, subjectAltName } = extensions;
  const needsName =
    basicConstraints?.ca === true ||
    (keyUsage !== null && (keyUsage & keyUsageBit.cRLSign) !== 0) ||
    subjectAltName === null;
  if (needsName) return 'an empty subject';
  return subjectAltName.isCritical ? null : 'an empty subject and names that are not critical';
}

function identifierStrictness({ certificate, depth, last }: Place): string | null {
  const { extensions, version } = certificate;
  if (!certificate.innerAlgorithm.raw.equals(certificate.outerAlgorithm.raw)) {
    return 'two signature algorithms';
  }
  if (version < 3) return extensions.count > 0 ? 'extensions need version 3' : null;
  if (depth < last && !extensions.authorityKeyId?.keyId) return 'no authority key identifier';
  const isCa = extensions.basicConstraints?.ca === true;
  return isCa && extensions.subjectKeyId === null ? 'a CA without subject key identifier' : null;
}

const purposeOids: Readonly<Record<SinglePurpose, readonly string[]>> = {
  clientAuth: ['1.3.6.1.5.5.7.3.2'],
  // With the two "server gated cryptography" purposes that OpenSSL still reads as serverAuth.
  serverAuth: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1'],
};

/** A named extended key usage binds everywhere on the path, anchor included; `any` is not enough. */
function purposeFault(place: Place, purpose: SinglePurpose): PathFault | null {
  const { extendedKeyUsage, keyUsage, netscapeType } = place.certificate.extensions;
  const accepted = purposeOids[purpose];
  if (extendedKeyUsage !== null && !extendedKeyUsage.some((oid) => accepted.includes(oid))) {
    return fault(place, 'wrong-purpose', `extended key usage without ${purpose}`);
  }
  if (place.depth > 0) return null;
  const { digitalSignature, keyAgreement, keyEncipherment } = keyUsageBit;
  const bits = digitalSignature | keyAgreement | (purpose === 'serverAuth' ? keyEncipherment : 0);
  if (keyUsage !== null && (keyUsage & bits) === 0) {
    return fault(place, 'wrong-purpose', `key usage does not allow ${purpose}`);
  }
  const netscapeBit = purpose === 'clientAuth' ? 0x80 : 0x40;
  if (netscapeType !== null && (netscapeType & netscapeBit) === 0) {
    return fault(place, 'wrong-purpose', `Netscape certificate type does not allow ${purpose}`);
  }
  return null;
}

/** Self-issued CAs count for no length. @see RFC 5280 §4.2.1.9 */
function pathLengthFault(path: readonly ParsedCertificate[]): PathFault | null {
  let below = 0;
  for (const [depth, certificate] of path.entries()) {
    if (depth === 0) continue;
    const limit = certificate.extensions.basicConstraints?.pathLen ?? null;
    if (limit !== null && below > limit) {
      const detail = `${below} CAs below one that allows ${limit}`;
      return fault({ certificate, depth, last: path.length - 1 }, 'path-too-long', detail);
    }
    if (!certificate.isSelfIssued) below += 1;
  }
  return null;
}

/** Demands that only the whole path can answer. */
function treeFault(path: readonly ParsedCertificate[]): PathFault | null {
  const names = nameConstraintViolation(path);
  if (names !== null) return { problem: 'name-constraint', detail: names };
  const policies = policyViolation(path);
  return policies === null ? null : { problem: 'wrong-purpose', detail: policies };
}
