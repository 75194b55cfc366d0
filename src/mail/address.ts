/**
 * Mail addresses of the envelope: local-part and domain, as data.
 *
 * @see RFC 5321 §4.1.2 (Mailbox grammar), §4.5.3.1 (64 octets local-part, 255 domain, 256 path),
 *   RFC 6531 §3.3 (UTF-8 in local-parts)
 */
import { parseDomain } from './domain.ts';
import { sanitizePeerText } from './peer-text.ts';

/**
 * `localPart` is kept as written, without quotes (`"a b"@x` holds `a b`); `domain` is a lower-case
 * A-label name or an address literal in brackets, as `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
 */
export interface Address {
  readonly localPart: string;
  readonly domain: string;
}

/** The sender of an envelope; null is the null reverse-path `<>`. */
export type ReversePath = Address | null;

const atomText = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/;
const quotedText = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*)"$/;
// The same with characters beyond ASCII; those that are unsafe to show are refused before.
const utf8AtomText =
  /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+)*$/u;
const utf8QuotedText = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e\u0080-\u{10ffff}]|\\[\x20-\x7e])*)"$/u;
const nonAscii = /[^\x00-\x7f]/;
const literal = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\]$/i;

/** Null where the text is no Mailbox of RFC 5321. Source routes are the path parser's concern. */
export function parseAddress(text: string): Address | null {
  return parseMailbox(text, parseLocalPart);
}

/** As `parseAddress`, with a local-part that may hold UTF-8: for mail that declares SMTPUTF8. */
export function parseUtf8Address(text: string): Address | null {
  return parseMailbox(text, parseUtf8LocalPart);
}

/** Whether the address can only travel where SMTPUTF8 is offered; domains are A-labels always. */
export function needsSmtpUtf8(address: Address): boolean {
  return nonAscii.test(address.localPart);
}

function parseMailbox(
  text: string,
  readLocalPart: (text: string) => string | null,
): Address | null {
  if (text.length > 320) return null;
  const at = text.lastIndexOf('@');
  if (at <= 0) return null;
  const localPart = readLocalPart(text.slice(0, at));
  const host = text.slice(at + 1);
  const domain = literal.test(host) ? host : parseDomain(host);
  if (localPart === null || domain === null) return null;
  return { localPart, domain };
}

function parseLocalPart(text: string): string | null {
  if (text.length > 64) return null;
  if (atomText.test(text)) return text;
  const quoted = quotedText.exec(text);
  return quoted === null ? null : quoted[1]!.replace(/\\(.)/g, '$1');
}

function parseUtf8LocalPart(text: string): string | null {
  if (!nonAscii.test(text)) return parseLocalPart(text);
  if (new TextEncoder().encode(text).length > 64 || sanitizePeerText(text) !== text) return null;
  if (utf8AtomText.test(text)) return text;
  const quoted = utf8QuotedText.exec(text);
  return quoted === null ? null : quoted[1]!.replace(/\\(.)/g, '$1');
}

/** The address as it goes on the wire, without angle brackets; quoted where the grammar asks it. */
export function formatAddress(address: Address): string {
  const { localPart, domain } = address;
  if (utf8AtomText.test(localPart)) return `${localPart}@${domain}`;
  return `"${localPart.replace(/["\\]/g, '\\$&')}"@${domain}`;
}

/** `<a@b>`, or `<>` for the null reverse-path. */
export function formatPath(path: ReversePath): string {
  return path === null ? '<>' : `<${formatAddress(path)}>`;
}

/** Equality for accepted domains of ours: local-parts of our own mailboxes ignore case. */
export function isSameMailbox(a: Address, b: Address): boolean {
  return a.domain === b.domain && a.localPart.toLowerCase() === b.localPart.toLowerCase();
}
