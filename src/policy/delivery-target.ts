/** Facts about delivery targets: which are inside, and what is required of them. */
import ipaddr from 'ipaddr.js';
import { isUnderDomain } from '../mail/domain.ts';

/** A Unix socket, or a host by name or address without brackets. */
type TargetPlace =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'host'; readonly host: string };

/**
 * Whether mail to it never leaves this machine: a Unix socket, a loopback address, `localhost`. Other
 * spellings that some programs read as an address, as `0x7f000001`, are names that DNS is asked for.
 * @see RFC 6761 §6.3
 */
export function isInside(address: TargetPlace): boolean {
  if (address.kind === 'unix') return true;
  const { host } = address;
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host);
  if (!isAddress) return isUnderDomain(host.toLowerCase(), 'localhost');
  return ipaddr.process(host).range() === 'loopback';
}
