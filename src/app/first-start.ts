/**
 * The first start without any configuration: writes one to edit, with a private CA, a certificate,
 * and a mailbox whose password is shown once.
 */
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedCertificate, writeEmbeddedDefault } from '../config/embedded-default.ts';
import { generatePassword, hashPassword } from '../identity/password-hash.ts';
import { isRoot } from './privileges.ts';
import { issueCertificate, makePrivateCa, saveIssued } from '../tls/private-ca.ts';

/** `password` is null on every start but the first. */
export interface EmbeddedConfiguration {
  readonly configFile: string;
  readonly firstPassword: { readonly account: string; readonly password: string } | null;
}

const caValidDays = 3650;
const serverValidDays = 825;

/** Certificates first: the configuration's file marks a first start that is complete. */
export async function prepareEmbeddedDefault(dataFolder: string): Promise<EmbeddedConfiguration> {
  const configFile = join(dataFolder, 'postern.yaml');
  if (await exists(configFile)) return { configFile, firstPassword: null };
  await mkdir(join(dataFolder, 'tls'), { recursive: true, mode: 0o700 });
  await makeCertificates(dataFolder);
  const starter = { generatePassword, hashPassword, isRoot: isRoot() };
  const { account, password } = await writeEmbeddedDefault(dataFolder, starter);
  return { configFile, firstPassword: { account, password } };
}

async function makeCertificates(dataFolder: string): Promise<void> {
  const inFolder = (file: string) => join(dataFolder, file);
  const files = {
    certificateFile: inFolder(embeddedCertificate.certificateFile),
    keyFile: inFolder(embeddedCertificate.keyFile),
  };
  if (await exists(files.certificateFile)) return;
  const commonName = "Postern's own CA of this installation";
  const ca = await makePrivateCa({ commonName, validDays: caValidDays });
  const caFiles = { certificateFile: inFolder('tls/ca.pem'), keyFile: inFolder('tls/ca.key') };
  await saveIssued(caFiles, ca);
  const server = await issueCertificate(ca, {
    names: [embeddedCertificate.hostName, 'localhost', '127.0.0.1', '::1'],
    purposes: ['serverAuth', 'clientAuth'],
    validDays: serverValidDays,
  });
  await saveIssued(files, server);
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
