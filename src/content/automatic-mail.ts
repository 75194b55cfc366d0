/**
 * Whether mail says that no person waits for an answer to it, so that none is sent: two programs that
 * answer each other would go on for ever.
 * @see RFC 3834 §2 (what must not be answered), §5 (Auto-Submitted)
 */
import { scanHeaderFields, unfoldValue } from '../standards/message-format/header-fields.ts';

const bulk: ReadonlySet<string> = new Set(['bulk', 'junk', 'list', 'auto_reply']);

/**
 * The reason, completing "not answered, since …"; null where it may be answered. What cannot be read for
 * certain may not: it could hide what it says. `header` with or without its empty line.
 */
export function whyAutomatic(header: Buffer): string | null {
  const text = header.toString('latin1');
  const { fields, problems } = scanHeaderFields(text);
  if (problems.some((problem) => problem !== 'unterminated')) return 'its header is malformed';
  for (const field of fields) {
    const value = unfoldValue(text, field).trim().toLowerCase();
    const reason = judgeField(field.name.toLowerCase(), value);
    if (reason !== null) return reason;
  }
  return null;
}

/** What a value holds besides its word (comments, parameters) changes nothing. */
function judgeField(name: string, value: string): string | null {
  switch (name) {
    case 'auto-submitted':
      return /^no\b/.test(value) ? null : 'it was sent by a program (Auto-Submitted)';
    case 'precedence':
      return bulk.has(value) ? `its Precedence is ${value}` : null;
    case 'x-auto-response-suppress':
      return /\b(all|autoreply)\b/.test(value) ? 'it asks for no automatic answer' : null;
    case 'list-id':
    case 'list-unsubscribe':
      return 'it comes from a mailing list';
    default:
      return null;
  }
}
