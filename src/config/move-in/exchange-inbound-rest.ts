/** What inbound connectors of Exchange may have besides: their recipients, privileges, skip lists. */
import type { Reader } from '../field.ts';
import { domainName } from '../mail-readers.ts';
import { show } from '../readers.ts';
import { readDomains, readEntries, takeEntries } from './exchange-lists.ts';
import type { ObjectReader } from './exchange-object.ts';

/** Only where each of them is known: a connector that is for fewer recipients demands less. */
export function takeAssociated(
  reader: ObjectReader,
  type: 'Partner' | 'OnPremises',
  acceptedDomains: ReadonlySet<string>,
): void {
  const { draft } = reader;
  const spot = reader.given('AssociatedAcceptedDomains');
  if (spot === null) return;
  if (type === 'OnPremises') {
    const why =
      'cannot narrow an OnPremises connector here: a server of yours is yours for mail to every domain';
    draft.turnOff(spot, `${show(spot.value)} ${why}`);
    return;
  }
  const read = readDomains(spot, domainName());
  const unknown = read.entries.filter((domain) => !acceptedDomains.has(domain.toLowerCase()));
  if (read.wrong.length === 0 && unknown.length === 0) {
    takeEntries(draft, spot, read, { key: 'associatedAcceptedDomains', isWeaker: false });
    return;
  }
  const what = [...read.wrong, ...unknown.map((domain) => `${show(domain)} is not accepted here`)];
  const text = `${what.join('; ')}: so it is left away, and the connector is for mail to all domains`;
  draft.miss(spot, text);
}

/** What only your own servers may. */
export function takePrivileges(reader: ObjectReader, type: 'Partner' | 'OnPremises'): void {
  if (type === 'Partner') {
    const why = 'is for your own servers (OnPremises); a partner may not have it here';
    reader.refuse(['CloudServicesMailEnabled', 'TreatMessagesAsInternal'], why, false);
    return;
  }
  const isCloud = reader.takeFlag('CloudServicesMailEnabled', 'cloudServicesMailEnabled');
  if (isCloud) {
    const why = 'cannot be with CloudServicesMailEnabled, by which Exchange says what is internal';
    reader.refuse(['TreatMessagesAsInternal'], why, false);
  } else reader.takeFlag('TreatMessagesAsInternal', 'treatMessagesAsInternal');
}

interface FilteringReaders {
  readonly accept: Reader<unknown>;
  readonly users: Reader<{ readonly domain: string }>;
}

/** Enhanced filtering (skip listing). */
export function takeFiltering(
  reader: ObjectReader,
  { accept, users }: FilteringReaders,
  acceptedDomains: ReadonlySet<string>,
): void {
  const { draft } = reader;
  const skipsLast = reader.takeFlag('EFSkipLastIP', 'efSkipLastIP');
  const listed = reader.given('EFSkipIPs');
  let isActing = skipsLast;
  if (listed !== null && skipsLast) {
    draft.leave(listed, `${show(listed.value)} has no effect beside EFSkipLastIP: true`);
  } else if (listed !== null) {
    const read = readEntries(listed, accept);
    takeEntries(draft, listed, read, { key: 'efSkipIPs', isWeaker: false });
    isActing = read.entries.length > 0;
  }
  const spot = reader.given('EFUsers');
  if (spot === null) return;
  if (!isActing) {
    draft.leave(spot, `${show(spot.value)} has no effect: nothing is skipped`);
    return;
  }
  const known: Reader<unknown> = {
    form: users.form,
    read(raw) {
      const read = users.read(raw);
      if (!('value' in read) || acceptedDomains.has(read.value.domain)) return read;
      return { wrong: 'is in no accepted domain of the import' };
    },
  };
  const read = readEntries(spot, known);
  takeEntries(draft, spot, read, { key: 'efUsers', isWeaker: false });
  if (read.entries.length > 0) return;
  delete draft.value['efSkipIPs'];
  delete draft.value['efSkipLastIP'];
  draft.miss(spot, 'none of them is known, so nothing is skipped at all');
}
