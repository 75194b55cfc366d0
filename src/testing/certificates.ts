/**
 * A maker of test certificates: CAs, intermediates, leaves, with any fault. In-process and fast
 * (about 0.2 ms each with P-256).
 *
 * `makeCa`, `makeIntermediate`, `makeLeaf`, `makeSelfSigned` make right ones; the last argument of
 * each overrides any field, so that a fault is one word: `makeLeaf(ca, ['a.test'], expired)`.
 * @see RFC 5280 §4.1
 */
import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as der from './der-writer.ts';

export type KeyKind =
  'p256' | 'p384' | 'p224' | 'secp256k1' | 'ed25519' | 'rsa2048' | 'rsa1024' | 'rsa3072';

export type KeyUsage =
  | 'digitalSignature'
  | 'nonRepudiation'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign';

/** `signature` `forged`: one of another key; `empty`: no octets at all. */
export interface CertificateSpec {
  /** A common name, or `CN=a,O=b`; the empty text is the empty name. */
  readonly subject: string;
  /** Absent: signed by itself. */
  readonly issuer?: TestCertificate;
  readonly key?: KeyKind | KeyObject;
  readonly serial?: bigint;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly version?: 1 | 3;
  /** Null: no basic constraints. */
  readonly ca?: boolean | null;
  readonly basicConstraintsCritical?: boolean;
  readonly pathLen?: number | null;
  readonly keyUsage?: readonly KeyUsage[] | null;
  /** `serverAuth`, `clientAuth`, `any`, … or dotted OIDs; null: no such extension. */
  readonly extendedKeyUsage?: readonly string[] | null;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly emails?: readonly string[];
  readonly uris?: readonly string[];
  /** GeneralNames already encoded, for oddities. */
  readonly otherNames?: readonly Buffer[];
  readonly subjectAltNameCritical?: boolean;
  readonly subjectKeyId?: 'right' | 'absent';
  readonly authorityKeyId?: 'right' | 'wrong' | 'absent' | 'issuer-serial-only';
  /** `DNS:a.test`, `IP:192.0.2.0/24`, `email:a.test`, `dirName:O=b`, `URI:a.test`. */
  readonly nameConstraints?: {
    readonly permitted?: readonly string[];
    readonly excluded?: readonly string[];
  } | null;
  readonly policies?: readonly string[];
  readonly requireExplicitPolicy?: number;
  readonly hash?: 'sha1' | 'md5' | 'sha224' | 'sha256' | 'sha384' | 'sha512';
  /** The hash that the signed part names, where it shall differ from the outer one. */
  readonly innerHash?: 'sha1' | 'sha256' | 'sha384';
  readonly signature?: 'right' | 'forged' | 'empty';
  readonly extensions?: readonly {
    readonly oid: string;
    readonly critical: boolean;
    readonly value: Buffer;
  }[];
}

export interface TestCertificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly serial: bigint;
  readonly keyId: Buffer;
  /** Base64 of SHA-256, as in `CertificateFacts`. */
  readonly fingerprint256: string;
  readonly spki256: string;
}

export type Overrides = Partial<CertificateSpec>;

const day = 86_400_000;

/** Overrides for the common faults. */
export const expired: Overrides = {
  notBefore: new Date(Date.now() - 60 * day),
  notAfter: new Date(Date.now() - 30 * day),
};
export const notYetValid: Overrides = {
  notBefore: new Date(Date.now() + 30 * day),
  notAfter: new Date(Date.now() + 60 * day),
};
export const serverAuthOnly: Overrides = { extendedKeyUsage: ['serverAuth'] };
export const clientAuthOnly: Overrides = { extendedKeyUsage: ['clientAuth'] };
export const unknownCriticalExtension: Overrides = {
  extensions: [{ oid: '1.3.6.1.4.1.99999.1', critical: true, value: der.nothing }],
};

/** A root CA. */
export function makeCa(subject = 'Test CA', overrides: Overrides = {}): TestCertificate {
  return makeCertificate({ subject, ...caFields, ...overrides });
}

/** A CA under another. */
export function makeIntermediate(
  issuer: TestCertificate,
  subject = 'Test Intermediate',
  overrides: Overrides = {},
): TestCertificate {
  return makeCertificate({ subject, issuer, ...caFields, ...overrides });
}

