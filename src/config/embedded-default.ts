/**
 * The configuration of a first start without one: written once, then an ordinary file to edit.
 *
 * The caller (`app`) makes the certificates that it names.
 */
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../mail/failure.ts';
import { embeddedDefaultText } from './embedded-default-text.ts';

/** The password functions of `identity/password-hash.ts`, and whether the first start is root's. */
export interface Starter {
  generatePassword(): string;
  hashPassword(password: string): Promise<string>;
  readonly isRoot: boolean;
}

/** `password` is shown once and kept nowhere. `account` is also the mailbox's address. */
export interface EmbeddedDefault {
  readonly configFile: string;
  readonly account: string;
  readonly password: string;
}

/** What the text names, relative to the data folder: the caller creates the two files. */
export const embeddedCertificate = {
  hostName: 'postern.example.test',
  certificateFile: 'tls/server.pem',
  keyFile: 'tls/server.key',
} as const;

/**
 * Writes `<dataFolder>/postern.yaml` (mode 0600, whole or not at all) with a new password.
 * Rejects with the Failure `default-not-written`, also where the file exists already.
 */
export async function writeEmbeddedDefault(
  dataFolder: string,
  starter: Starter,
): Promise<EmbeddedDefault> {
  const configFile = join(dataFolder, 'postern.yaml');
  const account = 'user@example.test';
  const password = starter.generatePassword();
  const passwordHash = await starter.hashPassword(password);
  try {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    await writeOnce(
      configFile,
      embeddedDefaultText({ account, passwordHash, isRoot: starter.isRoot }),
    );
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure('default-not-written', `cannot write ${configFile}: ${text}`, { cause });
  }
  return { configFile, account, password };
}

/** By a hard link, so that a crash leaves no half file and nothing is ever overwritten. */
async function writeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
  } finally {
    await unlink(draft);
  }
}
