/**
 * What may stand where only a lax server sees the end of a content, and what becomes of it here.
 *
 * The list joins what the known scanners send (The-Login/SMTP-Smuggling-Tools, hannob/smtpsmug,
 * LVy-H/smtp-smuggling-lab with the table of Wang et al., USENIX Security 2025) with variants of
 * our own: of dot-stuffing, of white space, of line ends beyond ASCII, of lines so long that a
 * server may cut them in front of a dot.
 * @see RFC 5321 §2.3.8, §4.1.1.4, §4.5.2
 */

/** Enhanced code of the 550, or taken as one message. */
export type Fate = '5.6.11' | '5.6.0' | 'taken';

export interface SmugglingCase {
  readonly name: string;
  /** Bytes, one a character. */
  readonly bytes: string;
  /** Under `bareLineBreaks: refuse`, and under `normalize`. */
  readonly refuse: Fate;
  readonly normalize: Fate;
}

const bare = { refuse: '5.6.11', normalize: 'taken' } as const;
const withNul = { refuse: '5.6.0', normalize: '5.6.0' } as const;
const harmless = { refuse: 'taken', normalize: 'taken' } as const;
/** A bare line break and a NUL: the break is named first, unless it is mended. */
const bareWithNul = { refuse: '5.6.11', normalize: '5.6.0' } as const;

/** No server that keeps the rules ends a content here. */
export const smugglingCases: readonly SmugglingCase[] = [
  { name: 'LF.LF', bytes: '\n.\n', ...bare },
  { name: 'LF.CRLF', bytes: '\n.\r\n', ...bare },
  { name: 'LF.CR', bytes: '\n.\r', ...bare },
  { name: 'CR.CR', bytes: '\r.\r', ...bare },
  { name: 'CR.LF', bytes: '\r.\n', ...bare },
  { name: 'CR.CRLF', bytes: '\r.\r\n', ...bare },
  { name: 'CRLF.LF', bytes: '\r\n.\n', ...bare },
  { name: 'CRLF.CR', bytes: '\r\n.\r', ...bare },
  { name: 'CRLF.CRCRLF', bytes: '\r\n.\r\r\n', ...bare },
  { name: 'CRCRLF.CRCRLF', bytes: '\r\r\n.\r\r\n', ...bare },
  { name: 'CRCR.CRCR', bytes: '\r\r.\r\r', ...bare },
  { name: 'LFCR.LFCR', bytes: '\n\r.\n\r', ...bare },
  { name: 'LFLF.LFLF', bytes: '\n\n.\n\n', ...bare },
  { name: 'LF.CRCRLF', bytes: '\n.\r\r\n', ...bare },
  // With a second dot, that one reader takes away and the other does not.
  { name: 'LF..LF', bytes: '\n..\n', ...bare },
  { name: 'LF..CRLF', bytes: '\n..\r\n', ...bare },
  { name: 'CR..CRLF', bytes: '\r..\r\n', ...bare },
  { name: 'CRLF..LF', bytes: '\r\n..\n', ...bare },
  { name: 'CRLF..CR', bytes: '\r\n..\r', ...bare },
  { name: 'CRLF..CRLF', bytes: '\r\n..\r\n', ...harmless },
  { name: 'CRLF...CRLF', bytes: '\r\n...\r\n', ...harmless },
  { name: 'CRLF.LF.LF', bytes: '\r\n.\n.\n', ...bare },
  // With a NUL, which C programs stop at and others drop.
  { name: 'CRLF NUL.CRLF', bytes: '\r\n\0.\r\n', ...withNul },
  { name: 'CRLF.NUL CRLF', bytes: '\r\n.\0\r\n', ...withNul },
  { name: 'CR NUL LF.CRLF', bytes: '\r\0\n.\r\n', ...bareWithNul },
  { name: 'CRLF.CR NUL LF', bytes: '\r\n.\r\0\n', ...bareWithNul },
  { name: 'NUL LF.LF', bytes: '\0\n.\n', ...bareWithNul },
  { name: 'LF.NUL LF', bytes: '\n.\0\n', ...bareWithNul },
  { name: 'LF.LF NUL', bytes: '\n.\n\0', ...bareWithNul },
  // With white space and with what other worlds call the end of a line.
  { name: 'CRLF.SP CRLF', bytes: '\r\n. \r\n', ...harmless },
  { name: 'CRLF SP.CRLF', bytes: '\r\n .\r\n', ...harmless },
  { name: 'CRLF.TAB CRLF', bytes: '\r\n.\t\r\n', ...harmless },
  { name: 'NEL.NEL', bytes: '\x85.\x85', ...harmless },
  { name: 'NEL.CRLF', bytes: '\x85.\r\n', ...harmless },
  { name: 'CRLF.NEL', bytes: '\r\n.\x85', ...harmless },
  { name: 'CRLF NEL.CRLF', bytes: '\r\n\x85.\r\n', ...harmless },
  { name: 'NEL.NEL in UTF-8', bytes: '\xc2\x85.\xc2\x85', ...harmless },
  { name: 'U+2028.U+2028', bytes: '\xe2\x80\xa8.\xe2\x80\xa8', ...harmless },
  { name: 'VT.VT', bytes: '\v.\v', ...harmless },
  { name: 'FF.FF', bytes: '\f.\f', ...harmless },
  { name: 'SUB', bytes: '\r\n\x1a\r\n', ...harmless },
  { name: 'CRLF.BS CRLF', bytes: '\r\n.\b\r\n', ...harmless },
  { name: 'LF with bit 8', bytes: '\x8d\x8a.\x8d\x8a', ...harmless },
  ...[998, 1000, 1024, 2048, 4096, 8192, 16_384, 32_768].map((length) => ({
    name: `a line of ${length} octets in front of the dot`,
    bytes: `\r\n${'x'.repeat(length)}.\r\n`,
    ...harmless,
  })),
  { name: 'a line of 998 octets, LF.CRLF', bytes: `\r\n${'x'.repeat(998)}\n.\r\n`, ...bare },
  { name: 'a line of 1000 octets, CRLF.LF', bytes: `\r\n${'x'.repeat(1000)}\r\n.\n`, ...bare },
];

/** Is an end for DATA and nothing but octets for BDAT, which must be stuffed on the way out. */
export const endInChunk: SmugglingCase = { name: 'CRLF.CRLF', bytes: '\r\n.\r\n', ...harmless };

/** `first` and `last` stand in lines of their own before and behind what is smuggled. */
export interface SmugglingMessage {
  readonly id: string;
  readonly first: string;
  readonly last: string;
  /** Without the final end of the content. */
  readonly content: string;
  /** Where the bytes of the case stand within `content`. */
  readonly from: number;
  readonly to: number;
}

/** A content that hides a whole second transaction behind the bytes of the case. */
export function smugglingMessage(
  id: string,
  bytes: string,
  recipients: readonly string[],
): SmugglingMessage {
  const first = `first-line-${id}`;
  const last = `last-line-${id}`;
  const head = `From: <outer@sender.test>\r\nSubject: outer-${id}\r\n\r\n${first}`;
  const rcpt = recipients.map((address) => `RCPT TO:<${address}>\r\n`).join('');
  const hidden = `MAIL FROM:<chief@sender.test>\r\n${rcpt}DATA\r\n`;
  const second = `From: <chief@sender.test>\r\nSubject: smuggled-${id}\r\n\r\n${last}`;
  return {
    id,
    first,
    last,
    content: `${head}${bytes}${hidden}${second}`,
    from: head.length,
    to: head.length + bytes.length,
  };
}
