/** Our own certificates as the API tells of them: what is in force, and no path and no key. */
import type { CertificateContentsView } from '../api/contract/certificates.ts';
import { findCertificate } from '../config/find-certificate.ts';
import { Failure } from '../mail/failure.ts';
import { examinePair, loadAnchors, noContents, usersOf } from './certificate-contents.ts';
import type { Configuration } from './configuration.ts';

/** Of the bytes that are in force, not of what lies in the files by now. Throws `object-unknown`. */
export async function describeCertificate(
  { config, policy, files }: Pick<Configuration, 'config' | 'policy' | 'files'>,
  name: string,
): Promise<CertificateContentsView> {
  const found = findCertificate(config, name);
  if (found === null) {
    throw new Failure('object-unknown', `there is no certificate ${JSON.stringify(name)}`);
  }
  const base = { formatVersion: 1, name, usedBy: usersOf(name, { config, policy }) } as const;
  const bytes = files.get(found.certificateFile)?.bytes ?? Buffer.alloc(0);
  const key = files.get(found.keyFile)?.bytes.toString('latin1') ?? '';
  try {
    const certificate = { name: 'its file', bytes };
    const contents = examinePair({ certificate, key }, await loadAnchors());
    const certificates = contents.certificates.map(({ dnsNames, ...facts }) => ({
      ...facts,
      dnsNames: [...dnsNames],
    }));
    return { ...base, problem: null, ...contents, certificates };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...base, ...noContents, certificates: [], problem: error.message };
  }
}
