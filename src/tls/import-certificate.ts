/**
 * From the files that a CA or an administrator hands over to what a server presents: the certificate
 * that fits the key, its intermediates in order, the key in PKCS #8.
 *
 * @see RFC 8446 §4.4.2 (order)
 */
import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Failure } from '../mail/failure.ts';
import { certificateFacts } from './certificate-facts.ts';
import { parseCertificate } from './parsed-certificate.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';
import { pemBlocks, toPem } from './pem.ts';

/** A file as it was read; `name` is for people. */
export interface GivenFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** `notes` are sentences on what was done about the files: left out, put in order. */
export interface ImportedCertificate {
  readonly chainPem: string;
  readonly keyPem: string;
  /** DER, leaf first, without a root. */
  readonly chain: readonly Buffer[];
  readonly notes: readonly string[];
}

/**
 * `files` hold certificates, and one of them, or `knownKeyPem`, the key. Throws `tls-key-*`,
 * `tls-certificate-*` or `tls-archive-unread`.
 */
export function assembleCertificate(
  files: readonly GivenFile[],
  knownKeyPem: string | null,
  nowMs: number,
): ImportedCertificate {
  const certificates = files.flatMap(readCertificates);
  if (certificates.length === 0) {
    const names = files.map(({ name }) => name).join(', ');
    throw new Failure('tls-certificate-malformed', `${names}: there is no certificate in it`);
  }
  const key = findKey(files, knownKeyPem);
  const leaf = certificates.find((each) => each.x509()?.checkPrivateKey(key) === true);
  if (leaf === undefined) {
    const names = certificates.slice(0, 4).map(({ subject }) => subject.text);
    throw new Failure('tls-key-mismatch', `no certificate fits the key: ${names.join('; ')}`);
  }
  checkDates(leaf, nowMs);
  const chain = orderChain(leaf, certificates);
  return {
    chainPem: chain.map(({ der }) => toPem('CERTIFICATE', der)).join(''),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    chain: chain.map(({ der }) => der),
    notes: notesOn(certificates, chain),
  };
}

function readCertificates({ name, bytes }: GivenFile): ParsedCertificate[] {
  const text = bytes.toString('latin1');
  if (!text.includes('-----BEGIN ')) return [readDerFile(name, bytes)];
  return pemBlocks(text)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ der }, place) => {
      const parsed = parseCertificate(der);
      if (parsed !== null && parsed.x509() !== null) return parsed;
      const text = `${name}: certificate ${place + 1} is not readable`;
      throw new Failure('tls-certificate-malformed', text);
    });
}

/** A certificate in DER is taken; an archive is for OpenSSL, which asks for its password itself. */
function readDerFile(name: string, bytes: Buffer): ParsedCertificate {
  const parsed = parseCertificate(bytes);
  if (parsed !== null && parsed.x509() !== null) return parsed;
  const text = `${name} is neither PEM nor a certificate; it may be a PKCS #12 archive (.pfx, .p12)`;
  throw new Failure('tls-archive-unread', text);
}

function findKey(files: readonly GivenFile[], knownKeyPem: string | null): KeyObject {
  const found = files.flatMap(({ name, bytes }) =>
    pemBlocks(bytes.toString('latin1'))
      .filter(({ label }) => label.endsWith('PRIVATE KEY'))
      .map(({ label, der }) => ({ name, label, pem: toPem(label, der), bytes })),
  );
  if (found.length > 1) {
    const names = found.map(({ name }) => name).join(', ');
    throw new Failure('tls-key-malformed', `there is more than one private key: ${names}`);
  }
  const given = found[0];
  if (given === undefined) {
    if (knownKeyPem !== null) return createPrivateKey(knownKeyPem);
    throw new Failure('tls-key-malformed', 'there is no private key in the files');
  }
  try {
    // The file itself: old encrypted keys have headers that a block leaves out.
    return createPrivateKey(given.bytes);
  } catch {
    // Without OpenSSL's words and without the cause: they could quote the key.
    const isLocked = given.bytes.includes('ENCRYPTED');
    const why = isLocked
      ? 'the key is encrypted; `openssl pkey` takes that away'
      : 'the key cannot be read';
    throw new Failure('tls-key-malformed', `${given.name}: ${why}`);
  }
}

function checkDates(leaf: ParsedCertificate, nowMs: number): void {
  const { subject, notBefore, notAfter } = leaf;
  if (nowMs < notAfter && nowMs >= notBefore) return;
  const when =
    nowMs >= notAfter
      ? `expired at ${new Date(notAfter).toISOString()}`
      : `is not valid before ${new Date(notBefore).toISOString()}`;
  throw new Failure('tls-certificate-outdated', `${subject.text} ${when}`);
}

/** From the leaf on to each issuer that was given; a root is not sent. */
export function orderChain(
  leaf: ParsedCertificate,
  given: readonly ParsedCertificate[],
): readonly ParsedCertificate[] {
  const chain = [leaf];
  for (;;) {
    const last = chain.at(-1)!;
    const issuer = given.find(
      (each) => !each.isSelfSigned && !chain.includes(each) && isIssuedBy(last, each),
    );
    if (issuer === undefined || last.isSelfSigned) return chain;
    if (chain.some(({ fingerprint256 }) => fingerprint256 === issuer.fingerprint256)) return chain;
    chain.push(issuer);
  }
}

function isIssuedBy(certificate: ParsedCertificate, issuer: ParsedCertificate): boolean {
  const [child, parent, key] = [certificate.x509(), issuer.x509(), issuer.publicKey()];
  if (child === null || parent === null || key === null || !child.checkIssued(parent)) return false;
  try {
    return child.verify(key);
  } catch {
    // A key or algorithm that OpenSSL does not know: no issuer then.
    return false;
  }
}

function notesOn(
  given: readonly ParsedCertificate[],
  chain: readonly ParsedCertificate[],
): readonly string[] {
  const taken = new Set(chain.map(({ fingerprint256 }) => fingerprint256));
  const left = given.filter(({ fingerprint256 }) => !taken.has(fingerprint256));
  const before = given.filter(({ fingerprint256 }) => taken.has(fingerprint256));
  const isInOrder = chain.every(
    ({ fingerprint256 }, place) => before[place]?.fingerprint256 === fingerprint256,
  );
  return [
    ...(isInOrder ? [] : ['the certificates were put in order, the leaf first']),
    ...left.map(({ der, isSelfSigned }) => {
      const why = isSelfSigned ? 'a root, which is not sent' : 'not on the way to the root';
      return `left out: ${certificateFacts(der).subject} (${why})`;
    }),
  ];
}
