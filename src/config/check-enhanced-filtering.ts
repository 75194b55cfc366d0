/**
 * Checks of enhanced filtering (skip listing) on an inbound connector.
 *
 * @see New-InboundConnector, EFSkipLastIP, EFSkipIPs, EFUsers
 */
import { formatAddress } from '../mail/address.ts';
import { isAccepted } from './check-organization.ts';
import type { Located, Parts, Report } from './parts.ts';
import type { ParsedInbound } from './schema-connectors.ts';

export function checkEnhancedFiltering(
  parts: Parts,
  { value, path }: Located<ParsedInbound>,
  report: Report,
): void {
  const { efSkipLastIP, efSkipIPs, efUsers } = value;
  if (efSkipLastIP && efSkipIPs.length > 0) {
    const text = 'acts only with efSkipLastIP: false; keep one of the two';
    report({ path: [...path, 'efSkipIPs'], at: 'key', text });
  }
  if (efUsers.length > 0 && !efSkipLastIP && efSkipIPs.length === 0) {
    const text = 'acts only with efSkipLastIP: true or efSkipIPs, without which nothing is skipped';
    report({ path: [...path, 'efUsers'], at: 'key', text });
  }
  if (!parts.acceptedDomainsAreWhole) return;
  efUsers.forEach((address, place) => {
    if (isAccepted(parts, address.domain)) return;
    const text = `${formatAddress(address)} is in no accepted domain: no mail for it comes here`;
    report({ path: [...path, 'efUsers', place], at: 'value', text });
  });
}
