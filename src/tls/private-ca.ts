/**
 * A private CA and certificates under it: ECDSA P-256, as `openssl verify -x509_strict` asks.
 *
 * For the embedded default's first start and for tests. Such a CA is an anchor of nothing unless
 * somebody names its file.
 * @see RFC 5280 §4.1, §4.2
 */
import { createHash, createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { BitString, fromBER, Integer, OctetString, Utf8String } from 'asn1js';
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  CryptoEngine,
  Extension,
  ExtKeyUsage,
  GeneralName,
} from 'pkijs';
import type { SinglePurpose } from './path-checks.ts';
import { pemBlocks, toPem } from './pem.ts';

/** PEM texts of a certificate and its key. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** `validDays` from now on; the beginning lies an hour back, for clocks that differ. */
export interface PrivateCaSettings {
  readonly commonName: string;
  readonly validDays: number;
}

/** `names` are DNS names or IP addresses, the first is the common name too. Never empty. */
export interface CertificateSettings {
  readonly names: readonly string[];
  readonly purposes: readonly SinglePurpose[];
  readonly validDays: number;
}

const engine = new CryptoEngine({
  name: 'node',
  crypto: webcrypto,
});
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' };

const id = {
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

const purposeOids: Readonly<Record<SinglePurpose, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

/** A new root with a key of its own; it may issue end certificates only (path length 0). */
export async function makePrivateCa(settings: PrivateCaSettings): Promise<IssuedCertificate> {
  const keys = await newKeys();
  const certificate = await draft(settings.commonName, settings.validDays, keys.publicKey);
  certificate.issuer = certificate.subject;
  const constraints = new BasicConstraints({ cA: true, pathLenConstraint: 0 });
  certificate.extensions!.push(
    extension(id.basicConstraints, true, constraints.toSchema().toBER()),
    // keyCertSign, cRLSign
    extension(id.keyUsage, true, new BitString({ valueHex: octets(0x06), unusedBits: 1 }).toBER()),
  );
  await certificate.sign(keys.privateKey, 'SHA-256', engine);
  return issued(certificate, keys.privateKey);
}

/** A certificate under the CA with a new key. */
export async function issueCertificate(
  ca: IssuedCertificate,
  settings: CertificateSettings,
): Promise<IssuedCertificate> {
  const keys = await newKeys();
  const certificate = await draft(settings.names[0]!, settings.validDays, keys.publicKey);
  const caDer = pemBlocks(ca.certificatePem)[0]!.der;
  const issuer = new Certificate({ schema: fromBER(copyOf(caDer)).result });
  certificate.issuer = issuer.subject;
  const caKeyId = keyIdOf(
    new X509Certificate(caDer).publicKey.export({ type: 'spki', format: 'der' }),
  );
  const purposes = new ExtKeyUsage({
    keyPurposes: settings.purposes.map((each) => purposeOids[each]),
  });
  certificate.extensions!.push(
    extension(id.basicConstraints, true, new BasicConstraints().toSchema().toBER()),
    // digitalSignature
    extension(id.keyUsage, true, new BitString({ valueHex: octets(0x80), unusedBits: 7 }).toBER()),
    extension(id.extendedKeyUsage, false, purposes.toSchema().toBER()),
    extension(id.subjectAltName, false, altNames(settings.names).toSchema().toBER()),
    extension(
      id.authorityKeyId,
      false,
      new AuthorityKeyIdentifier({ keyIdentifier: new OctetString({ valueHex: caKeyId }) })
        .toSchema()
        .toBER(),
    ),
  );
  await certificate.sign(await importKey(ca.keyPem), 'SHA-256', engine);
  return issued(certificate, keys.privateKey);
}

/**
 * Writes both files anew, the key first and readable by its owner alone; both are on the disk when
 * it resolves. An existing file is not replaced: it rejects with EEXIST then.
 */
export async function saveIssued(
  files: { readonly certificateFile: string; readonly keyFile: string },
  certificate: IssuedCertificate,
): Promise<void> {
  await writeNew(files.keyFile, certificate.keyPem, 0o600);
  await writeNew(files.certificateFile, certificate.certificatePem, 0o644);
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return await webcrypto.subtle.importKey('pkcs8', new Uint8Array(der), keyAlgorithm, false, [
    'sign',
  ]);
}

/** Everything but issuer, signature and the extensions that differ between CA and leaf. */
async function draft(
  name: string,
  validDays: number,
  publicKey: webcrypto.CryptoKey,
): Promise<Certificate> {
  const certificate = new Certificate({ version: 2 });
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40; // positive and never shorter
  certificate.serialNumber = new Integer({ valueHex: copyOf(serial) });
  certificate.subject.typesAndValues.push(
    new AttributeTypeAndValue({ type: id.commonName, value: new Utf8String({ value: name }) }),
  );
  const now = Math.floor(Date.now() / 1000) * 1000;
  certificate.notBefore.value = new Date(now - 3_600_000);
  certificate.notAfter.value = new Date(now + validDays * 86_400_000);
  await certificate.subjectPublicKeyInfo.importKey(publicKey, engine);
  const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', publicKey));
  const keyId = new OctetString({ valueHex: keyIdOf(spki) });
  certificate.extensions = [extension(id.subjectKeyId, false, keyId.toBER())];
  return certificate;
}

/** Method 1 of RFC 7093 §2 over the whole key info: the leftmost 160 bits of SHA-256. */
function keyIdOf(spki: Buffer): ArrayBuffer {
  return copyOf(createHash('sha256').update(spki).digest().subarray(0, 20));
}

function altNames(names: readonly string[]): AltName {
  return new AltName({ altNames: names.map((name) => generalName(name)) });
}

function generalName(name: string): GeneralName {
  if (isIP(name) === 0) return new GeneralName({ type: 2, value: name });
  return new GeneralName({ type: 7, value: new OctetString({ valueHex: addressOctets(name) }) });
}

/** Four or sixteen octets, by way of the URL parser for IPv6's many spellings. */
function addressOctets(address: string): ArrayBuffer {
  if (isIP(address) === 4) return octets(...address.split('.').map(Number));
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const wordsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [left, right] = [wordsOf(head), wordsOf(tail ?? '')];
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const words = [...left, ...middle, ...right].map((word) => Number.parseInt(word, 16));
  return octets(...words.flatMap((word) => [word >> 8, word & 0xff]));
}

function extension(extnID: string, critical: boolean, extnValue: ArrayBuffer): Extension {
  return new Extension({ extnID, critical, extnValue });
}

function octets(...values: readonly number[]): ArrayBuffer {
  return copyOf(Buffer.from(values));
}

function copyOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

async function issued(
  certificate: Certificate,
  key: webcrypto.CryptoKey,
): Promise<IssuedCertificate> {
  const der = Buffer.from(certificate.toSchema(true).toBER());
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return { certificatePem: toPem('CERTIFICATE', der), keyPem: toPem('PRIVATE KEY', pkcs8) };
}
