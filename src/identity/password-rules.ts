/**
 * Which new passwords people may choose: long, and not their name.
 *
 * Length is what counts; rules on kinds of characters only make people write them down.
 * @see RFC 8265 §4.1
 */
import { passwordBytesMax } from './password-hash.ts';

/** Characters. */
export const passwordLengthMin = 12;

/** Why a password is refused, as the end of a sentence; null where it is taken. */
export function judgePassword(password: string, names: readonly string[]): string | null {
  const text = password.normalize('NFC');
  const { length } = Array.from(text);
  if (length < passwordLengthMin) return `has fewer than ${passwordLengthMin} characters`;
  if (Buffer.byteLength(text) > passwordBytesMax) return `has more than ${passwordBytesMax} bytes`;
  // oxlint-disable-next-line eslint/no-control-regex -- controls are what it looks for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'has control characters';
  if (new Set(text).size < 4) return 'repeats the same few characters';
  const lower = text.toLowerCase();
  for (const name of names.flatMap(partsOf)) {
    const rest = lower.replaceAll(name, '');
    if (rest.length < lower.length && rest.length < passwordLengthMin / 2) {
      return 'is little more than the name';
    }
  }
  return null;
}

/** The name, and what stands before its @. Short ones are in too many words. */
function partsOf(name: string): string[] {
  const lower = name.normalize('NFC').toLowerCase();
  return [lower, lower.split('@')[0]!].filter((part) => part.length >= 3);
}