/** An end certificate for both purposes; the first name is the common name too. */
export function makeLeaf(
  issuer: TestCertificate,
  dnsNames: readonly string[] = ['mx.partner.test'],
  overrides: Overrides = {},
): TestCertificate {
  return makeCertificate({
    subject: dnsNames[0] ?? '',
    issuer,
    dnsNames,
    ...leafFields,
    ...overrides,
  });
}

/** An end certificate signed by its own key. */
export function makeSelfSigned(
  dnsNames: readonly string[] = ['mx.partner.test'],
  overrides: Overrides = {},
): TestCertificate {
  return makeCertificate({ subject: dnsNames[0] ?? '', dnsNames, ...leafFields, ...overrides });
}

/** The certificates' PEM one after the other, as a server sends them: leaf first. */
export function chainPem(...certificates: readonly TestCertificate[]): string {
  return certificates.map((certificate) => certificate.pem).join('');
}

/** Writes `NAME.pem` (the certificate and `chain` after it) and `NAME.key` (mode 0600). */
export async function writeCertificateFiles(
  directory: string,
  name: string,
  certificates: readonly TestCertificate[],
): Promise<{ certificateFile: string; keyFile: string }> {
  const certificateFile = join(directory, `${name}.pem`);
  const keyFile = join(directory, `${name}.key`);
  await writeFile(certificateFile, chainPem(...certificates));
  await writeFile(keyFile, certificates[0]!.keyPem, { mode: 0o600 });
  return { certificateFile, keyFile };
}

const caFields: Overrides = { ca: true, keyUsage: ['keyCertSign', 'cRLSign'] };
const leafFields: Overrides = {
  ca: false,
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: ['serverAuth', 'clientAuth'],
};

/** The certificate as specified, faults included; what is not named is as RFC 5280 asks. */
export function makeCertificate(spec: CertificateSpec): TestCertificate {
  const key = typeof spec.key === 'object' ? spec.key : newKey(spec.key ?? 'p256');
  const spki = publicKeyOf(key);
  const keyId = createHash('sha1').update(spki).digest();
  const subject = distinguishedName(spec.subject);
  const serial = spec.serial ?? nextSerial();
  const signer = spec.issuer ?? { key, keyId, subject, issuer: subject, serial };
  const hash = hashFor(signer.key, spec);
  const inner = signatureAlgorithm(signer.key, spec.innerHash ?? hash);
  const extensions = spec.version === 1 ? [] : extensionsOf(spec, keyId, signer);
  const tbs = der.sequence(
    ...(spec.version === 1 ? [] : [der.context(0, der.integer(2))]),
    der.integer(serial),
    inner,
    signer.subject,
    der.sequence(
      der.time(spec.notBefore ?? new Date(Date.now() - day)),
      der.time(spec.notAfter ?? new Date(Date.now() + 30 * day)),
    ),
    subject,
    spki,
    ...(extensions.length === 0 ? [] : [der.context(3, der.sequence(...extensions))]),
  );
  const signature = signatureOf(spec, tbs, signer.key);
  const bytes = der.sequence(tbs, signatureAlgorithm(signer.key, hash), der.bitString(signature));
  return {
    der: bytes,
    pem: toPem('CERTIFICATE', bytes),
    key,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject,
    issuer: signer.subject,
    serial,
    keyId,
    fingerprint256: createHash('sha256').update(bytes).digest('base64'),
    spki256: createHash('sha256').update(spki).digest('base64'),
  };
}

/** PEM of any DER. */
export function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

let serialCount = BigInt(Date.now()) * 1000n;

function nextSerial(): bigint {
  serialCount += 1n;
  return serialCount;
}

const rsaKeys = new Map<KeyKind, KeyObject[]>();

/** RSA keys are slow to make: a few per size are shared in the process. */
function newKey(kind: KeyKind): KeyObject {
  if (!kind.startsWith('rsa')) return makeKey(kind);
  const known = rsaKeys.get(kind) ?? [];
  if (known.length < 2) known.unshift(makeKey(kind));
  else known.unshift(known.pop()!);
  rsaKeys.set(kind, known);
  return known[0]!;
}

function makeKey(kind: KeyKind): KeyObject {
  switch (kind) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    case 'p224':
      return generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey;
    case 'secp256k1':
      return generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'rsa1024':
    case 'rsa2048':
    case 'rsa3072':
      return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(3)) }).privateKey;
  }
}

