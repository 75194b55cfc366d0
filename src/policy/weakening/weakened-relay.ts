/** Who may newly relay through an OnPremises connector, or is newly believed. */
import { formatDomainPattern } from '../../mail/domain-pattern.ts';
import { addedRanges } from '../address-cover.ts';
import { findDropped, isKnownByCertificate } from './certificate-identity.ts';
import type { InboundConnector, Organization } from '../policy.ts';
import { describeDropped } from './weakened-demands.ts';
import type { ConnectorLoss } from './weakened-inbound.ts';

/** `was` are the connectors of the organization before, or of whoever had its domains. */
export function newlyRelaying(
  was: readonly InboundConnector[],
  { inboundConnectors }: Organization,
): readonly ConnectorLoss[] {
  const byName = new Map(was.filter(isOwn).map((each) => [each.name, each]));
  return inboundConnectors.filter(isOwn).flatMap((today) => {
    const earlier = byName.get(today.name) ?? null;
    const losses = [...newServers(earlier, today), ...newTrust(earlier, today)];
    return losses.length === 0 ? [] : [{ connector: today.name, what: losses.join(' and ') }];
  });
}

/** It knows its servers in every mode. */
function isOwn({ enabled, connectorType }: InboundConnector): boolean {
  return enabled && connectorType === 'OnPremises';
}

/** By address, or by certificate: either is enough. */
function newServers(earlier: InboundConnector | null, today: InboundConnector): string[] {
  const ranges = addedRanges(earlier?.senderIPAddresses ?? [], today.senderIPAddresses);
  const isNew = earlier === null || !isKnownByCertificate(earlier);
  const servers = [...ranges, ...(isNew ? certificatesOf(today) : [])];
  const lost =
    isNew || !isKnownByCertificate(today) ? [] : describeDropped(findDropped(earlier, today));
  return [
    ...(servers.length === 0 ? [] : [`lets relay ${servers.join(', ')}`]),
    ...lost.map((what) => `${what} of servers that may relay`),
    ...(isNew ? [] : newNames(earlier, today)),
  ];
}

/**
 * Known by key alone, a server may relay under any MAIL FROM only where what its certificate says is
 * an accepted domain; where a name is given, that counts, and a wildcard speaks for more.
 */
function newNames(earlier: InboundConnector, today: InboundConnector): string[] {
  if (earlier.tlsSenderCertificateNames.length > 0) return [];
  const names = today.tlsSenderCertificateNames.filter(({ kind }) => kind === 'wildcard');
  if (names.length === 0) return [];
  return [`lets relay ${names.map(formatDomainPattern).join(', ')} under any MAIL FROM`];
}

function certificatesOf({ tlsSenderCertificateNames, pins }: InboundConnector): readonly string[] {
  return [
    ...tlsSenderCertificateNames.map(formatDomainPattern),
    ...pins.map((pin) => `the key ${pin}`),
  ];
}

function newTrust(earlier: InboundConnector | null, today: InboundConnector): string[] {
  const lost: string[] = [];
  if (today.cloudServicesMailEnabled && !earlier?.cloudServicesMailEnabled) {
    lost.push('believes what its servers say in X-MS-Exchange-CrossPremises fields');
  }
  if (today.treatMessagesAsInternal && !earlier?.treatMessagesAsInternal) {
    lost.push('takes mail of its servers for internal');
  }
  return lost;
}
