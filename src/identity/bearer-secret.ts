/**
 * Secrets that whoever holds them is taken for: API tokens, sessions, links, recovery codes.
 *
 * They are random, so a plain SHA-256 of them may be stored: there is nothing to guess. The secret
 * itself is shown once and kept nowhere.
 */
import { createHash, randomBytes, randomInt } from 'node:crypto';

/** What a secret is for, by how it begins: a scanner for leaked secrets knows ours by it. */
export const secretPrefixes = { token: 'pst_', session: 'pss_', link: 'psl_' } as const;
export type SecretPurpose = keyof typeof secretPrefixes;

/** 256 random bits in base64url behind the prefix. */
export function generateSecret(purpose: SecretPurpose): string {
  return secretPrefixes[purpose] + randomBytes(32).toString('base64url');
}

/** Whether a text could be such a secret at all; others need no look into the store. */
export function isSecretOf(purpose: SecretPurpose, text: string): boolean {
  const prefix = secretPrefixes[purpose];
  return text.startsWith(prefix) && /^[A-Za-z0-9_-]{43}$/.test(text.slice(prefix.length));
}

/** What is stored in its place: SHA-256, base64url. */
export function digestSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

export const recoveryCodesCount = 10;
// Without i, l, o, 0 and 1, which people confuse.
const readable = 'abcdefghjkmnpqrstuvwxyz23456789';
const recoveryCodeLength = 16;

/** Codes for who lost the authenticator, each good for one sign-in: 79 bits, in four groups. */
export function generateRecoveryCodes(): string[] {
  return Array.from({ length: recoveryCodesCount }, () => {
    const letters = Array.from(
      { length: recoveryCodeLength },
      () => readable[randomInt(readable.length)]!,
    ).join('');
    return letters.replace(/(.{4})(?=.)/g, '$1-');
  });
}

/** As it is stored; however it was typed. Null where it can be none. */
export function digestRecoveryCode(typed: string): string | null {
  const letters = typed.toLowerCase().replace(/[\s-]/g, '');
  if (letters.length !== recoveryCodeLength) return null;
  return Array.from(letters).every((letter) => readable.includes(letter))
    ? digestSecret(letters)
    : null;
}