function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** `CN=a,O=b`, most significant first as written; one attribute per RDN, UTF8String. */
export function distinguishedName(text: string): Buffer {
  if (text === '') return der.sequence();
  const parts = text.includes('=') ? text.split(',') : [`CN=${text}`];
  return der.sequence(
    ...parts.map((part) => {
      const [type, ...value] = part.split('=');
      const string = type === 'E' ? der.ia5String : der.utf8String;
      return der.set(der.sequence(der.oid(attributeOids[type!]!), string(value.join('='))));
    }),
  );
}

const attributeOids: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  C: '2.5.4.6',
  E: '1.2.840.113549.1.9.1',
};

const rsaOids: Readonly<Record<string, string>> = {
  md5: '1.2.840.113549.1.1.4',
  sha1: '1.2.840.113549.1.1.5',
  sha224: '1.2.840.113549.1.1.14',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
};

const ecdsaOids: Readonly<Record<string, string>> = {
  sha1: '1.2.840.10045.4.1',
  sha224: '1.2.840.10045.4.3.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};

/** There is no ECDSA with MD5: SHA-1 in its place. */
function hashFor(signer: KeyObject, spec: CertificateSpec): string {
  const hash = spec.hash ?? 'sha256';
  return hash === 'md5' && signer.asymmetricKeyType !== 'rsa' ? 'sha1' : hash;
}

function signatureAlgorithm(key: KeyObject, hash: string): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return der.sequence(der.oid('1.3.101.112'));
  if (key.asymmetricKeyType === 'rsa') return der.sequence(der.oid(rsaOids[hash]!), der.nothing);
  return der.sequence(der.oid(ecdsaOids[hash]!));
}

function signatureOf(spec: CertificateSpec, tbs: Buffer, key: KeyObject): Buffer {
  if (spec.signature === 'empty') return Buffer.alloc(0);
  const data = spec.signature === 'forged' ? Buffer.concat([tbs, Buffer.from('!')]) : tbs;
  return sign(key.asymmetricKeyType === 'ed25519' ? null : hashFor(key, spec), data, key);
}

type Signer = Pick<TestCertificate, 'keyId' | 'issuer' | 'serial'>;

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der.boolean(true)] : [];
  return der.sequence(der.oid(oid), ...flag, der.octetString(value));
}

function extensionsOf(spec: CertificateSpec, keyId: Buffer, signer: Signer): Buffer[] {
  return [
    ...keyIdentifiers(spec, keyId, signer),
    ...basicConstraints(spec),
    ...usages(spec),
    ...subjectAltName(spec),
    ...constraints(spec),
    ...(spec.extensions ?? []).map((each) => extension(each.oid, each.critical, each.value)),
  ];
}

function keyIdentifiers(spec: CertificateSpec, keyId: Buffer, signer: Signer): Buffer[] {
  const found: Buffer[] = [];
  if (spec.subjectKeyId !== 'absent') {
    found.push(extension('2.5.29.14', false, der.octetString(keyId)));
  }
  const kind = spec.authorityKeyId ?? (spec.issuer === undefined ? 'absent' : 'right');
  if (kind === 'absent') return found;
  const id = kind === 'wrong' ? Buffer.alloc(20, 7) : signer.keyId;
  const value =
    kind === 'issuer-serial-only'
      ? der.sequence(
          der.context(1, der.context(4, signer.issuer)),
          der.contextPrimitive(2, der.integer(signer.serial).subarray(2)),
        )
      : der.sequence(der.contextPrimitive(0, id));
  return [...found, extension('2.5.29.35', false, value)];
}

function basicConstraints(spec: CertificateSpec): Buffer[] {
  if (spec.ca === null || spec.ca === undefined) return [];
  const pathLen = spec.pathLen ?? null;
  const value = der.sequence(
    ...(spec.ca ? [der.boolean(true)] : []),
    ...(pathLen === null ? [] : [der.integer(pathLen)]),
  );
  return [extension('2.5.29.19', spec.basicConstraintsCritical ?? true, value)];
}

const usageBits: readonly KeyUsage[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
];

const purposeOids: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
};

