/**
 * The answer to EHLO, with the extensions that are on offer now, and to HELO: our name alone.
 *
 * @see RFC 5321 §4.1.1.1, RFC 2920 §3.2, RFC 1870 §4, RFC 6152 §2, RFC 2034 §4
 */
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { authMechanisms } from './server-auth.ts';
import type { ServerSessionOptions } from './server-event.ts';

export function helloReply(
  options: ServerSessionOptions,
  isExtended: boolean,
  isUnderTls: boolean,
): Reply {
  const { hostName, messageSizeBytesMax, offersStartTls, offersAuth } = options;
  if (!isExtended) return reply(250, null, hostName);
  const extensions = [
    'PIPELINING',
    `SIZE ${messageSizeBytesMax}`,
    '8BITMIME',
    'SMTPUTF8',
    'CHUNKING',
    'DSN',
  ];
  if (offersStartTls && !isUnderTls) extensions.push('STARTTLS');
  if (offersAuth && isUnderTls) extensions.push(`AUTH ${authMechanisms.join(' ')}`);
  return reply(250, null, hostName, ...extensions, 'ENHANCEDSTATUSCODES');
}
