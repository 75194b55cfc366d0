/** What an outbound connector of Exchange demands of TLS. */
import { certificateName } from '../mail-readers.ts';
import { show } from '../readers.ts';
import type { Draft } from './draft.ts';
import { readCertificateNames, takeEntries } from './exchange-lists.ts';
import { asWords } from './exchange-object.ts';
import type { ObjectReader } from './exchange-object.ts';
import type { ExchangeProperty } from './exchange-source.ts';
import { isNumber, readWord } from './exchange-values.ts';
import { nameToWrite } from './name-to-write.ts';

interface Way {
  readonly patterns: readonly string[];
  readonly hosts: readonly string[];
}

const words = ['EncryptionOnly', 'CertificateValidation', 'DomainValidation'] as const;

/** Whether anything is demanded. */
export function takeOutboundTls(reader: ObjectReader, way: Way): boolean {
  const { draft } = reader;
  const spot = reader.given('TlsSettings');
  const domain = reader.given('TlsDomain');
  if (spot === null) {
    if (domain !== null) leaveDomain(draft, domain, 'without TlsSettings DomainValidation');
    return false;
  }
  const settings = readWord(spot.value, [...words, 'Opportunistic']);
  if (settings === 'Opportunistic') {
    draft.leave(spot, 'Opportunistic, as where it is not written');
    if (domain !== null) leaveDomain(draft, domain, 'without TlsSettings DomainValidation');
    return false;
  }
  if (settings === null || settings === 'DomainValidation') {
    takeValidation(draft, { spot, domain, isKnown: settings !== null, way });
  } else {
    draft.take(spot, 'tlsSettings', settings);
    if (domain !== null) leaveDomain(draft, domain, `with ${settings}`);
  }
  return true;
}

function leaveDomain(draft: Draft, spot: ExchangeProperty, where: string): void {
  draft.leave(
    spot,
    `${show(spot.value)} has no effect ${where}; write DomainValidation to have it checked`,
  );
}

interface Validation {
  readonly spot: ExchangeProperty;
  readonly domain: ExchangeProperty | null;
  /** Else the setting was not understood, and the strictest stands in. */
  readonly isKnown: boolean;
  readonly way: Way;
}

function takeValidation(draft: Draft, { spot, domain, isKnown, way }: Validation): void {
  if (isKnown) draft.take(spot, 'tlsSettings', 'DomainValidation');
  else {
    draft.value['tlsSettings'] = 'DomainValidation';
    const what = isNumber(spot.value)
      ? `${show(spot.value)} is ${asWords}`
      : `${show(spot.value)} is none of ${words.join(', ')}`;
    draft.turnOff(spot, `${what}; DomainValidation, the strictest, stands in its place`);
  }
  const read = domain === null ? null : readCertificateNames(domain, certificateName());
  if (domain !== null && read !== null) {
    takeEntries(draft, domain, read, { key: 'tlsDomain', isWeaker: read.entries.length === 0 });
  }
  if ((read?.entries.length ?? 0) > 0 || way.hosts.length === 0) return;
  takeRecipientNames(draft, spot, way);
}

/** With smart hosts and no name, Exchange Server compares the recipient's domain. */
function takeRecipientNames(draft: Draft, spot: ExchangeProperty, { patterns, hosts }: Way): void {
  const place = { ...spot, property: 'TlsDomain' };
  const names = patterns.filter((pattern) => 'value' in certificateName().read(pattern));
  if (names.length > 0 && names.length === patterns.length) {
    const why = 'the recipient domains, since no name is given for the smart hosts';
    draft.change(place, 'tlsDomain', names, why);
    return;
  }
  const hostNames = hosts.filter((host) => 'value' in certificateName().read(host));
  if (hostNames.length === hosts.length) {
    const why = 'the names of the smart hosts, since no other is given';
    draft.change(place, 'tlsDomain', hostNames, why);
    return;
  }
  draft.value['tlsDomain'] = [nameToWrite];
  const text = `no name is given that the certificates of the smart hosts must carry: write it as tlsDomain, in place of ${nameToWrite}`;
  draft.turnOff(place, text);
}
