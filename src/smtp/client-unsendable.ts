/**
 * What a server cannot take, known from its EHLO reply before anything is sent. Nothing is converted.
 *
 * @see RFC 1870 §6.2 (SIZE), RFC 6152 §3 (8BITMIME), RFC 6531 §3.5, §3.6 (SMTPUTF8)
 */
import { needsSmtpUtf8 } from '../mail/address.ts';
import type { Envelope } from '../mail/envelope.ts';
import type { Body } from './client-body.ts';
import { sizeOfBody } from './client-body.ts';
import type { Capabilities } from './client-capabilities.ts';

export interface Unsendable {
  readonly kind: 'unsendable';
  readonly problem: 'size' | '8bitmime' | 'smtputf8';
  /** One sentence without a full stop. */
  readonly detail: string;
}

/** Null where all may be sent. `body` is null for a question about recipients. */
export function findUnsendable(
  { sizeMax, hasEightBitMime, hasSmtpUtf8 }: Capabilities,
  envelope: Envelope,
  body: Body | null,
): Unsendable | null {
  const sizeBytes = body === null ? 0 : sizeOfBody(body);
  if (sizeMax !== null && sizeMax > 0 && sizeBytes > sizeMax) {
    const detail = `the message has ${inWords(sizeBytes)} and the server takes at most ${inWords(sizeMax)}`;
    return { kind: 'unsendable', problem: 'size', detail };
  }
  if (declaresUtf8(envelope) && !hasSmtpUtf8) {
    const detail =
      'the message has addresses or a header beyond ASCII, and the server does not offer SMTPUTF8';
    return { kind: 'unsendable', problem: 'smtputf8', detail };
  }
  if (envelope.bodyType === '8bitmime' && !hasEightBitMime) {
    const detail =
      'the message has 8-bit content, which is not converted, and the server does not offer 8BITMIME';
    return { kind: 'unsendable', problem: '8bitmime', detail };
  }
  return null;
}

/** Whether MAIL says SMTPUTF8: it was declared to us, or an address (of an alias) needs it. */
export function declaresUtf8({ smtpUtf8, reversePath, recipients }: Envelope): boolean {
  if (smtpUtf8 === true || recipients.some(needsSmtpUtf8)) return true;
  return reversePath !== null && needsSmtpUtf8(reversePath);
}

function inWords(bytes: number): string {
  return bytes < 10_000 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(2)} MB (${bytes} bytes)`;
}
