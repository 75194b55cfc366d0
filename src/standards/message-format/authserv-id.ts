/**
 * The authserv-id of an Authentication-Results field: who claims to have checked the message.
 *
 * Pure, on an unfolded value. For the header firewall, which removes claims in our own name.
 * @see RFC 8601 §2.2, RFC 5322 §3.2.2 (comments and white space), RFC 2045 §5.1 (token)
 */

/** What stands before the id is read up to this many characters. */
const lengthMax = 4096;
const token = /[^\s()<>@,;:\\"/[\]?=]+/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;

/** As written, unquoted; null where no id can be told from the text. The version behind it is not read. */
export function parseAuthservId(value: string): string | null {
  const text = value.length > lengthMax ? value.slice(0, lengthMax) : value;
  const start = skipCommentsAndSpace(text);
  if (start === null) return null;
  const kind = text[start] === '"' ? quoted : token;
  kind.lastIndex = start;
  const match = kind.exec(text);
  if (match === null) return null;
  const id = kind === quoted ? match[1]!.replace(/\\(.)/g, '$1') : match[0];
  return id.length === 0 ? null : id;
}

/** The index of what follows; null where a comment does not end. */
function skipCommentsAndSpace(text: string): number | null {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (sign === '(') depth++;
    else if (depth === 0) {
      if (sign.trim() !== '') return at;
    } else if (sign === ')') depth--;
    else if (sign === '\\') at++;
  }
  return null;
}
