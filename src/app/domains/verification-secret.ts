/**
 * The gateway's secret for the tokens of domain verification: made once, in the data folder, and part
 * of its backups. Whoever has it could publish a record for another organization's claim.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { replaceFile } from '../replace-file.ts';

const secretForm = /^[0-9a-f]{64}\n?$/;
const tokenLength = 40;

/** `hasReplaced`: the file was damaged, and every record that was published for it counts no more. */
export interface VerificationSecret {
  readonly secret: string;
  readonly hasReplaced: boolean;
}

/** Makes the file where it is missing; a damaged one is moved aside. Rejects where it cannot be read or made. */
export async function openVerificationSecret(file: string): Promise<VerificationSecret> {
  const known = await readFile(file, 'utf8').catch(nullWhereMissing);
  if (known !== null && secretForm.test(known)) {
    await keepPrivate(file);
    return { secret: known.trim(), hasReplaced: false };
  }
  if (known !== null) await rename(file, `${file}.damaged`);
  const secret = randomBytes(32).toString('hex');
  await replaceFile(file, `${secret}\n`);
  return { secret, hasReplaced: known !== null };
}

/** Of one organization and one domain: it proves nothing for another. Hex, of 160 bits. */
export function tokenFor(secret: string, organization: string, domain: string): string {
  const subject = JSON.stringify(['postern-domain-verification', 1, organization, domain]);
  return createHmac('sha256', secret).update(subject).digest('hex').slice(0, tokenLength);
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
