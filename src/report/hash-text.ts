/** The hash that links and cites records. */
import { hash } from 'node:crypto';

/** SHA-256 of a text's UTF-8 bytes, base64url without padding. */
export function hashText(text: string): string {
  return hash('sha256', text, 'base64url');
}
