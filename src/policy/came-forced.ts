/** Whether a message came under TLS that somebody demanded, so that what is told of it must be protected too. */
import type { IncomingMessage } from './delivery.ts';
import { findOrganization } from './directory.ts';
import type { InboundConnector, Policy } from './policy.ts';

/**
 * A connector under which it came demands TLS of its sender: the way back is to be no worse. Of one
 * that is gone nobody knows any more, and so it counts as one that did. What another organization of
 * this gateway handed over was forced where it was so there.
 */
export function cameForced(
  policy: Policy,
  { source, organization }: Pick<IncomingMessage, 'source' | 'organization'>,
): boolean {
  if (source.kind === 'organization' && source.isForced === true) return true;
  const isFromSession = source.kind === 'mx' || source.kind === 'organization';
  if (!isFromSession || source.inboundConnectors.length === 0) return false;
  const connectors = findOrganization(policy, organization)?.inboundConnectors ?? [];
  return source.inboundConnectors.some((name) => {
    const connector = connectors.find((each) => each.name === name);
    return connector === undefined || demandsTls(connector);
  });
}

/** Whatever its mode is today: it may have enforced when the message came. */
function demandsTls({ requireTls, restrictDomainsToCertificate }: InboundConnector): boolean {
  return requireTls || restrictDomainsToCertificate;
}
