/**
 * What an arriving message is to its organization: who vouches for its header, which way it goes, and
 * whether its sender counts as one of our own.
 *
 * A pure judgement on what attribution found. Strangers are believed nothing, and only an OnPremises
 * connector grants anything: a Partner connector restricts.
 * @see New-InboundConnector: CloudServicesMailEnabled, TreatMessagesAsInternal; docs/adr/0025
 */
import type { ReversePath } from '../mail/address.ts';
import { findDomainOwner, findOrganization } from './directory.ts';
import type { InboundConnector, Organization, Policy } from './policy.ts';

/** `stranger`: whoever we know nothing of. `submitter`: an account of ours. `cross-premises`: the other side. */
export type HeaderTrust = 'stranger' | 'submitter' | 'cross-premises';

/** `Originating`: from an own server or mailbox. `Incoming`: all other mail. */
export type MessageDirection = 'Originating' | 'Incoming';

/** What we state of a message in its header, where the organization reads it. */
export interface ArrivalStatement {
  readonly direction: MessageDirection;
  /** A cross-premises server's own word goes before it. */
  readonly authAs: 'Internal' | 'Anonymous';
}

export interface Arrival {
  readonly trust: HeaderTrust;
  /** `X-OriginatorOrg` stays: the server that wrote it proved its certificate. */
  readonly keepsOriginatorOrg: boolean;
  /** Null where the organization has nobody who would read it. */
  readonly statement: ArrivalStatement | null;
}

/** Whose the message is, as attribution found: by an account, or by the OnPremises connector named. */
export interface ArrivalOrigin {
  readonly kind: 'originating' | 'incoming';
  /** Of the organization; null where no OnPremises connector knows the session. */
  readonly connector: string | null;
  readonly by: 'account' | 'certificate' | 'address' | null;
}

/** `organization` is the id of the one that the message belongs to. */
export interface Attributed {
  readonly organization: string;
  readonly origin: ArrivalOrigin;
  readonly reversePath: ReversePath;
}

/** Of an organization or a connector that is gone nothing is believed. */
export function judgeArrival(policy: Policy, attributed: Attributed): Arrival {
  const organization = findOrganization(policy, attributed.organization);
  if (organization === null) return nothingKnown;
  const { kind, by, connector: name } = attributed.origin;
  const isSubmission = by === 'account';
  const isOriginating = kind === 'originating';
  const [named] = isOriginating && name !== null ? inboundByName(organization, [name]) : [];
  const connector = named?.connectorType === 'OnPremises' ? named : null;
  const isCrossPremises = !isSubmission && connector?.cloudServicesMailEnabled === true;
  const isTreatedAsInternal =
    connector?.treatMessagesAsInternal === true && isFromOwnDomain(policy, attributed);
  const isInternal = isSubmission || (isTreatedAsInternal && !isCrossPremises);
  const statement: ArrivalStatement = {
    direction: isSubmission || connector !== null ? 'Originating' : 'Incoming',
    authAs: isInternal ? 'Internal' : 'Anonymous',
  };
  const otherTrust = isSubmission ? 'submitter' : 'stranger';
  return {
    trust: isCrossPremises ? 'cross-premises' : otherTrust,
    keepsOriginatorOrg: isCrossPremises && by === 'certificate',
    statement: statesArrivals(organization) ? statement : null,
  };
}

const nothingKnown: Arrival = { trust: 'stranger', keepsOriginatorOrg: false, statement: null };

function isFromOwnDomain(policy: Policy, { organization, reversePath }: Attributed): boolean {
  if (reversePath === null) return false;
  return findDomainOwner(policy, reversePath.domain)?.organization.id === organization;
}

const byName = new WeakMap<Organization, ReadonlyMap<string, InboundConnector>>();

/** The enabled inbound connectors of these names, in the order of the names. */
export function inboundByName(
  organization: Organization,
  names: readonly string[],
): readonly InboundConnector[] {
  const known = byName.get(organization) ?? indexByName(organization);
  return names.flatMap((name) => known.get(name) ?? []);
}

function indexByName(organization: Organization): ReadonlyMap<string, InboundConnector> {
  const enabled = organization.inboundConnectors.filter((connector) => connector.enabled);
  const index = new Map(enabled.map((connector) => [connector.name, connector] as const));
  byName.set(organization, index);
  return index;
}

const stating = new WeakMap<Organization, boolean>();

/**
 * Whether what we state has a reader: an enabled connector that keeps such fields, or that makes mail
 * internal. Looked for once per policy, not once per message.
 */
function statesArrivals(organization: Organization): boolean {
  const known = stating.get(organization);
  if (known !== undefined) return known;
  const { inboundConnectors, outboundConnectors } = organization;
  const states =
    inboundConnectors.some(
      (each) => isHybrid(each) || (each.enabled && each.treatMessagesAsInternal),
    ) || outboundConnectors.some(isHybrid);
  stating.set(organization, states);
  return states;
}

function isHybrid(
  connector: Organization['outboundConnectors'][number] | InboundConnector,
): boolean {
  return connector.enabled && connector.cloudServicesMailEnabled;
}
