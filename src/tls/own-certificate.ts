/**
 * Our own certificates and keys: read, checked that they belong together, ready for a context.
 *
 * For `contexts.ts`, and for whoever shows what the gateway presents.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Failure } from '../mail/failure.ts';
import type { CertificateFacts } from '../policy/evidence.ts';
import { certificateFacts } from './certificate-facts.ts';
import { pemBlocks, toPem } from './pem.ts';

/**
 * PEM in memory, or the absolute path of a PEM file that is read when contexts are made; `bytes` is
 * what somebody has read there already.
 */
export type PemSource = Buffer | { readonly file: string; readonly bytes?: Buffer };

/** `certificate` holds the certificate and after it the intermediates that go with it. */
export interface CertificateSource {
  readonly certificate: PemSource;
  readonly key: PemSource;
}

/** `chain` is leaf first; PEM as OpenSSL takes it. */
export interface OwnCertificate {
  readonly leaf: CertificateFacts;
  readonly chainPem: string;
  readonly keyPem: string;
  /** Sentences for the administrator: it expired, it is not valid yet. Often empty. */
  readonly warnings: readonly string[];
}

/** Throws `Failure` of `tls-file-*`, `tls-certificate-malformed`, `tls-key-*`. */
export async function loadOwnCertificate(source: CertificateSource): Promise<OwnCertificate> {
  const [certificateText, keyText] = await Promise.all([
    readPem(source.certificate),
    readPem(source.key),
  ]);
  const where = placeOf(source.certificate);
  const chain = pemBlocks(certificateText)
    .filter((block) => block.label === 'CERTIFICATE')
    .map((block) => block.der);
  if (chain.length === 0) throw malformed(where, 'there is no certificate in it');
  const parsed = chain.map((der, index) => parseX509(der, `${where}, certificate ${index + 1}`));
  const key = parseKey(keyText, placeOf(source.key));
  if (!parsed[0]!.checkPrivateKey(key)) {
    const text = `${where}: the first certificate does not belong to the key in ${placeOf(source.key)}`;
    throw new Failure('tls-key-mismatch', text);
  }
  const leaf = certificateFacts(chain[0]!);
  return {
    leaf,
    chainPem: chain.map((der) => toPem('CERTIFICATE', der)).join(''),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    warnings: dateWarnings(leaf, where),
  };
}

async function readPem(source: PemSource): Promise<string> {
  if (Buffer.isBuffer(source)) return source.toString('latin1');
  if (source.bytes !== undefined) return source.bytes.toString('latin1');
  try {
    return await readFile(source.file, 'latin1');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const name = code === 'ENOENT' ? 'tls-file-missing' : 'tls-file-unreadable';
    throw new Failure(name, `${source.file}: cannot be read (${code})`, { cause: error });
  }
}

/** How the source is named to people; a buffer by its digest, never by its contents. */
function placeOf(source: PemSource): string {
  if (!Buffer.isBuffer(source)) return source.file;
  return `PEM text ${createHash('sha256').update(source).digest('hex').slice(0, 8)}`;
}

function parseX509(der: Buffer, where: string): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw malformed(where, 'is not readable', error);
  }
}

function malformed(where: string, what: string, cause?: unknown): Failure {
  return new Failure('tls-certificate-malformed', `${where}: ${what}`, { cause });
}

function parseKey(text: string, where: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const isLocked = code === 'ERR_MISSING_PASSPHRASE';
    const why = isLocked ? 'the key is encrypted' : `holds no readable private key (${code})`;
    // Without the cause: what OpenSSL says of a key does not belong into a log.
    throw new Failure('tls-key-malformed', `${where}: ${why}`);
  }
}

function dateWarnings(leaf: CertificateFacts, where: string): string[] {
  const now = Date.now();
  if (leaf.notAfter === '') return [`${where}: the certificate is not in strict DER`];
  if (now >= Date.parse(leaf.notAfter)) return [`${where}: expired ${leaf.notAfter}`];
  if (now < Date.parse(leaf.notBefore)) return [`${where}: not valid before ${leaf.notBefore}`];
  return [];
}
