/**
 * What the server's EHLO reply says that it can do.
 *
 * @see RFC 5321 §4.1.1.1, RFC 3207 §4.2, RFC 1870 §4, RFC 2920 §2, RFC 3030 §2, RFC 6152 §2,
 *   RFC 3461 §5.2.1 (DSN), RFC 6531 §3.1 (SMTPUTF8)
 */
import type { Reply } from '../mail/reply.ts';

/** `sizeMax` in bytes; null where SIZE is not offered, 0 where it is without a fixed maximum. */
export interface Capabilities {
  readonly hasStartTls: boolean;
  readonly hasPipelining: boolean;
  readonly hasEightBitMime: boolean;
  readonly hasChunking: boolean;
  readonly hasEnhancedStatusCodes: boolean;
  readonly hasDsn: boolean;
  readonly hasSmtpUtf8: boolean;
  readonly sizeMax: number | null;
}

/** Before any EHLO, after HELO and right after STARTTLS. */
export const noCapabilities: Capabilities = {
  hasStartTls: false,
  hasPipelining: false,
  hasEightBitMime: false,
  hasChunking: false,
  hasEnhancedStatusCodes: false,
  hasDsn: false,
  hasSmtpUtf8: false,
  sizeMax: null,
};

/** The first line is the server's name and never a keyword; unknown keywords are ignored. */
export function parseCapabilities(ehlo: Reply): Capabilities {
  const keywords = new Map<string, string>();
  for (const line of ehlo.lines.slice(1)) {
    const [keyword = '', parameter = ''] = line.trim().split(/\s+/, 2);
    keywords.set(keyword.toUpperCase(), parameter);
  }
  return {
    hasStartTls: keywords.has('STARTTLS'),
    hasPipelining: keywords.has('PIPELINING'),
    hasEightBitMime: keywords.has('8BITMIME'),
    hasChunking: keywords.has('CHUNKING'),
    hasEnhancedStatusCodes: keywords.has('ENHANCEDSTATUSCODES'),
    hasDsn: keywords.has('DSN'),
    hasSmtpUtf8: keywords.has('SMTPUTF8'),
    sizeMax: parseSize(keywords.get('SIZE')),
  };
}

function parseSize(parameter: string | undefined): number | null {
  if (parameter === undefined) return null;
  return /^\d{1,15}$/.test(parameter) ? Number(parameter) : 0;
}
