/**
 * A suggested connector in the words of a configuration: only the keys that say something. Loaded again
 * it is the same connector, which a test holds.
 */
import { stringify } from 'yaml';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import type { InboundConnector, OutboundConnector } from '../policy/policy.ts';
import type { Suggestion } from '../policy/suggestions/suggestion.ts';

/** What stands in a file for one connector. */
export type DraftValue = Readonly<Record<string, unknown>>;

export function draftValueOf(suggestion: Suggestion): DraftValue {
  return suggestion.direction === 'outbound'
    ? outboundValue(suggestion.connector)
    : inboundValue(suggestion.connector);
}

function outboundValue(connector: OutboundConnector): DraftValue {
  const { name, comment, mode, recipientDomains, tlsSettings, tlsDomains } = connector;
  return {
    name,
    comment,
    mode,
    recipientDomains: texts(recipientDomains),
    tlsSettings,
    tlsDomain: texts(tlsDomains),
    ...anchorsOf(connector),
  };
}

function inboundValue(connector: InboundConnector): DraftValue {
  const { name, comment, mode, senderDomains, tlsSenderCertificateNames } = connector;
  return {
    name,
    comment,
    mode,
    senderDomains: texts(senderDomains),
    requireTls: connector.requireTls,
    restrictDomainsToCertificate: connector.restrictDomainsToCertificate,
    tlsSenderCertificateName: texts(tlsSenderCertificateNames),
    ...(connector.acceptServerAuthOnly ? { acceptServerAuthOnly: true } : {}),
    ...anchorsOf(connector),
  };
}

function anchorsOf({ anchors }: Pick<OutboundConnector, 'anchors'>): DraftValue {
  return anchors === 'bundled' ? {} : { anchors };
}

/** One alone as itself, as people write it. */
function texts(patterns: readonly DomainPattern[]): string | readonly string[] {
  const all = patterns.map(formatDomainPattern);
  return all.length === 1 ? all[0]! : all;
}

const lists = { inbound: 'inboundConnectors', outbound: 'outboundConnectors' } as const;

/**
 * The drafts as a part of a configuration: organizations with their lists of connectors, to be put into
 * a file beside what is there. `null` where there are none.
 */
export function formatDrafts(suggestions: readonly Suggestion[]): string | null {
  if (suggestions.length === 0) return null;
  const byOrganization = Map.groupBy(suggestions, ({ organization }) => organization);
  const organizations = Array.from(byOrganization, ([id, own]) => ({
    id,
    ...listOf(own, 'inbound'),
    ...listOf(own, 'outbound'),
  }));
  return stringify({ organizations }, { lineWidth: 0 });
}

function listOf(suggestions: readonly Suggestion[], direction: Suggestion['direction']) {
  const own = suggestions.filter((each) => each.direction === direction);
  return own.length === 0 ? {} : { [lists[direction]]: own.map(draftValueOf) };
}
