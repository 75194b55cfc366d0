/**
 * The policy as objects: an organization, and each domain, mailbox, connector, rule in it, by its name.
 *
 * The value of an object is what stands in the YAML file for it, without defaults: the schema is the one
 * place that says what that may be. They are kept and changed one by one, and composed into one
 * configuration before anything decides about mail (`compose-policy.ts`).
 */
import { formatAddress, parseAddress } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';

export type ObjectKind =
  | 'organization'
  | 'accepted-domain'
  | 'mailbox'
  | 'alias'
  | 'delivery-target'
  | 'inbound-connector'
  | 'outbound-connector'
  | 'rule'
  | 'certificate';

/** `organization` null for organizations themselves and for what belongs to the gateway. */
export interface ObjectKey {
  readonly kind: ObjectKind;
  readonly organization: string | null;
  /** In its one spelling, `canonicalName`. */
  readonly name: string;
}

/** A mapping as it would stand in a file, plain JSON. */
export type ObjectValue = Readonly<Record<string, unknown>>;

export interface PolicyObject extends ObjectKey {
  readonly value: ObjectValue;
  /** Where an administrator of the organization, not of the gateway, said where its mail goes. */
  readonly setBy?: 'organization';
}

/** How objects of a kind stand in a file. */
export interface KindOfObject {
  readonly kind: ObjectKind;
  /** The key of their list, and their collection in the API: `inboundConnectors`, `inbound-connectors`. */
  readonly list: string;
  readonly collection: string;
  /** The key that names each; null where the list is a mapping of names. */
  readonly namedBy: string | null;
  /** For people: `inbound connector`. */
  readonly words: string;
}

function inOrganization(kind: ObjectKind, list: string, namedBy: string): KindOfObject {
  const collection = list.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { kind, list, collection, namedBy, words: kind.replaceAll('-', ' ') };
}

/** What an organization holds, in the order of the schema. */
export const kindsInOrganization: readonly KindOfObject[] = [
  inOrganization('accepted-domain', 'acceptedDomains', 'domain'),
  inOrganization('mailbox', 'mailboxes', 'account'),
  inOrganization('inbound-connector', 'inboundConnectors', 'name'),
  inOrganization('outbound-connector', 'outboundConnectors', 'name'),
  inOrganization('rule', 'rules', 'name'),
  inOrganization('alias', 'aliases', 'address'),
  inOrganization('delivery-target', 'deliveryTargets', 'name'),
];

/** What belongs to the gateway, in the order of the schema. */
export const kindsOfGateway: readonly KindOfObject[] = [
  { ...inOrganization('certificate', 'certificates', ''), namedBy: null },
  inOrganization('organization', 'organizations', 'id'),
];

const byKind = new Map(
  [...kindsOfGateway, ...kindsInOrganization].map((each) => [each.kind, each] as const),
);

export const objectKinds: readonly ObjectKind[] = [...byKind.keys()];

export function kindOf(kind: ObjectKind): KindOfObject {
  return byKind.get(kind)!;
}

/**
 * The one spelling of a name: domains as lower-case A-labels, accounts and addresses in lower case. What
 * cannot be read stays as it is; the schema refuses it.
 */
export function canonicalName(kind: ObjectKind, name: string): string {
  if (kind === 'accepted-domain') return parseDomain(name) ?? name;
  if (kind === 'mailbox') return name.toLowerCase();
  if (kind !== 'alias') return name;
  const address = parseAddress(name);
  return address === null ? name : formatAddress(address).toLowerCase();
}

/** One text for each key, for maps. */
export function textOfKey({ kind, organization, name }: ObjectKey): string {
  // The length keeps apart where one ends and the other begins; asked for each object at each change.
  return organization === null
    ? `${kind} - ${name}`
    : `${kind} ${organization.length} ${organization} ${name}`;
}

/** `outbound connector "fabrikam" of contoso`, for people. */
export function describeObject({ kind, organization, name }: ObjectKey): string {
  const of = organization === null ? '' : ` of ${organization}`;
  return `${kindOf(kind).words} ${JSON.stringify(name)}${of}`;
}
