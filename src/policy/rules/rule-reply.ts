/** What the client is told where a rule refuses a message, or cannot be decided. */
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { parseEnhancedStatus } from '../../mail/enhanced-status.ts';
import type { Reply } from '../../mail/reply.ts';
import { reply } from '../../mail/reply.ts';

/** Exchange's text where a rule gives none. */
export const defaultRejectText = 'Delivery not authorized, message refused';
/** Characters of a reason. */
export const rejectTextLengthMax = 1024;

/** A reply line has at most 512 octets with code and status. @see RFC 5321 §4.5.3.1.5 */
const lineLengthMax = 400;
const marker = 'TRANSPORT.RULES.RejectMessage';

export function rejectReply(enhancedStatus: string, text: string): Reply {
  const status = parseEnhancedStatus(enhancedStatus) === null ? '5.7.1' : enhancedStatus;
  return reply(550, status, ...toLines(`${marker}; ${text}`));
}

/** Rules have sent the message elsewhere too often, and would once more. */
export function loopReply(rule: string): Reply {
  const text = `${marker}; the rule "${rule}" would send the message elsewhere again: it is in a loop`;
  return reply(550, '5.7.128', ...toLines(text));
}

export function deferReply(rule: string, reason: string): Reply {
  const text = `TRANSPORT.RULES.Deferred; the rule "${rule}" cannot be decided: ${reason}`;
  return reply(451, '4.7.1', ...toLines(text));
}

function toLines(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of sanitize(text).split(' ')) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length > lineLengthMax) {
      lines.push(line);
      line = '';
    }
    while (rest.length > lineLengthMax) {
      lines.push(rest.slice(0, lineLengthMax));
      rest = rest.slice(lineLengthMax);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  return [...lines, line];
}

/** In pieces, since the sanitizer ends a text after 512 characters. */
function sanitize(text: string): string {
  return (text.match(/[^]{1,256}/gu) ?? []).map(sanitizePeerText).join('');
}
