/**
 * The key that authenticator secrets are encrypted with: made once, in a file of its own beside the
 * control file, and part of the data folder's backups.
 */
import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { boxKeyBytes } from '../../identity/secret-box.ts';
import { Failure } from '../../mail/failure.ts';
import { replaceFile } from '../replace-file.ts';

const keyForm = /^[0-9a-f]{64}\n?$/;

/** A damaged one is not replaced: what it protects would be lost. Throws `identity-key-unusable`. */
export async function openBoxKey(file: string): Promise<Buffer> {
  try {
    const known = await readFile(file, 'utf8').catch(nullWhereMissing);
    if (known === null) {
      const key = randomBytes(boxKeyBytes);
      await replaceFile(file, `${key.toString('hex')}\n`);
      return key;
    }
    if (!keyForm.test(known)) throw new Error('it holds no key');
    await keepPrivate(file);
    return Buffer.from(known.trim(), 'hex');
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure('identity-key-unusable', `${file} cannot be used: ${text}`, { cause });
  }
}

async function keepPrivate(file: string): Promise<void> {
  await using handle = await open(file, 'r');
  const { mode } = await handle.stat();
  if ((mode & 0o077) !== 0) await handle.chmod(0o600);
}

function nullWhereMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw error;
}
