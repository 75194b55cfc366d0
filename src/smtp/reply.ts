/**
 * SMTP replies on the wire: formatting for the server, reading for the client.
 *
 * @see RFC 5321 §4.2, RFC 2034 §4 (the enhanced status on every line)
 */
import type { EnhancedStatus } from '../mail/enhanced-status.ts';
import { formatEnhancedStatus, parseEnhancedStatus } from '../mail/enhanced-status.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Reply } from '../mail/reply.ts';

/** Longest reply line that is read, in octets with CRLF; longer ones end the dialogue. */
export const replyLineBytesMax = 4096;
/** Most lines of one reply. */
export const replyLinesMax = 128;

// RFC 5321 §4.5.3.1.5 allows 512 octets with code, CRLF and enhanced status.
const textLengthMax = 480;
const unprintable = /[^\x20-\x7e]/g;
const unprintableOnce = /[^\x20-\x7e]/;

/** `utf8` only to a client that declared SMTPUTF8. @see RFC 6531 §3.7.4 */
export type ReplyText = 'ascii' | 'utf8';

/**
 * The reply as it goes on the wire, with CRLF after each line.
 *
 * Text outside of printable ASCII becomes `?`, so that nothing can split a reply; lines above 480
 * characters are continued on a line of their own. With `utf8` what is safe to show stays.
 * @see RFC 5321 §4.2.1
 */
export function formatReply(reply: Reply, text: ReplyText = 'ascii'): string {
  const clean = { ...reply, lines: reply.lines.map((line) => cleanText(line, text)) };
  return formatLines(clean);
}

function cleanText(line: string, text: ReplyText): string {
  if (text === 'utf8' && unprintableOnce.test(line)) return sanitizePeerText(line);
  return line.replace(unprintable, '?');
}

/** A character beyond ASCII takes up to four octets. */
function lengthMaxOf(text: string): number {
  return unprintableOnce.test(text) ? textLengthMax / 4 : textLengthMax;
}

function formatLines(reply: Reply): string {
  const status = reply.status === null ? '' : formatEnhancedStatus(reply.status);
  const last = reply.lines.length - 1;
  if (last === 0 && reply.lines[0]!.length <= lengthMaxOf(reply.lines[0]!)) {
    return formatLine(`${reply.code} `, status, reply.lines[0]!);
  }
  const texts = reply.lines.flatMap(wrapText);
  return texts
    .map((text, i) =>
      formatLine(`${reply.code}${i === texts.length - 1 ? ' ' : '-'}`, status, text),
    )
    .join('');
}

function formatLine(start: string, status: string, text: string): string {
  if (status === '') return `${start}${text}\r\n`;
  return text === '' ? `${start}${status}\r\n` : `${start}${status} ${text}\r\n`;
}

function wrapText(text: string): string[] {
  const parts: string[] = [];
  const lengthMax = lengthMaxOf(text);
  let rest = text;
  while (rest.length > lengthMax) {
    const space = rest.lastIndexOf(' ', lengthMax);
    // Never between the halves of a surrogate pair.
    const isPair = /[\ud800-\udbff]/.test(rest[lengthMax - 1]!);
    const cut = space > 0 ? space : lengthMax - (isPair ? 1 : 0);
    parts.push(rest.slice(0, cut));
    rest = rest.slice(space > 0 ? cut + 1 : cut);
  }
  parts.push(rest);
  return parts;
}

/** The one reply that `text` is, CRLF at its end included; null where it is none or not one. */
export function parseReply(text: string): Reply | null {
  const reader = new ReplyReader();
  const replies = reader.feed(Buffer.from(text));
  return replies.length === 1 && !reader.hasPartial && reader.problem === null ? replies[0]! : null;
}

const lineShape = /^([2-5]\d\d)(?:([ -])(.*))?$/s;

/**
 * Reads replies out of a stream of bytes, however it is cut.
 *
 * Lines end in CRLF only. Texts of the peer are sanitized here.
 */
export class ReplyReader {
  #rest: Buffer = Buffer.alloc(0);
  #code = 0;
  #texts: string[] = [];
  #problem: string | null = null;

  /** Why the stream is no SMTP any more; null while it is. Then `feed` returns nothing further. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Whether bytes beyond the last complete reply are held: before STARTTLS there must be none. */
  get hasPartial(): boolean {
    return this.#rest.length > 0 || this.#texts.length > 0;
  }

  /** The replies that these bytes complete, in order; often none. */
  feed(bytes: Buffer): Reply[] {
    const replies: Reply[] = [];
    if (this.#problem !== null) return replies;
    const input = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (;;) {
      const end = input.indexOf('\r\n', at, 'latin1');
      // Of a line that is not whole yet the CR may be there already.
      const isTooLong =
        end === -1 ? input.length - at > replyLineBytesMax - 1 : end - at > replyLineBytesMax - 2;
      if (isTooLong) {
        this.#problem = `reply line longer than ${replyLineBytesMax} octets`;
        return replies;
      }
      if (end === -1) break;
      const reply = this.#takeLine(input.toString('utf8', at, end));
      if (this.#problem !== null) return replies;
      if (reply !== null) replies.push(reply);
      at = end + 2;
    }
    this.#rest = at === input.length ? Buffer.alloc(0) : input.subarray(at);
    return replies;
  }

  #takeLine(line: string): Reply | null {
    const match = lineShape.exec(line);
    if (match === null) return this.#fail(`not an SMTP reply: ${sanitizePeerText(line)}`);
    const code = Number(match[1]);
    if (this.#texts.length === 0) this.#code = code;
    else if (code !== this.#code) return this.#fail('reply whose lines have different codes');
    if (this.#texts.length === replyLinesMax) {
      return this.#fail(`reply of more than ${replyLinesMax} lines`);
    }
    this.#texts.push(match[3] ?? '');
    if (match[2] === '-') return null;
    const texts = this.#texts;
    this.#texts = [];
    return assemble(code, texts);
  }

  #fail(problem: string): null {
    this.#problem = problem;
    return null;
  }
}

const statusStart = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/;

/** The first line's enhanced status is the reply's, where its class is that of the code. */
function assemble(code: number, texts: readonly string[]): Reply {
  const written = statusStart.exec(texts[0]!)?.[1];
  const status: EnhancedStatus | null = written === undefined ? null : parseEnhancedStatus(written);
  if (written === undefined || status?.class !== Math.floor(code / 100)) {
    return { code, status: null, lines: texts.map(sanitizePeerText) };
  }
  const lines = texts.map((text) => {
    if (text === written) return '';
    return sanitizePeerText(text.startsWith(`${written} `) ? text.slice(written.length + 1) : text);
  });
  return { code, status, lines };
}
