/**
 * Which deliveries an administrator means: one function for every store, so that `queue list` shows
 * what a command with the same filters would touch.
 */
import type { Address } from '../mail/address.ts';
import { isSameMailbox } from '../mail/address.ts';
import type { QueueMatch, QueueRow, SenderMatch } from './store.ts';

/** Whether the row meets every condition that is there. */
export function matchesQueue(row: QueueRow, match: QueueMatch): boolean {
  const { message, delivery } = row;
  return (
    isOrAbsent(match.key, message.key) &&
    isOrAbsent(match.state, delivery.state) &&
    isOrAbsent(match.organization, message.organization) &&
    (match.organizations?.includes(message.organization) ?? true) &&
    isOrAbsent(match.routeKey, delivery.routeKey) &&
    (match.receivedBeforeMs === undefined || message.receivedAtMs < match.receivedBeforeMs) &&
    (match.recipientDomain === undefined ||
      delivery.recipients.some(({ domain }) => domain === match.recipientDomain)) &&
    (match.sender === undefined || matchesSender(message.reversePath, match.sender)) &&
    (match.cause === undefined || causeOf(row) === match.cause) &&
    (match.connector === undefined || concernsConnector(row, match.connector))
  );
}

function isOrAbsent<Value>(wanted: Value | undefined, value: Value): boolean {
  return wanted === undefined || wanted === value;
}

function matchesSender(reversePath: Address | null, wanted: SenderMatch): boolean {
  switch (wanted.kind) {
    case 'null':
      return reversePath === null;
    case 'domain':
      return reversePath !== null && reversePath.domain === wanted.domain;
    case 'address':
      return reversePath !== null && isSameMailbox(reversePath, wanted.address);
  }
}

function causeOf({ delivery }: QueueRow): string | null {
  const outcome = delivery.lastOutcome;
  return outcome === null || outcome.kind === 'delivered' ? null : outcome.cause;
}

/** It waits for the connector's smart hosts, or carries clauses of the connector. */
function concernsConnector({ message, delivery }: QueueRow, name: string): boolean {
  if (delivery.routeKey === `connector ${message.organization} ${name}`) return true;
  return delivery.floor.some(({ origin }) => origin.kind === 'connector' && origin.name === name);
}
