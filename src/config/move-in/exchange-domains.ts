/** Accepted domains, from Get-AcceptedDomain. */
import { domainName } from '../mail-readers.ts';
import { show } from '../readers.ts';
import { Draft } from './draft.ts';
import { ObjectReader } from './exchange-object.ts';
import type { ExchangeObject } from './exchange-source.ts';
import { readFlag, readText } from './exchange-values.ts';

/** The domain that Exchange calls default stands first, since the first one is ours. */
export function importAcceptedDomains(objects: readonly ExchangeObject[]): Draft[] {
  const drafts = objects.map(importAcceptedDomain);
  const seen = new Set<string>();
  for (const { draft } of drafts) {
    if (draft.isDropped) continue;
    if (seen.has(draft.name)) draft.drop('the domain stands there twice', 'left-out');
    seen.add(draft.name);
  }
  const first = drafts.filter(({ isDefault }) => isDefault);
  const rest = drafts.filter(({ isDefault }) => !isDefault);
  return [...first, ...rest].map(({ draft }) => draft);
}

interface ImportedDomain {
  readonly draft: Draft;
  readonly isDefault: boolean;
}

function importAcceptedDomain(object: ExchangeObject): ImportedDomain {
  const written = nameIn(object);
  const bare = written.startsWith('*.') ? written.slice(2) : written;
  const read = domainName().read(bare);
  const domain = 'value' in read ? read.value : null;
  const draft = new Draft(
    'accepted-domain',
    domain ?? bare,
    object,
    `accepted domain ${show(written)}`,
  );
  const reader = new ObjectReader(object, draft);
  takeName(reader, domain, written.startsWith('*.'));
  const isRelay = takeType(reader);
  takeSubDomains(reader, written.startsWith('*.'), isRelay);
  const isDefault = takeDefault(reader);
  reader.refuse(
    ['SendingFromDomainDisabled', 'SendingToDomainDisabled'],
    'there is no such switch here, and its mail flows: a rule with senderDomainIs (or recipientDomainIs) and rejectMessageReasonText refuses it',
    false,
  );
  reader.refuse(['OutboundOnly', 'PendingRemoval'], 'there is no such switch here', false);
  leaveInternal(reader);
  reader.finish(null);
  if (domain === null) draft.drop(`${show(written)} is no domain name`, 'not-possible');
  else if (domain.endsWith('.onmicrosoft.com')) draft.drop(microsofts, 'not-possible');
  return { draft, isDefault };
}

const microsofts =
  'it belongs to Microsoft, and its mail goes to Microsoft: only there it can be taken. Mail to it leaves like any other';

function nameIn({ properties }: ExchangeObject): string {
  for (const name of ['domainname', 'name', 'identity']) {
    const found = properties.find(({ property }) => property.toLowerCase() === name);
    const text = found === undefined ? null : readText(found.value);
    if (text !== null && text !== '') return text.trim().replace(/^smtp:/i, '');
  }
  return '';
}

function takeName(reader: ObjectReader, domain: string | null, isWildcard: boolean): void {
  const { draft } = reader;
  draft.value['domain'] = domain;
  const spot = reader.given('DomainName');
  if (spot !== null && domain === null) draft.miss(spot, 'is no domain name');
  else if (spot !== null && isWildcard) {
    draft.change(spot, 'domain', domain, 'and matchSubDomains for all below it');
  } else if (spot !== null) draft.take(spot, 'domain', domain);
  const name = reader.given('Name');
  if (name !== null) draft.leave(name, 'a domain has no other name here');
}

const mailboxes =
  'who has a mailbox is not in the export: name mailboxes, or the deliveryTarget that keeps them, else mail for this domain is refused';

/** Whether unknown recipients go on. */
function takeType(reader: ObjectReader): boolean {
  const { draft } = reader;
  const found = reader.word('DomainType', ['Authoritative', 'InternalRelay', 'ExternalRelay']);
  if (found === null || found.value === null) return false;
  const { spot, value } = found;
  if (value === 'Authoritative') {
    draft.say(spot, 'taken-over', `type: Authoritative, as where it is not written; ${mailboxes}`);
    return false;
  }
  const to = 'an outbound connector must lead to the servers that keep its recipients';
  if (value === 'InternalRelay') {
    draft.value['type'] = 'InternalRelay';
    draft.say(spot, 'taken-over', `type: "InternalRelay"; ${to}`);
  } else draft.change(spot, 'type', 'InternalRelay', `which does what ExternalRelay does: ${to}`);
  return true;
}

function takeSubDomains(reader: ObjectReader, isWildcard: boolean, isRelay: boolean): void {
  const { draft } = reader;
  const { spot, value } = reader.flag('MatchSubDomains', isWildcard);
  const place = spot ?? { ...draft.place, property: 'MatchSubDomains' };
  if (!value && !isWildcard) {
    if (spot !== null) draft.leave(spot, 'false, as where it is not written');
  } else if (isRelay) draft.take(place, 'matchSubDomains', true);
  else {
    const text = 'acts here only with type: InternalRelay: list each subdomain as a domain';
    draft.miss(place, text);
  }
}

function takeDefault(reader: ObjectReader): boolean {
  const { draft } = reader;
  const spots = ['Default', 'IsDefault'].flatMap((name) => reader.given(name) ?? []);
  for (const spot of spots) {
    if (readFlag(spot.value) === true) draft.say(spot, 'taken-over', 'it stands first in the list');
    else draft.leave(spot, 'it does not stand first in the list');
  }
  return spots.some(({ value }) => readFlag(value) === true);
}

/** What Microsoft's servers tell each other. */
function leaveInternal(reader: ObjectReader): void {
  const names = [
    'AddressBookEnabled',
    'AuthenticationType',
    'CanHaveCloudCache',
    'CatchAllRecipientID',
    'EmailOnly',
    'EnableNego2Authentication',
    'ExternallyManaged',
    'FederatedOrganizationLink',
    'InitialDomain',
    'IsCoexistenceDomain',
    'LiveIdInstanceType',
    'MailFlowPartner',
    'MailFlowRegion',
    'PerimeterDuplicateDetected',
    'RawAuthenticationType',
    'RawLiveIdInstanceType',
    'DomainIndex',
    'IsDefaultFederatedDomain',
    'DualProvisioningEnabled',
    'IsSkipProvisioning',
    'X400AddressType',
  ];
  for (const name of names) {
    const spot = reader.given(name);
    if (spot === null) continue;
    if (name === 'CatchAllRecipientID') {
      reader.draft.miss(spot, 'name the address as catchAll of the domain');
    } else reader.draft.leave(spot, "concerns Microsoft's servers only");
  }
}
