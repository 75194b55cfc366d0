/** Whether a message came under TLS that somebody demanded, so that what is told of it must be protected too. */
import { requirementOfInbound } from './connector-clauses.ts';
import type { IncomingMessage } from './delivery.ts';
import { findOrganization } from './directory.ts';
import type { InboundConnector, Policy } from './policy.ts';

/**
 * When a message comes: whether one of the organization's connectors that it met demands TLS of its
 * sender, and enforces it. Kept with the message: the way back is to be no worse, whatever becomes of
 * the connector.
 */
export function isForcedBy(
  policy: Policy,
  organization: string,
  inboundConnectors: readonly string[],
): boolean {
  return connectorsOf(policy, organization).some(
    (connector) =>
      connector.mode === 'enforce' &&
      inboundConnectors.includes(connector.name) &&
      demandsTls(connector),
  );
}

/** Later: as it was when the message came. */
export function cameForced(
  policy: Policy,
  { source, organization }: Pick<IncomingMessage, 'source' | 'organization'>,
): boolean {
  if (source.kind !== 'mx' && source.kind !== 'organization') return false;
  return source.isForced ?? mayHaveBeenForced(policy, organization, source.inboundConnectors);
}

/**
 * Of mail that came before this was recorded (until November 2026) today's policy is asked. A connector
 * that demands TLS counts whatever its mode is today, as it may have enforced then; and one that is
 * gone counts as one that did. This can go when stores and backups of that time are read no more: mail
 * on hold waits without an end.
 */
function mayHaveBeenForced(
  policy: Policy,
  organization: string,
  inboundConnectors: readonly string[],
): boolean {
  const connectors = connectorsOf(policy, organization);
  return inboundConnectors.some((name) => {
    const connector = connectors.find((each) => each.name === name);
    return connector === undefined || demandsTls(connector);
  });
}

function connectorsOf(policy: Policy, organization: string): readonly InboundConnector[] {
  return findOrganization(policy, organization)?.inboundConnectors ?? [];
}

function demandsTls(connector: InboundConnector): boolean {
  return requirementOfInbound(connector).clauses.length > 0;
}
