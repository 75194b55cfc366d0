/** What the other side reads when no connector of a scope was met: whose policy, which connector, why. */
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { UnmetConnector } from './partner-verdict.ts';

/**
 * 5.7.51 as Exchange answers it; temporary where the fault is ours, since mail of a partner must not
 * bounce for a lost file. `domain` is the accepted domain whose policy it is.
 */
export function lockedDownReply(unmet: UnmetConnector, domain: string, whom: string): Reply {
  const { connector, reason, isOurFault } = unmet;
  const text = `TenantInboundAttribution; policy of ${domain}: connector "${connector.name}" restricts ${whom}: ${reason}`;
  return isOurFault ? reply(451, '4.7.5', text) : reply(550, '5.7.51', text);
}

/** 454 4.7.0 at first, so that a repair heals the queued mail; 550 once it has lasted. */
export function tlsMissingReply(unmet: UnmetConnector, domain: string, isFinal: boolean): Reply {
  const text = `Failed to establish appropriate TLS channel: Access denied: policy of ${domain}: connector "${unmet.connector.name}" takes mail of this sender over TLS only`;
  return isFinal ? reply(550, '5.7.10', text) : reply(454, '4.7.0', text);
}
