/**
 * One-time codes of an authenticator app: SHA-1, six digits, thirty seconds, as every app knows them.
 *
 * For sign-in. Time is an argument; that each code counts once is said by the step that is returned.
 * @see RFC 6238 §4, §5.2
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const stepMs = 30_000;
/** Steps before and after the present one that are taken too, for clocks that differ. */
const driftSteps = 1;
const secretBytes = 20;

/** A fresh secret of 160 bits, as long as the output of its hash. */
export function generateTotpSecret(): Buffer {
  return randomBytes(secretBytes);
}

/** The code of one step, six digits with leading zeros. `step` counts 30 s since 1970. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = mac[19]! & 0x0f;
  const value = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(value % 1_000_000).padStart(6, '0');
}

/** The step that a moment lies in. */
export function totpStepAt(nowMs: number): number {
  return Math.floor(nowMs / stepMs);
}

/**
 * The step whose code this is; null where it is none of now, the step before or the one after.
 * Steps up to `lastStep` count no more, so that nobody uses a code that was read over a shoulder;
 * null where none was used yet.
 */
export function verifyTotp(
  secret: Uint8Array,
  code: string,
  { nowMs, lastStep }: { readonly nowMs: number; readonly lastStep: number | null },
): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const present = totpStepAt(nowMs);
  let found: number | null = null;
  // All of them are computed, so that the time tells nothing of which one it was.
  for (let step = present - driftSteps; step <= present + driftSteps; step++) {
    const isEqual = timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(code));
    if (isEqual && step > (lastStep ?? -1)) found ??= step;
  }
  return found;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** As people type a secret into an app, without padding. */
export function formatBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >>> bits) & 31]!;
    }
  }
  return bits === 0 ? text : text + alphabet[(value << (5 - bits)) & 31]!;
}

/** What an app takes as text or as a QR code. */
export function formatTotpUri(secret: Uint8Array, names: { issuer: string; account: string }) {
  const issuer = encodeURIComponent(names.issuer);
  const label = `${issuer}:${encodeURIComponent(names.account)}`;
  return `otpauth://totp/${label}?secret=${formatBase32(secret)}&issuer=${issuer}&algorithm=SHA1&digits=6&period=30`;
}
