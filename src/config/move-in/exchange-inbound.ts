/** Inbound connectors, from Get-InboundConnector. @see New-InboundConnector */
import { skippedAddresses } from '../connector-readers.ts';
import { addressRange, certificateName, domainPattern, mailAddress } from '../mail-readers.ts';
import { show } from '../readers.ts';
import { Draft } from './draft.ts';
import { nameConnector, takeShared, takeType } from './exchange-connectors.ts';
import { takeAssociated, takeFiltering, takePrivileges } from './exchange-inbound-rest.ts';
import { readCertificateNames, readDomains, readEntries, takeEntries } from './exchange-lists.ts';
import { ObjectReader } from './exchange-object.ts';
import type { ExchangeObject, ExchangeProperty } from './exchange-source.ts';
import { nameToWrite } from './name-to-write.ts';
import type { UniqueNames } from './unique-names.ts';

/** `acceptedDomains`: those that the import makes. */
export function importInbound(
  object: ExchangeObject,
  names: UniqueNames,
  acceptedDomains: ReadonlySet<string>,
): Draft {
  const named = nameConnector(object, names);
  const draft = new Draft(
    'inbound-connector',
    named.name,
    object,
    `inbound connector ${show(named.written)}`,
  );
  const reader = new ObjectReader(object, draft);
  takeShared(reader, named);
  const type = takeType(reader);
  const scope = takeScope(reader, type);
  const certificate = takeCertificate(reader, type);
  const addresses = takeAddresses(reader, type, scope);
  const { spot, value: requireTls } = reader.flag('RequireTls', true);
  takeRequireTls(draft, { spot, value: requireTls, type });
  takeAssociated(reader, type, acceptedDomains);
  takePrivileges(reader, type);
  takeFiltering(reader, { accept: skippedAddresses(), users: mailAddress() }, acceptedDomains);
  reader.refuse(['TrustedOrganizations'], trusted, false);
  reader.refuse(
    ['EFSkipMailGateway', 'EFTestMode', 'ScanAndDropRecipients', 'ClientHostNames'],
    'reserved by Microsoft, and without meaning for anybody else',
    false,
  );
  reader.finish();
  judgeWhole(draft, { type, scope, requireTls, certificate, addresses });
  return draft;
}

const trusted =
  'names organizations at Microsoft, which cannot prove here who they are: the connector demands of them what it demands of all';

/** The patterns of a Partner connector; an OnPremises connector has none. */
function takeScope(reader: ObjectReader, type: 'Partner' | 'OnPremises'): readonly string[] {
  const { draft } = reader;
  const spot = reader.given('SenderDomains');
  if (spot === null) return [];
  const read = readDomains(spot, domainPattern());
  if (type === 'Partner') {
    takeEntries(draft, spot, read, { key: 'senderDomains', isWeaker: true });
    return read.entries;
  }
  const isEverybody = read.entries.length === 1 && read.entries[0] === '*';
  if (isEverybody) draft.leave(spot, '"*", as where it is not written');
  else {
    const why = 'scopes nothing on OnPremises, there and here: your servers are named otherwise';
    draft.leave(spot, `${show(spot.value)} ${why}`);
  }
  return [];
}

/** Whether the certificate is demanded, and whether one is named. */
function takeCertificate(
  reader: ObjectReader,
  type: 'Partner' | 'OnPremises',
): { readonly isDemanded: boolean; readonly isNamed: boolean } {
  const { draft } = reader;
  const restrict = reader.flag('RestrictDomainsToCertificate', false);
  const spot = reader.given('TlsSenderCertificateName');
  const read = spot === null ? null : readCertificateNames(spot, certificateName());
  const isActing = restrict.value || type === 'OnPremises';
  if (spot !== null && read !== null) {
    if (isActing) takeName(draft, spot, read);
    else {
      const why =
        'has no effect without RestrictDomainsToCertificate: true, there and here; nobody is asked for this certificate';
      draft.leave(spot, `${show(spot.value)} ${why}`);
    }
  }
  const isNamed = isActing && (read?.entries.length ?? 0) > 0;
  if (restrict.spot === null) return { isDemanded: restrict.value, isNamed };
  if (!restrict.value) draft.leave(restrict.spot, 'false, as where it is not written');
  else if (!isNamed) {
    draft.value['restrictDomainsToCertificate'] = true;
    draft.value['tlsSenderCertificateName'] = [nameToWrite];
    const why = `true needs a TlsSenderCertificateName that can be read: write it in place of ${nameToWrite}`;
    draft.turnOff(restrict.spot, why);
  } else if (type === 'Partner') draft.take(restrict.spot, 'restrictDomainsToCertificate', true);
  else {
    const why =
      'which acts here on OnPremises too: without the certificate mail is refused, from its addresses as well';
    draft.change(restrict.spot, 'restrictDomainsToCertificate', true, why);
  }
  return { isDemanded: restrict.value, isNamed };
}

