/**
 * Looks into the files that a configuration names: certificates, keys, trust anchors.
 *
 * For `config check` and for `serve` before a configuration is put in force. What a certificate is
 * worth to a peer is judged elsewhere; here only what would make it useless.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Config, FileReference } from './config.ts';
import type { ConfigProblem, Spot } from './problem.ts';

const pemBytesMax = 4 * 1024 * 1024;
const soonMs = 14 * 86_400_000;

/** In the order of the file, errors and warnings; empty where all is well. Never rejects. */
export async function checkFiles(config: Config, nowMs: number): Promise<readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  for (const reference of config.files) {
    for (const { text, severity } of await examineFile(reference, nowMs)) {
      const spot = spotOf(reference);
      problems.push({ file: config.file, ...spot, text, suggestion: null, severity });
    }
  }
  return problems;
}

function spotOf({ key, line, column, object }: FileReference): Spot {
  return { key, line, column, ...(object === undefined ? {} : { object }) };
}

interface Complaint {
  readonly text: string;
  readonly severity: 'error' | 'warning';
}

async function examineFile(reference: FileReference, nowMs: number): Promise<Complaint[]> {
  const read = await readPem(reference.path);
  if ('problem' in read) return [error(`${reference.path} ${read.problem}`)];
  if (reference.kind === 'key') return examineKey(reference, read);
  return examineCertificates(reference, read.text, nowMs);
}

function error(text: string): Complaint {
  return { text, severity: 'error' };
}

function warning(text: string): Complaint {
  return { text, severity: 'warning' };
}

interface PemFile {
  readonly text: string;
  readonly mode: number;
}

async function readPem(path: string): Promise<PemFile | { readonly problem: string }> {
  try {
    await using handle = await open(path, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) return { problem: 'is not a file' };
    if (stats.size > pemBytesMax) return { problem: 'is larger than 4 MiB; that is no PEM file' };
    return { text: await handle.readFile('latin1'), mode: stats.mode };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return { problem: 'does not exist' };
    if (code === 'EACCES') return { problem: 'cannot be read: permission denied' };
    if (typeof code === 'string') return { problem: `cannot be read: ${code}` };
    throw cause;
  }
}

const blocks = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function examineCertificates(reference: FileReference, text: string, nowMs: number): Complaint[] {
  const { path, kind } = reference;
  const pems = text.match(blocks) ?? [];
  if (pems.length === 0) return [error(`${path} holds no PEM certificate`)];
  const complaints: Complaint[] = [];
  pems.forEach((pem, place) => {
    const certificate = parseCertificate(pem);
    const name = `${path}: certificate ${place + 1} of ${pems.length}`;
    if (certificate === null) complaints.push(error(`${name} cannot be parsed`));
    else complaints.push(...examineDates(certificate, `${name} (${nameOf(certificate)})`, nowMs));
  });
  // One old CA among many does no harm; our own certificate out of date stops every handshake.
  const isHarmless = kind === 'anchors' && pems.length > 1;
  return isHarmless ? complaints.map(({ text }) => warning(text)) : complaints;
}

function parseCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    // Whatever OpenSSL says, the caller names the file and the place.
    return null;
  }
}

function nameOf(certificate: X509Certificate): string {
  return (certificate.subject ?? 'without subject').replaceAll('\n', ', ').slice(0, 120);
}

function examineDates(certificate: X509Certificate, name: string, nowMs: number): Complaint[] {
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  if (certificate.validToDate.getTime() < nowMs) {
    return [error(`${name} expired on ${day(certificate.validToDate)}`)];
  }
  if (certificate.validFromDate.getTime() > nowMs) {
    return [error(`${name} is not valid before ${day(certificate.validFromDate)}`)];
  }
  if (certificate.validToDate.getTime() - nowMs > soonMs) return [];
  return [warning(`${name} expires on ${day(certificate.validToDate)}`)];
}

async function examineKey(reference: FileReference, { text, mode }: PemFile): Promise<Complaint[]> {
  const { path } = reference;
  let key;
  try {
    key = createPrivateKey(text);
  } catch {
    // OpenSSL's text could quote the key; ours does not.
    const isEncrypted = text.includes('ENCRYPTED');
    const why = isEncrypted
      ? 'is encrypted; Postern needs it unencrypted'
      : 'holds no PEM private key';
    return [error(`${path} ${why}`)];
  }
  const complaints: Complaint[] = [];
  if ((mode & 0o077) !== 0) {
    complaints.push(warning(`${path} can be read by other users; chmod 600 would keep it private`));
  }
  const leaf = await readLeaf(reference.certificateFile);
  if (leaf !== null && !leaf.checkPrivateKey(key)) {
    complaints.push(error(`${path} does not fit the certificate in ${reference.certificateFile!}`));
  }
  return complaints;
}

/** Null where it cannot be read: the certificate's own check says so. */
async function readLeaf(path: string | null): Promise<X509Certificate | null> {
  const read = path === null ? null : await readPem(path);
  const pem = read !== null && 'text' in read ? read.text.match(blocks)?.[0] : undefined;
  return pem === undefined ? null : parseCertificate(pem);
}
