/**
 * Whom a server had a message from, as its Received field says it.
 *
 * Only the address that the server saw counts, never what its client said: a HELO name may look like
 * an address, and stands before the comment or behind `helo=` in it. Where the two cannot be told
 * apart there is no answer.
 * @see RFC 5321 §4.4 (TCP-info)
 */
import { isIP } from 'node:net';
import type { Hop } from '../policy/original-source.ts';
import type { FieldSpan } from '../standards/message-format/header-fields.ts';
import { isNamed, unfoldValue } from '../standards/message-format/header-fields.ts';
import { toDomainText } from './received.ts';

const valueLengthMax = 2000;

/** The hops of a header's Received fields, the newest first; each read when it is asked for. */
export function* hopsOf(text: string, fields: readonly FieldSpan[]): Iterable<Hop | null> {
  for (const field of fields) {
    if (isNamed(field, 'received')) yield readReceivedFrom(unfoldValue(text, field));
  }
}

/**
 * Of the value of a Received field: the forms of Postfix, Sendmail and RFC 5321 (`name (name
 * [address])`), Exchange (`name (address)`), Exim (`[address] (helo=name)`), qmail (`name (HELO name)
 * (address)`). Null where no address can be told.
 */
export function readReceivedFrom(value: string): Hop | null {
  const bounded = value.slice(0, valueLengthMax).replaceAll('\t', ' ');
  const start = /^from +([^ ()]+) */i.exec(bounded);
  if (start === null) return null;
  const name = start[1]!;
  const comment = readComment(bounded.slice(start[0].length));
  if (comment === null) return null;
  const said = /(?:^| )(?:port=\d+ )?(?:helo|ehlo|ident)[= ]/i.exec(comment.text);
  const seen = (said === null ? comment.text : comment.text.slice(0, said.index)).trim();
  const address = seen.length > 0 ? readSeen(seen) : readBehindHelo(name, said, comment.rest);
  return address === null ? null : { address, heloName: toDomainText(name) };
}

/** Where the comment has only what the client said, the address stands before it or behind. */
function readBehindHelo(name: string, said: RegExpExecArray | null, rest: string): string | null {
  if (said === null) return null;
  if (said[0].endsWith('=')) return readBracketed(name);
  const next = readComment(rest);
  return next === null ? null : toAddress(next.text.trim());
}

function readSeen(seen: string): string | null {
  return seen.includes('[') ? readBracketed(seen) : toAddress(seen);
}

/** The last one: a name or an ident before it came from elsewhere. */
function readBracketed(text: string): string | null {
  const open = text.lastIndexOf('[');
  const close = text.indexOf(']', open);
  return open === -1 || close === -1 ? null : toAddress(text.slice(open + 1, close));
}

function toAddress(text: string): string | null {
  const bare = text.replace(/^IPv6:/i, '');
  return isIP(bare) === 0 || bare.includes('%') ? null : bare;
}

/** The comment that the text begins with, to its own closing parenthesis; null where it has none. */
function readComment(text: string): { readonly text: string; readonly rest: string } | null {
  if (!text.startsWith('(')) return null;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) {
      return { text: text.slice(1, i), rest: text.slice(i + 1).trimStart() };
    }
  }
  return null;
}
