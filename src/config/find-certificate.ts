/** One of our own certificates by the name that the configuration gives it. */
import type { CertificateFiles, Config } from './config.ts';

/** Null where there is none; what every object has, such as `constructor`, is no certificate. */
export function findCertificate(
  { certificates }: Pick<Config, 'certificates'>,
  name: string,
): CertificateFiles | null {
  return Object.hasOwn(certificates, name) ? certificates[name]! : null;
}
