/**
 * Mail to which domains may take another way since some outbound connectors changed: of five thousand
 * mostly one did, and mail to all other domains need not be looked at.
 */
import { PatternIndex } from '../../mail/pattern-index.ts';
import type { OutboundConnector } from '../policy.ts';
import type { Compared } from './compared-organizations.ts';
import { areAlike, missingFrom } from './same-text.ts';
import { isSameBeside } from './sampled-recipients.ts';

/**
 * What decides about the way of mail that no rule routes is whose its domain is, the connectors that
 * cover it, and those that take all accepted domains or all mail. Where only others changed it is the same.
 */
export function touchedDomains(compared: Compared): (domain: string) => boolean {
  const { was, is, owners } = compared;
  const isOnlyConnectors =
    was.id === is.id &&
    owners.moved.size === 0 &&
    areAlike(was.rules, is.rules) &&
    isSameBeside(compared);
  if (!isOnlyConnectors) return () => true;
  const changed = [
    ...missingFrom(is.outboundConnectors, was.outboundConnectors),
    ...missingFrom(was.outboundConnectors, is.outboundConnectors),
  ];
  if (changed.some(takesAll)) return () => true;
  const index = new PatternIndex(
    changed.map((value) => ({ patterns: value.recipientDomains, value })),
  );
  return (domain) => index.covering(domain).length > 0;
}

function takesAll(connector: OutboundConnector): boolean {
  return connector.allAcceptedDomains || connector.routeAllMessagesViaOnPremises;
}
