/**
 * The parameters by which a client asks for delivery status notifications: RET and ENVID of MAIL,
 * NOTIFY and ORCPT of RCPT. Read strictly; what is written here is read back the same.
 *
 * @see RFC 3461 §4.1 to §4.4, RFC 6533 §3 (ORCPT of type utf-8)
 */
import { isUtf8 } from 'node:buffer';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { NotifyOn, OriginalRecipient } from '../mail/recipient.ts';
import { formatUtf8Address, parseUtf8Address } from '../standards/dsn/utf8-address.ts';
import { formatXtext, parseXtext } from '../standards/dsn/xtext.ts';

/** Longest ENVID and ORCPT as written, in characters. */
export const envelopeIdLengthMax = 100;
export const originalRecipientLengthMax = 500;

const printable = /^[\x20-\x7e]+$/;
const notifyWords: Readonly<Record<string, NotifyOn>> = {
  SUCCESS: 'success',
  FAILURE: 'failure',
  DELAY: 'delay',
};
const addressType = /^[A-Za-z0-9!#$%&'*/?^_`{|}~.-]{1,64}$/;
const nonAscii = /[^\x00-\x7f]/gu;

export function parseRet(value: string): 'full' | 'headers' | null {
  const word = value.toUpperCase();
  if (word === 'FULL') return 'full';
  return word === 'HDRS' ? 'headers' : null;
}

export function formatRet(ret: 'full' | 'headers'): string {
  return ret === 'full' ? 'FULL' : 'HDRS';
}

/** The decoded identifier, printable ASCII; null where the value is none. */
export function parseEnvelopeId(value: string): string | null {
  if (value.length > envelopeIdLengthMax) return null;
  const text = parseXtext(value);
  return text !== null && printable.test(text) ? text : null;
}

/** Whether MAIL can carry the identifier. */
export function isEnvelopeId(text: string): boolean {
  return printable.test(text) && formatXtext(text).length <= envelopeIdLengthMax;
}

export function formatEnvelopeId(envelopeId: string): string {
  return formatXtext(envelopeId);
}

/** Empty for NEVER, which stands alone; null where a word is unknown or comes twice. */
export function parseNotify(value: string): readonly NotifyOn[] | null {
  const words = value.toUpperCase().split(',');
  if (words.length === 1 && words[0] === 'NEVER') return [];
  const notify = words.map((word) =>
    Object.hasOwn(notifyWords, word) ? notifyWords[word]! : null,
  );
  const known = notify.filter((word) => word !== null);
  return known.length === words.length && new Set(known).size === words.length ? known : null;
}

export function formatNotify(notify: readonly NotifyOn[]): string {
  return notify.length === 0 ? 'NEVER' : notify.join(',').toUpperCase();
}

/** `type;address`, decoded; the type in lower case. Null where the value is none. */
export function parseOriginalRecipient(value: string): OriginalRecipient | null {
  const semicolon = value.indexOf(';');
  if (semicolon === -1 || value.length > originalRecipientLengthMax) return null;
  const type = value.slice(0, semicolon);
  if (!addressType.test(type)) return null;
  const written = value.slice(semicolon + 1);
  const isUtf8Type = type.toLowerCase() === 'utf-8';
  const text = isUtf8Type ? parseUtf8Text(written) : parseXtext(written);
  if (text === null) return null;
  if (isUtf8Type || printable.test(text)) return { type: type.toLowerCase(), text };
  return type.toLowerCase() === 'rfc822' ? parseUtf8Octets(text) : null;
}

/** Postfix 3.7 writes the octets of an address beyond ASCII as xtext under `rfc822`. */
function parseUtf8Octets(octets: string): OriginalRecipient | null {
  const bytes = Buffer.from(octets, 'latin1');
  const text = bytes.toString('utf8');
  const isText = text !== '' && isUtf8(bytes) && sanitizePeerText(text) === text;
  return isText ? { type: 'utf-8', text } : null;
}

/** Always ASCII, so that it may go to a server without SMTPUTF8. */
export function formatOriginalRecipient({ type, text }: OriginalRecipient): string {
  return `${type};${type === 'utf-8' ? formatUtf8Address(text) : formatXtext(text)}`;
}

/** Characters beyond ASCII may be raw or embedded as `\\x{…}`; what is unsafe to show is refused. */
function parseUtf8Text(written: string): string | null {
  const embedded = written.replace(nonAscii, (char) => formatUtf8Address(char));
  const text = parseUtf8Address(embedded);
  return text === null || text === '' || sanitizePeerText(text) !== text ? null : text;
}