function usages(spec: CertificateSpec): Buffer[] {
  const found: Buffer[] = [];
  if (spec.keyUsage) {
    const octet = spec.keyUsage.reduce((sum, name) => sum | (0x80 >> usageBits.indexOf(name)), 0);
    const unused = octet === 0 ? 0 : 31 - Math.clz32(octet & -octet);
    const bits =
      octet === 0 ? der.bitString(Buffer.alloc(0)) : der.bitString(Buffer.from([octet]), unused);
    found.push(extension('2.5.29.15', true, bits));
  }
  if (spec.extendedKeyUsage) {
    const oids = spec.extendedKeyUsage.map((name) => der.oid(purposeOids[name] ?? name));
    found.push(extension('2.5.29.37', false, der.sequence(...oids)));
  }
  return found;
}

function subjectAltName(spec: CertificateSpec): Buffer[] {
  const names = [
    ...(spec.dnsNames ?? []).map((name) => der.contextPrimitive(2, Buffer.from(name, 'latin1'))),
    ...(spec.ipAddresses ?? []).map((name) => der.contextPrimitive(7, addressOctets(name))),
    ...(spec.emails ?? []).map((name) => der.contextPrimitive(1, Buffer.from(name, 'latin1'))),
    ...(spec.uris ?? []).map((name) => der.contextPrimitive(6, Buffer.from(name, 'latin1'))),
    ...(spec.otherNames ?? []),
  ];
  if (names.length === 0) return [];
  const critical = spec.subjectAltNameCritical ?? spec.subject === '';
  return [extension('2.5.29.17', critical, der.sequence(...names))];
}

function constraints(spec: CertificateSpec): Buffer[] {
  const found: Buffer[] = [];
  if (spec.nameConstraints) {
    const { permitted = [], excluded = [] } = spec.nameConstraints;
    const subtrees = (texts: readonly string[]): Buffer[] =>
      texts.map((text) => der.sequence(constraintBase(text)));
    const value = der.sequence(
      ...(permitted.length === 0 ? [] : [der.context(0, ...subtrees(permitted))]),
      ...(excluded.length === 0 ? [] : [der.context(1, ...subtrees(excluded))]),
    );
    found.push(extension('2.5.29.30', true, value));
  }
  if (spec.policies) {
    const value = der.sequence(...spec.policies.map((each) => der.sequence(der.oid(each))));
    found.push(extension('2.5.29.32', false, value));
  }
  if (spec.requireExplicitPolicy !== undefined) {
    const skip = der.integer(spec.requireExplicitPolicy).subarray(2);
    found.push(extension('2.5.29.36', true, der.sequence(der.contextPrimitive(0, skip))));
  }
  return found;
}

function constraintBase(text: string): Buffer {
  const [form = '', ...rest] = text.split(':');
  const value = rest.join(':');
  switch (form) {
    case 'DNS':
      return der.contextPrimitive(2, Buffer.from(value, 'latin1'));
    case 'email':
      return der.contextPrimitive(1, Buffer.from(value, 'latin1'));
    case 'URI':
      return der.contextPrimitive(6, Buffer.from(value, 'latin1'));
    case 'dirName':
      return der.context(4, distinguishedName(value));
    case 'IP': {
      const [address, bits] = value.split('/');
      const octets = addressOctets(address!);
      return der.contextPrimitive(7, Buffer.concat([octets, maskOf(octets.length, Number(bits))]));
    }
    default:
      throw new Error(`no such form of name: ${text}`);
  }
}

function maskOf(length: number, bits: number): Buffer {
  const mask = Buffer.alloc(length);
  for (let bit = 0; bit < bits; bit += 1) mask[bit >> 3]! |= 0x80 >> (bit & 7);
  return mask;
}

/** Four or sixteen octets; IPv6 with at most one `::` and no dotted tail. */
function addressOctets(text: string): Buffer {
  if (isIP(text) === 4) return Buffer.from(text.split('.').map(Number));
  const [head, tail] = text.split('::');
  const words = (part: string | undefined): number[] =>
    part ? part.split(':').map((word) => Number.parseInt(word, 16)) : [];
  const left = words(head);
  const right = words(tail);
  const middle: number[] = Array.from({ length: 8 - left.length - right.length }, () => 0);
  const bytes = Buffer.alloc(16);
  [...left, ...middle, ...right].forEach((word, index) => bytes.writeUInt16BE(word, index * 2));
  return bytes;
}
