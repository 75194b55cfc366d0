/**
 * Domain names as Postern keeps them: lower-case A-labels without a trailing dot.
 *
 * For every room; U-labels are only shown, never stored or compared.
 * @see RFC 5321 §2.3.5, RFC 5890, UTS 46
 */

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * The canonical form of a domain name, or null where the text is no domain name.
 *
 * Accepts U-labels and any case; one trailing dot is dropped. An address literal is not a domain,
 * and neither is a name whose last label is all digits (it would be read as an IPv4 address).
 */
export function parseDomain(text: string): string | null {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text;
  if (bare.length === 0 || bare.length > 253) return null;
  const ascii = isAscii(bare) ? bare.toLowerCase() : toAscii(bare);
  if (ascii === null || ascii.length > 253) return null;
  const labels = ascii.split('.');
  if (!labels.every((part) => label.test(part))) return null;
  return /^\d+$/.test(labels.at(-1)!) ? null : ascii;
}

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

/** UTS 46 by way of the URL parser; characters that a URL would read as syntax are refused first. */
function toAscii(text: string): string | null {
  if (/[\s/\\?#@:%[\]<>^|]/.test(text)) return null;
  const url = URL.parse(`http://${text}/`);
  return url === null || url.hostname.length === 0 ? null : url.hostname;
}

/** Whether `domain` is `ancestor` itself or lies under it. Both in canonical form. */
export function isUnderDomain(domain: string, ancestor: string): boolean {
  return domain === ancestor || domain.endsWith(`.${ancestor}`);
}
