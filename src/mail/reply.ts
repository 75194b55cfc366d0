/** SMTP replies as data; the wire form belongs to the smtp room. @see RFC 5321 §4.2 */
import type { EnhancedStatus } from './enhanced-status.ts';
import { status } from './enhanced-status.ts';

/**
 * `code` 200..599; `status` null where the peer gave none or the reply has none (greeting, EHLO,
 * 3yz); `lines` at least one, without the code, the enhanced status, CR or LF.
 */
export interface Reply {
  readonly code: number;
  readonly status: EnhancedStatus | null;
  readonly lines: readonly string[];
}

/** For literals in code: `reply(550, '5.1.1', 'no such mailbox')`; no status where null. */
export function reply(code: number, enhanced: string | null, ...lines: string[]): Reply {
  return { code, status: enhanced === null ? null : status(enhanced), lines };
}

export function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 400;
}
