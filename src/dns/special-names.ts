/**
 * Names that are answered without asking a server: IP addresses, address literals and localhost.
 *
 * @see RFC 6761 §6.3, RFC 5321 §4.1.3
 */
import net from 'node:net';
import ipaddr from 'ipaddr.js';
import { isUnderDomain } from '../mail/domain.ts';
import type { HostAddress } from './resolver.ts';
import { ttlSecondsMax } from './question.ts';
import type { AnswerTo, QuestionType } from './question.ts';

/** The address in `192.0.2.1`, `2001:db8::1`, `[192.0.2.1]` or `[IPv6:2001:db8::1]`; else null. */
export function parseAddressName(text: string): HostAddress | null {
  const inner = /^\[(?:IPv6:)?([^\]]*)\]$/i.exec(text)?.[1] ?? text;
  const family = net.isIP(inner);
  if (family === 4) return { address: inner, family };
  if (family !== 6 || inner.includes('%')) return null;
  return { address: canonicalIpv6(inner), family };
}

/** By way of the platform: `ipaddr.js` reads the old form `::192.0.2.1` as a v4-mapped address. */
function canonicalIpv6(text: string): string {
  const hostname = URL.parse(`http://[${text}]/`)!.hostname;
  return ipaddr.IPv6.parse(hostname.slice(1, -1)).toString();
}

/** The answer about a name under `localhost`, or null for every other name. */
export function answerLocalhost<T extends QuestionType>(type: T, name: string): AnswerTo<T> | null {
  if (!isUnderDomain(name, 'localhost')) return null;
  const address = type === 'A' ? '127.0.0.1' : type === 'AAAA' ? '::1' : null;
  if (address === null) return { kind: 'no-data', isAuthentic: false };
  const answer: AnswerTo<'A'> = {
    kind: 'found',
    records: [address],
    isAuthentic: false,
    ttlSeconds: ttlSecondsMax,
  };
  return answer as AnswerTo<T>;
}
