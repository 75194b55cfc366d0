/**
 * The header of an arriving message for one of the organizations that it belongs to: what is believed
 * of it, and what is stated.
 *
 * The parts of one message share its header as it was read, since who brings it is the same for all.
 */
import type { StatedHeader } from '../content/arrival-fields.ts';
import { stateArrival } from '../content/arrival-fields.ts';
import { rulesOfArrival } from '../content/arrival-rules.ts';
import type { ArrivingHeader } from '../content/arriving-header.ts';
import type { FirewallRules } from '../content/header-firewall.ts';
import type { Address, ReversePath } from '../mail/address.ts';
import type { Arrival, ArrivalOrigin } from '../policy/arrival.ts';
import { inboundByName, judgeArrival } from '../policy/arrival.ts';
import { findOrganization } from '../policy/directory.ts';
import { filteringOf, isForRecipients } from '../policy/original-source.ts';
import type { InboundSession } from '../policy/inbound-session.ts';
import type { Policy } from '../policy/policy.ts';
import type { MessagePart } from './message-part.ts';

/** A message, or the part of it for one organization, and how it came. */
export interface ArrivingPart {
  /** Id of the organization. */
  readonly organization: string;
  readonly origin: ArrivalOrigin;
  /** Names of the connectors that were met. */
  readonly connectors: readonly string[];
  readonly recipients: readonly Address[];
  readonly reversePath: ReversePath;
  /** Empty where no client connected. */
  readonly clientAddress: string;
}

/** A part of an incoming message; where its recipients came in different ways, as the least of them. */
export function arrivingPartOf(session: InboundSession, part: MessagePart): ArrivingPart {
  const { organization, recipients, decisions } = part;
  const { reversePath, clientAddress } = session;
  const least = decisions.find(({ origin }) => origin.kind === 'incoming') ?? decisions[0]!;
  const connectors = [...new Set(decisions.flatMap((decision) => decision.connectors))];
  return { organization, recipients, origin: least.origin, connectors, reversePath, clientAddress };
}

/**
 * By which rules the header of a message with these parts is read, at least one. Should who brings it
 * not be the same to all of them, it is a stranger.
 */
export function rulesForParts(policy: Policy, parts: readonly ArrivingPart[]): FirewallRules {
  const [first, ...others] = parts.map((part) => judgePart(policy, part));
  const { trust, keepsOriginatorOrg } = first!;
  const isSame = others.every(
    (other) => other.trust === trust && other.keepsOriginatorOrg === keepsOriginatorOrg,
  );
  const stranger = { trust: 'stranger', keepsOriginatorOrg: false, statement: null } as const;
  return rulesOfArrival(policy.hostName, isSame ? first! : stranger);
}

/** The header that was read by those rules, as the part's organization gets it. */
export function statePart(
  policy: Policy,
  part: ArrivingPart,
  header: ArrivingHeader,
): StatedHeader {
  const { statement } = judgePart(policy, part);
  return stateArrival(header, policy.hostName, { statement, skipListing: skippedBy(policy, part) });
}

function judgePart(policy: Policy, { organization, origin, reversePath }: ArrivingPart): Arrival {
  return judgeArrival(policy, { organization, origin, reversePath });
}

function skippedBy(policy: Policy, part: ArrivingPart) {
  const organization = findOrganization(policy, part.organization);
  const { origin, connectors, clientAddress, recipients } = part;
  if (organization === null || origin.by === 'account' || clientAddress === '') return null;
  const names = origin.connector === null ? connectors : [origin.connector, ...connectors];
  const filtering = filteringOf(inboundByName(organization, names));
  if (filtering === null) return null;
  return { filtering, clientAddress, isForRecipients: isForRecipients(filtering, recipients) };
}