function takeName(
  draft: Draft,
  spot: ExchangeProperty,
  read: ReturnType<typeof readCertificateNames>,
): void {
  takeEntries(draft, spot, read, { key: 'tlsSenderCertificateName', isWeaker: true });
  if (read.entries.length === 0) return;
  const text =
    'a certificate that is for servers only, as public CAs issue them now, is refused unless you add acceptServerAuthOnly: true';
  draft.say({ ...spot, property: 'TlsSenderCertificateName' }, 'changed', text);
}

function takeAddresses(
  reader: ObjectReader,
  type: 'Partner' | 'OnPremises',
  scope: readonly string[],
): { readonly isDemanded: boolean; readonly isNamed: boolean } {
  const { draft } = reader;
  const restrict = reader.flag('RestrictDomainsToIPAddresses', false);
  const spot = reader.given('SenderIPAddresses');
  const read = spot === null ? null : readEntries(spot, addressRange());
  const isDemanded = restrict.value && type === 'Partner';
  if (restrict.spot !== null) {
    if (!restrict.value) draft.leave(restrict.spot, 'false, as where it is not written');
    else if (type === 'OnPremises') draft.leave(restrict.spot, 'has no effect on OnPremises');
    else draft.take(restrict.spot, 'restrictDomainsToIPAddresses', true);
  }
  const isEverybody = scope.includes('*');
  const isScope = type === 'Partner' && !restrict.value;
  if (spot !== null && read !== null && isScope && !isEverybody) {
    const why =
      'has no effect in Exchange without RestrictDomainsToIPAddresses; here it would let mail from other addresses pass, so it is not set';
    draft.leave(spot, `${show(spot.value)} ${why}`);
    return { isDemanded, isNamed: false };
  }
  // A narrower list of addresses demands more, unless it says whose sessions are covered.
  if (spot !== null && read !== null) {
    takeEntries(draft, spot, read, { key: 'senderIPAddresses', isWeaker: isScope });
  }
  return { isDemanded, isNamed: (read?.entries.length ?? 0) > 0 };
}

function takeRequireTls(
  draft: Draft,
  {
    spot,
    value,
    type,
  }: { spot: ExchangeProperty | null; value: boolean; type: 'Partner' | 'OnPremises' },
): void {
  // Written out: it says most about the connector, and Microsoft's pages disagree on the default.
  draft.value['requireTls'] = value;
  if (spot === null) return;
  if (type === 'Partner' || !value) draft.say(spot, 'taken-over', `requireTls: ${value}`);
  else {
    const why = 'requireTls: true, which acts here on OnPremises too: mail without TLS is refused';
    draft.say(spot, 'changed', why);
  }
}

interface Whole {
  readonly type: 'Partner' | 'OnPremises';
  readonly scope: readonly string[];
  readonly requireTls: boolean;
  readonly certificate: { readonly isDemanded: boolean; readonly isNamed: boolean };
  readonly addresses: { readonly isDemanded: boolean; readonly isNamed: boolean };
}

/** What the gateway would refuse as a whole is not made, and what it would have protected is said. */
function judgeWhole(draft: Draft, whole: Whole): void {
  const { type, scope, requireTls, certificate, addresses } = whole;
  const isOn = draft.value['enabled'] !== false;
  if (type === 'OnPremises') {
    if (!certificate.isNamed && !addresses.isNamed) {
      draft.drop('it names no server, by certificate or address, so it grants nothing', 'left-out');
    }
    return;
  }
  if (!requireTls && !certificate.isDemanded && !addresses.isDemanded) {
    draft.drop('it restricts nothing: mail flows without it', 'left-out');
    return;
  }
  if (isOn)
    draft.protects = `mail from ${scope.join(', ') || 'the sender domains that were not understood'}`;
  if (scope.length === 0) {
    draft.drop('it has no sender domain that can be read', 'not-possible');
  } else if (addresses.isDemanded && !addresses.isNamed) {
    draft.drop(
      'RestrictDomainsToIPAddresses needs an address in SenderIPAddresses that can be read',
      'not-possible',
    );
  }
}
