/**
 * Clients that Postfix knows by the fingerprint of their certificate: relay_clientcerts and
 * check_ccert_access.
 *
 * Postfix compares a hash with the certificate and with its public key; a pin is the SHA-256 of the
 * key. Which one is meant the text does not tell, unless main.cf says so (search_order).
 */
import { show } from '../readers.ts';
import { Draft } from './draft.ts';
import type { MoveLine } from './move-report.ts';
import type { MainCf, Setting } from './postfix-main-cf.ts';
import { settingOf, spotOf } from './postfix-main-cf.ts';
import { splitWords, withoutBraces } from './postfix-lines.ts';
import { grantsRelay, readRestrictions } from './postfix-restrictions.ts';
import type { TableEntry, TableReader } from './postfix-tables.ts';
import { parseFingerprint } from './postfix-tls-policy.ts';
import type { UniqueNames } from './unique-names.ts';

/** Where the parts of an inbound import put what they find. */
export interface Finding {
  readonly told: Set<string>;
  readonly lines: MoveLine[];
  readonly drafts: Draft[];
  readonly names: UniqueNames;
}

/** What main.cf demands of TLS where mail comes in, as keys of an inbound connector. */
export interface InboundTls {
  readonly requireTls: boolean;
  readonly minVersion?: 'TLSv1.3';
}

const restrictionLists = [
  'smtpd_client_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_sender_restrictions',
  'smtpd_relay_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_data_restrictions',
  'smtpd_end_of_data_restrictions',
];

const mayGrant = new Set(['smtpd_relay_restrictions', 'smtpd_recipient_restrictions']);

interface Certificates extends Finding {
  readonly tls: InboundTls;
}

export function importClientCertificates(
  main: MainCf,
  tables: TableReader,
  finding: Certificates,
): void {
  takeRelayMap(main, tables, finding);
  const seen = new Set<string>();
  for (const name of restrictionLists) {
    const setting = settingOf(main, name);
    if (setting === null) continue;
    const restrictions = readRestrictions(main.parameters.get(name));
    for (const restriction of restrictions) {
      const [, table] = /^check_ccert_access (.+)$/s.exec(restriction) ?? [];
      if (table === undefined) continue;
      const isUsed = mayGrant.has(name) && grantsRelay(main, restriction) && !seen.has(restriction);
      if (isUsed) seen.add(restriction);
      takeAccessMap(main, tables, { ...finding, setting, table, isUsed });
    }
    tellAllCertificates(restrictions, setting, finding);
  }
}

/** "Any trusted certificate" cannot be said: it must carry a name, or have a key. */
function tellAllCertificates(words: readonly string[], setting: Setting, { lines }: Finding): void {
  if (!words.includes('permit_tls_all_clientcerts')) return;
  const text =
    'permit_tls_all_clientcerts lets every client relay whose certificate is trusted: here your servers are named, by tlsSenderCertificateName or pins of an OnPremises connector';
  lines.push({ ...spotOf(setting), subject: '', outcome: 'not-possible', text });
}

function takeRelayMap(main: MainCf, tables: TableReader, finding: Certificates): void {
  const setting = settingOf(main, 'relay_clientcerts');
  if (setting === null) return;
  finding.told.add('relay_clientcerts');
  const isUsed = grantsRelay(main, 'permit_tls_clientcerts');
  if (!isUsed) {
    const text =
      'no restriction lets them relay (permit_tls_clientcerts, before what refuses mail to others)';
    finding.lines.push({ ...spotOf(setting), subject: '', outcome: 'left-out', text });
  }
  const read = tables.readAll(main.parameters.get('relay_clientcerts'), setting);
  for (const { name, problem } of read) {
    const text = problem === null ? `${name}: each told by its line` : `${name}: ${problem}`;
    const outcome = problem === null ? 'taken-over' : 'not-possible';
    if (isUsed) finding.lines.push({ ...spotOf(setting), subject: '', outcome, text });
  }
  const entries = read.flatMap((table) => table.entries);
  makeConnector(main, { ...finding, setting, entries, isUsed, isKeyHash: false });
}

interface Access extends Certificates {
  readonly setting: Setting;
  readonly table: string;
  /** Else it lets nobody relay. */
  readonly isUsed: boolean;
}

/** `check_ccert_access hash:/etc/postfix/ccert`, or `{ hash:/… { search_order = pubkey_fingerprint } }`. */
function takeAccessMap(main: MainCf, tables: TableReader, access: Access): void {
  const { setting, table, lines } = access;
  const inner = withoutBraces(table);
  const [word = ''] = splitWords(inner);
  const order = /search_order\s*=\s*([^}]*)/.exec(inner)?.[1]?.trim();
  const read = tables.read(word, setting);
  if (read.problem !== null) {
    const text = `check_ccert_access ${word}: ${read.problem}`;
    lines.push({ ...spotOf(setting), subject: '', outcome: 'not-possible', text });
    return;
  }
  const isPermit = ({ value }: TableEntry): boolean => /^(?:ok|permit|\d+)$/i.test(value.trim());
  for (const { key: property, value, file, line } of read.entries.filter(
    (each) => !isPermit(each),
  )) {
    const text = `${show(value)}: clients are not refused by their certificate here; a Partner connector demands the one that a partner must show`;
    lines.push({ subject: '', property, file, line, outcome: 'not-possible', text });
  }
  const entries = read.entries.filter(isPermit);
  const isKeyHash = order === 'pubkey_fingerprint';
  makeConnector(main, { ...access, entries, isKeyHash });
}

interface Connector extends Certificates {
  readonly setting: Setting;
  readonly entries: readonly TableEntry[];
  /** Else the entries let nobody do anything. */
  readonly isUsed: boolean;
  /** The hashes are known to be of keys. */
  readonly isKeyHash: boolean;
}

function makeConnector(
  main: MainCf,
  { setting, entries, isUsed, isKeyHash, tls, ...finding }: Connector,
): void {
  if (entries.length === 0) return;
  const digest = main.parameters.get('smtpd_tls_fingerprint_digest').toLowerCase();
  const name = finding.names.make(`Clients by certificate (${setting.property})`);
  const draft = new Draft('inbound-connector', name, setting, `inbound connector ${show(name)}`);
  const pins: string[] = [];
  for (const { key: property, file, line } of entries) {
    const spot = { property, file, line };
    const hash = parseFingerprint(property);
    const pin = digest === 'sha256' && hash?.length === 32 ? hash.toString('base64') : null;
    if (pin !== null) pins.push(pin);
    if (!isUsed) draft.leave(spot, 'lets nobody relay where it stands');
    else if (pin === null) {
      const what = hash === null ? 'is no fingerprint' : 'is no SHA-256';
      draft.miss(
        spot,
        `${what}; a pin is the SHA-256 of the key, which the certificate itself tells`,
      );
    } else if (isKeyHash) draft.say(spot, 'taken-over', `pins: ${show(pin)}`);
    else draft.turnOff(spot, unclear);
  }
  Object.assign(draft.value, {
    name,
    connectorType: 'OnPremises',
    pins,
    ...tls,
    requireTls: tls.requireTls || pins.length > 0,
  });
  if (!isUsed) draft.drop('no restriction lets its clients relay by it', 'left-out');
  else if (pins.length === 0) draft.drop('no pin is known of any of its clients', 'not-possible');
  finding.drafts.push(draft);
}

const unclear =
  'Postfix compares the hash with the certificate and with its key, and nothing tells which is meant. As a pin it is of the key: compare it with the certificate, then turn the connector on';
