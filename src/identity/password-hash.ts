/**
 * Passwords as argon2id hashes in PHC form, and new random passwords.
 *
 * For sign-in and for whoever sets a password. The work runs on libuv's threads, never on the loop.
 * @see RFC 9106 §4, RFC 8265 §4.2 (normalization)
 */
import type { Argon2Parameters } from 'node:crypto';
import { argon2, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Failure } from '../mail/failure.ts';

/** What one hash costs. `memoryKib` KiB are filled `passes` times by `lanes` chains. */
export interface HashCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** OWASP's second choice of 2024: 19 MiB, two passes; about 30 ms here. */
export const defaultHashCost: HashCost = { memoryKib: 19_456, passes: 2, lanes: 1 };

/** Dearer hashes are refused: a hostile hash must not burn memory or hold a thread for seconds. */
const costMax = { memoryKib: 65_536, passes: 10, lanes: 4, work: 262_144 } as const;

/** Longer passwords are wrong; bytes in UTF-8. */
export const passwordBytesMax = 1024;

const derive = promisify(argon2) as (
  algorithm: 'argon2id',
  parameters: Argon2Parameters,
) => Promise<Buffer>;

interface ParsedHash {
  readonly cost: HashCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const shape =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` with a fresh salt of 16 bytes. */
export async function hashPassword(
  password: string,
  cost: HashCost = defaultHashCost,
): Promise<string> {
  const salt = randomBytes(16);
  const hash = await run(password, { cost, salt, hash: Buffer.alloc(32) });
  return formatHash({ cost, salt, hash });
}

/**
 * Whether `password` has the hash `stored`; compared in constant time.
 * Rejects with the Failure `password-hash-unusable` where `stored` is malformed or too dear.
 */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const parsed = parseHash(stored);
  if (parsed === null) {
    const text = 'a stored password hash is no argon2id hash, or its costs are out of bounds';
    throw new Failure('password-hash-unusable', text);
  }
  if (Buffer.byteLength(password) > passwordBytesMax) return false;
  return timingSafeEqual(await run(password, parsed), parsed.hash);
}

/** A hash that no password has, and that costs as much to verify as `like` (or a default one). */
export function makeDecoyHash(like: string | null): string {
  const cost = (like === null ? null : parseHash(like))?.cost ?? defaultHashCost;
  return formatHash({ cost, salt: randomBytes(16), hash: randomBytes(32) });
}

function run(password: string, { cost, salt, hash }: ParsedHash): Promise<Buffer> {
  return derive('argon2id', {
    message: Buffer.from(password.normalize('NFC'), 'utf8'),
    nonce: salt,
    parallelism: cost.lanes,
    tagLength: hash.length,
    memory: cost.memoryKib,
    passes: cost.passes,
  });
}

function parseHash(text: string): ParsedHash | null {
  const match = shape.exec(text);
  if (match === null) return null;
  const [memoryKib, passes, lanes] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const isBounded =
    memoryKib <= costMax.memoryKib &&
    passes <= costMax.passes &&
    lanes <= costMax.lanes &&
    memoryKib * passes <= costMax.work;
  if (!isBounded || passes < 1 || lanes < 1 || memoryKib < 8 * lanes) return null;
  const salt = Buffer.from(match[4]!, 'base64');
  const hash = Buffer.from(match[5]!, 'base64');
  return salt.length < 8 || hash.length < 16
    ? null
    : { cost: { memoryKib, passes, lanes }, salt, hash };
}

function formatHash({ cost, salt, hash }: ParsedHash): string {
  const costs = `m=${cost.memoryKib},t=${cost.passes},p=${cost.lanes}`;
  return `$argon2id$v=19$${costs}$${withoutPadding(salt)}$${withoutPadding(hash)}`;
}

function withoutPadding(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

// Without i, l, o, 0 and 1, which people confuse.
const readable = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A random password of 24 readable characters in four groups: 118 bits. */
export function generatePassword(): string {
  const group = (): string =>
    Array.from({ length: 6 }, () => readable[randomInt(readable.length)]!).join('');
  return [group(), group(), group(), group()].join('-');
}
