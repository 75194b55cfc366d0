/**
 * The extensions of a certificate that path validation processes, and what else it must know.
 *
 * An extension that OpenSSL would decode is decoded here too, so that a broken one fails as there.
 * @see RFC 5280 §4.2
 */
import {
  bitsOf,
  booleanOf,
  childrenOf,
  derTag,
  expectTag,
  MalformedDer,
  oidOf,
  readDer,
  smallIntegerOf,
} from './der.ts';
import type { DerElement } from './der.ts';
import { readGeneralName, readGeneralNames } from './general-name.ts';
import type { GeneralName } from './general-name.ts';

/** Null or empty: the extension is absent. */
export interface CertificateExtensions {
  readonly count: number;
  readonly basicConstraints: {
    readonly ca: boolean;
    readonly pathLen: number | null;
    readonly isCritical: boolean;
  } | null;
  /** The first two octets of the named bits. */
  readonly keyUsage: number | null;
  readonly extendedKeyUsage: readonly string[] | null;
  /** Netscape's certificate type, still obeyed by OpenSSL: its first octet. */
  readonly netscapeType: number | null;
  readonly subjectAltName: {
    readonly names: readonly GeneralName[];
    readonly isCritical: boolean;
  } | null;
  readonly subjectKeyId: Buffer | null;
  readonly authorityKeyId: { readonly keyId: Buffer | null } | null;
  readonly nameConstraints: NameConstraints | null;
  /** Certificates that may follow until an explicit policy is required. */
  readonly requireExplicitPolicy: number | null;
  /** Extensions that must fail a path: critical and not processed here, or of no use for TLS. */
  readonly unprocessed: readonly string[];
}

/** `minimumOrMaximum`: a subtree used the fields that RFC 5280 forbids. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
  readonly minimumOrMaximum: boolean;
}

/** Bits of `keyUsage`, RFC 5280 §4.2.1.3, in the first octet. */
export const keyUsageBit = {
  digitalSignature: 0x80,
  keyEncipherment: 0x20,
  keyAgreement: 0x08,
  keyCertSign: 0x04,
  cRLSign: 0x02,
} as const;

const id = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  policies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAny: '2.5.29.54',
  netscapeType: '2.16.840.1.113730.1.1',
} as const;

/** Critical or not: number resources bind what TLS cannot see, proxies are no end certificates. */
const refusedAlways: readonly string[] = [
  '1.3.6.1.5.5.7.1.7', // IP address blocks, RFC 3779
  '1.3.6.1.5.5.7.1.8', // autonomous system numbers, RFC 3779
  '1.3.6.1.5.5.7.1.14', // proxy certificate, RFC 3820
];

/** Processed, and so allowed to be critical. A critical distribution point is not: no revocation. */
const mayBeCritical: readonly string[] = [
  id.keyUsage,
  id.subjectAltName,
  id.basicConstraints,
  id.nameConstraints,
  id.policies,
  id.policyMappings,
  id.policyConstraints,
  id.extendedKeyUsage,
  id.inhibitAny,
  id.netscapeType,
];

interface Extension {
  readonly isCritical: boolean;
  readonly octets: Buffer;
}

/** Throws `MalformedDer`; a second extension of the same kind is malformed. */
export function readExtensions(list: DerElement | null): CertificateExtensions {
  const all = new Map<string, Extension>();
  for (const element of list === null ? [] : childrenOf(list)) {
    const { oid, extension } = readExtension(element);
    if (all.has(oid)) throw new MalformedDer('an extension twice');
    all.set(oid, extension);
  }
  const read = <T>(oid: string, reader: (octets: Buffer) => T): T | null => {
    const found = all.get(oid);
    return found === undefined ? null : reader(found.octets);
  };
  read(id.crlDistributionPoints, checkDistributionPoints);
  read(id.policies, checkPolicies);
  read(id.inhibitAny, (octets) => smallIntegerOf(readDer(octets, derTag.integer)));
  const basic = read(id.basicConstraints, readBasicConstraints);
  const names = read(id.subjectAltName, readGeneralNames);
  return {
    count: all.size,
    basicConstraints: basic && { ...basic, isCritical: all.get(id.basicConstraints)!.isCritical },
    keyUsage: read(id.keyUsage, readKeyUsage),
    extendedKeyUsage: read(id.extendedKeyUsage, readOids),
    netscapeType: read(id.netscapeType, readNetscapeType),
    subjectAltName: names && { names, isCritical: all.get(id.subjectAltName)!.isCritical },
    subjectKeyId: read(id.subjectKeyId, (octets) => readDer(octets, derTag.octetString).value),
    authorityKeyId: read(id.authorityKeyId, readAuthorityKeyId),
    nameConstraints: read(id.nameConstraints, readNameConstraints),
    requireExplicitPolicy: read(id.policyConstraints, readRequireExplicitPolicy),
    unprocessed: [...all]
      .filter(([oid, { isCritical }]) =>
        isCritical ? !mayBeCritical.includes(oid) : refusedAlways.includes(oid),
      )
      .map(([oid]) => oid),
  };
}

