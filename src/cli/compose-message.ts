/**
 * A small text message as RFC 5322 wants it: Date, Message-ID, From, To, Subject, MIME.
 *
 * For `send`. Everything is ASCII on the wire, so that it passes servers without 8BITMIME.
 * @see RFC 5322 §3.6, RFC 2045 §6.8, RFC 2047 §2
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';

/** `body` has any line ends. `uniqueText` makes the Message-ID unique: letters, digits, `-`. */
export interface TextMessage {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly subject: string;
  readonly body: string;
  readonly nowMs: number;
  readonly uniqueText: string;
}

/** The whole content, CRLF line ends. */
export function composeMessage(message: TextMessage): Buffer {
  const { from, to, subject, nowMs, uniqueText } = message;
  const encoded = encodeBody(message.body);
  const fields = [
    `Date: ${formatMailDate(nowMs)}`,
    `From: ${formatAddress(from)}`,
    `To: ${to.map(formatAddress).join(',\r\n ')}`,
    `Subject: ${encodeSubject(subject)}`,
    `Message-ID: <${uniqueText}@${from.domain}>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${encoded.encoding}`,
  ];
  return Buffer.from(`${fields.join('\r\n')}\r\n\r\n${encoded.text}`, 'latin1');
}

/** `Sun, 22 Nov 2026 10:00:00 +0000`. @see RFC 5322 §3.3 */
export function formatMailDate(nowMs: number): string {
  return new Date(nowMs).toUTCString().replace('GMT', '+0000');
}

function encodeBody(body: string): { readonly encoding: '7bit' | 'base64'; readonly text: string } {
  const lines = body.split(/\r\n|\r|\n/);
  if (lines.at(-1) !== '') lines.push('');
  const text = lines.join('\r\n');
  const isPlain = lines.every((line) => line.length <= 998 && /^[\t\x20-\x7e]*$/.test(line));
  if (isPlain) return { encoding: '7bit', text };
  const wrapped =
    Buffer.from(text, 'utf8')
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return { encoding: 'base64', text: `${wrapped.join('\r\n')}\r\n` };
}

/** Controls become spaces: a subject cannot add header fields. */
function encodeSubject(subject: string): string {
  const clean = subject.replace(/[\u0000-\u001f\u007f]+/g, ' ');
  const isPlain = /^[\x20-\x7e]*$/.test(clean) && clean.length <= 60 && !clean.includes('=?');
  if (isPlain) return clean;
  return splitUtf8(clean, 45)
    .map((part) => `=?utf-8?B?${Buffer.from(part, 'utf8').toString('base64')}?=`)
    .join('\r\n ');
}

/** Parts of at most `bytesMax` bytes of UTF-8, never within a character. */
function splitUtf8(text: string, bytesMax: number): string[] {
  const parts: string[] = [];
  let part = '';
  let bytes = 0;
  for (const character of text.toWellFormed()) {
    const size = Buffer.byteLength(character);
    if (bytes + size > bytesMax) {
      parts.push(part);
      part = '';
      bytes = 0;
    }
    part += character;
    bytes += size;
  }
  return [...parts, part];
}
