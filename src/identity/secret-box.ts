/**
 * Encrypts what must be read again and may not lie in a copied database: authenticator secrets.
 *
 * AES-256-GCM under a key that lies in a file of its own. What a box was sealed for is part of what
 * is authenticated, so that one person's box is of no use as another's.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Failure } from '../mail/failure.ts';

export const boxKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const formatVersion = 1;

/** Version, nonce, tag, then the encrypted bytes. */
export function sealBox(key: Uint8Array, plain: Uint8Array, purpose: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.from([formatVersion]), nonce, cipher.getAuthTag(), sealed]);
}

/** Throws the Failure `secret-unreadable` where key, purpose or bytes are not what they were. */
export function openBox(key: Uint8Array, box: Uint8Array, purpose: string): Buffer {
  try {
    const bytes = Buffer.from(box);
    const sealedAt = 1 + nonceBytes + tagBytes;
    if (bytes[0] !== formatVersion || bytes.length < sealedAt) throw new Error('no box of ours');
    const nonce = bytes.subarray(1, 1 + nonceBytes);
    const options = { authTagLength: tagBytes };
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, options)
      .setAAD(Buffer.from(purpose))
      .setAuthTag(bytes.subarray(1 + nonceBytes, sealedAt));
    return Buffer.concat([decipher.update(bytes.subarray(sealedAt)), decipher.final()]);
  } catch (cause) {
    const text = 'a stored secret cannot be read: its key file is another one, or it was damaged';
    throw new Failure('secret-unreadable', text, { cause });
  }
}
