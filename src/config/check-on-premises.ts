/**
 * Checks between keys of an inbound OnPremises connector, which names your own servers and grants
 * them relay.
 *
 * RequireTls and RestrictDomainsToCertificate act here too, though Exchange ignores them (ADR 23).
 */
import { checkProof } from './check-client-certificate.ts';
import type { Refuse } from './check-outbound.ts';
import type { ParsedInbound } from './schema-connectors.ts';

export function checkOnPremises(value: ParsedInbound, refuse: Refuse): void {
  const isNamed =
    value.tlsSenderCertificateName.length > 0 ||
    value.pins.length > 0 ||
    value.senderIPAddresses.length > 0;
  if (!isNamed) {
    const text =
      'OnPremises names no server of yours, so it grants nothing: give tlsSenderCertificateName, pins or senderIPAddresses';
    refuse('connectorType', text);
  }
  checkProof(value, refuse);
  refuseScope(value, refuse);
  if (value.treatMessagesAsInternal && value.cloudServicesMailEnabled) {
    const text =
      'cannot be with cloudServicesMailEnabled: true, by which Exchange itself says what is internal. Keep one of the two';
    refuse('treatMessagesAsInternal', text);
  }
}

/** What scopes a Partner connector does nothing here. */
function refuseScope(value: ParsedInbound, refuse: Refuse): void {
  if (value.senderDomains.some(({ kind }) => kind !== 'any') || value.senderDomains.length === 0) {
    const text =
      'has no effect on OnPremises, whose servers are named by certificate or address: write "*", or leave it out';
    refuse('senderDomains', text);
  }
  const why = 'has no effect on OnPremises, which has no sender domains; remove it';
  if (value.except.length > 0) refuse('except', why);
  if (value.alsoHeaderFrom) refuse('alsoHeaderFrom', why);
  if (value.restrictDomainsToIPAddresses) {
    const text =
      'has no effect on OnPremises: senderIPAddresses name your own servers, and mail from elsewhere is not theirs. A Partner connector restricts';
    refuse('restrictDomainsToIPAddresses', text);
  }
  if (value.associatedAcceptedDomains.length > 0) {
    const text =
      'has no effect on OnPremises: a server of yours is yours for mail to every domain. A Partner connector is scoped by it';
    refuse('associatedAcceptedDomains', text);
  }
  if (value.trustedOrganizations.length > 0) {
    const text =
      'has no effect on OnPremises: mail of another organization of this gateway is never from your own servers. A Partner connector takes it';
    refuse('trustedOrganizations', text);
  }
}
