/** Facts about delivery targets: which are inside, and what is required of them. */
import ipaddr from 'ipaddr.js';
import { isUnderDomain } from '../mail/domain.ts';

/** A Unix socket, or a host by name or address without brackets. */
type TargetPlace =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'host'; readonly host: string };

/**
 * Whether mail to it never leaves this machine: a Unix socket, a loopback address, `localhost`.
 * @see RFC 6761 §6.3
 */
export function isInside(address: TargetPlace): boolean {
  if (address.kind === 'unix') return true;
  const { host } = address;
  if (!ipaddr.isValid(host)) return isUnderDomain(host.toLowerCase(), 'localhost');
  return ipaddr.process(host).range() === 'loopback';
}