function readExtension(element: DerElement): { oid: string; extension: Extension } {
  const parts = childrenOf(expectTag(element, derTag.sequence));
  const oid = oidOf(expectTag(parts[0], derTag.objectIdentifier));
  const isCritical = parts.length === 3 && booleanOf(parts[1]!);
  if (parts.length > 3) throw new MalformedDer('a broken extension');
  return {
    oid,
    extension: { isCritical, octets: expectTag(parts.at(-1), derTag.octetString).value },
  };
}

function readBasicConstraints(octets: Buffer): { ca: boolean; pathLen: number | null } {
  const parts = childrenOf(readDer(octets, derTag.sequence));
  const ca = parts[0]?.tag === derTag.boolean && booleanOf(parts.shift()!);
  const pathLen = parts.shift();
  if (parts.length > 0) throw new MalformedDer('broken basic constraints');
  const length = pathLen && smallIntegerOf(expectTag(pathLen, derTag.integer));
  return { ca, pathLen: length ?? null };
}

function readKeyUsage(octets: Buffer): number {
  const bits = bitsOf(readDer(octets, derTag.bitString));
  const usage = bits[0] ?? 0;
  if (bits.every((octet) => octet === 0)) throw new MalformedDer('a key usage of nothing');
  return usage;
}

function readOids(octets: Buffer): string[] {
  return childrenOf(readDer(octets, derTag.sequence)).map(oidOf);
}

function readNetscapeType(octets: Buffer): number {
  return bitsOf(readDer(octets, derTag.bitString))[0] ?? 0;
}

/** Issuer name and serial number in it are OpenSSL's to compare (`checkIssued`). */
function readAuthorityKeyId(octets: Buffer): { keyId: Buffer | null } {
  let keyId: Buffer | null = null;
  let last = -1;
  for (const part of childrenOf(readDer(octets, derTag.sequence))) {
    const number = part.tag & 0x1f;
    if (![0x80, 0xa1, 0x82].includes(part.tag) || number <= last) {
      throw new MalformedDer('a broken authority key identifier');
    }
    if (part.tag === 0x80) keyId = part.value;
    if (part.tag === 0xa1) childrenOf(part).forEach(readGeneralName);
    last = number;
  }
  return { keyId };
}

function readNameConstraints(octets: Buffer): NameConstraints {
  const lists: Record<number, GeneralName[]> = { 0xa0: [], 0xa1: [] };
  let minimumOrMaximum = false;
  const parts = childrenOf(readDer(octets, derTag.sequence));
  parts.forEach((part, index) => {
    const list = lists[part.tag];
    if (list === undefined || (index === 1 && part.tag !== 0xa1) || index > 1) {
      throw new MalformedDer('broken name constraints');
    }
    for (const subtree of childrenOf(part)) {
      const [base, ...bounds] = childrenOf(expectTag(subtree, derTag.sequence));
      if (base === undefined) throw new MalformedDer('broken name constraints');
      minimumOrMaximum ||= bounds.length > 0;
      list.push(readGeneralName(base));
    }
  });
  return { permitted: lists[0xa0]!, excluded: lists[0xa1]!, minimumOrMaximum };
}

/** Which policies there are decides nothing; but a broken extension is a broken certificate. */
function checkPolicies(octets: Buffer): void {
  const found = childrenOf(readDer(octets, derTag.sequence)).map((element) => {
    const [identifier] = childrenOf(expectTag(element, derTag.sequence));
    return oidOf(expectTag(identifier, derTag.objectIdentifier));
  });
  if (found.length === 0 || new Set(found).size !== found.length) {
    throw new MalformedDer('broken certificate policies');
  }
}

function readRequireExplicitPolicy(octets: Buffer): number | null {
  const parts = childrenOf(readDer(octets, derTag.sequence));
  const tags = parts.map((part) => part.tag).join(' ');
  if (!['128', '129', '128 129'].includes(tags)) {
    throw new MalformedDer('broken policy constraints');
  }
  const skips = parts.map(smallIntegerOf);
  return parts[0]!.tag === 0x80 ? skips[0]! : null;
}

/** Not used, since revocation is not checked; but a broken one is a broken certificate. */
function checkDistributionPoints(octets: Buffer): void {
  for (const point of childrenOf(readDer(octets, derTag.sequence))) {
    for (const field of childrenOf(expectTag(point, derTag.sequence))) {
      if (field.tag === 0xa2) childrenOf(field).forEach(readGeneralName);
      else if (field.tag === 0xa0) checkPointName(field);
      else if (field.tag !== 0x81) throw new MalformedDer('a broken distribution point');
    }
  }
}

function checkPointName(field: DerElement): void {
  const [name, ...rest] = childrenOf(field);
  if (name === undefined || rest.length > 0 || (name.tag !== 0xa0 && name.tag !== 0xa1)) {
    throw new MalformedDer('a broken distribution point');
  }
  if (name.tag === 0xa0) childrenOf(name).forEach(readGeneralName);
  else childrenOf(name).forEach((pair) => expectTag(pair, derTag.sequence));
}
