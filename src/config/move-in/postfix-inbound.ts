/** Inbound connectors of what Postfix demands of clients, and of whom it lets send to the outside. */
import { addressRange } from '../mail-readers.ts';
import { show } from '../readers.ts';
import { Draft } from './draft.ts';
import type { MoveLine } from './move-report.ts';
import type { Finding, InboundTls } from './postfix-client-certificates.ts';
import { importClientCertificates } from './postfix-client-certificates.ts';
import type { MainCf, Setting } from './postfix-main-cf.ts';
import { settingOf, spotOf } from './postfix-main-cf.ts';
import { splitWords } from './postfix-lines.ts';
import { grantsRelay } from './postfix-restrictions.ts';
import type { TableReader } from './postfix-tables.ts';
import { parseProtocols } from './postfix-tls-policy.ts';
import type { UniqueNames } from './unique-names.ts';

export interface ImportedInbound {
  readonly drafts: readonly Draft[];
  readonly lines: readonly MoveLine[];
  readonly told: ReadonlySet<string>;
}

export function importInboundFlow(
  main: MainCf,
  tables: TableReader,
  names: UniqueNames,
): ImportedInbound {
  const told = new Set<string>();
  const lines: MoveLine[] = [];
  const drafts: Draft[] = [];
  const isForced = takeLevel(main, { told, lines, drafts, names });
  const tls = tlsOf(main, isForced);
  takeNetworks(main, tables, { told, lines, drafts, names, tls });
  importClientCertificates(main, tables, { told, lines, drafts, names, tls });
  return { drafts, lines, told };
}

/** `smtpd_tls_security_level`, or the two older switches. Whether TLS is demanded of everybody. */
function takeLevel(main: MainCf, { told, lines, drafts, names }: Finding): boolean {
  const { parameters } = main;
  const level = parameters.get('smtpd_tls_security_level').toLowerCase();
  const found = ['smtpd_tls_security_level', 'smtpd_enforce_tls', 'smtpd_use_tls'].flatMap(
    (name) => settingOf(main, name) ?? [],
  );
  for (const { property } of found) told.add(property);
  const [first] = found;
  if (first === undefined) return false;
  const isForced = level === '' ? parameters.isYes('smtpd_enforce_tls') : level === 'encrypt';
  if (isForced) drafts.push(forceAll(main, first, names));
  for (const setting of found) {
    if (isForced && setting === first) continue;
    const { property, file, line } = setting;
    const value = parameters.get(property);
    lines.push({
      subject: '',
      property,
      file,
      line,
      ...judgeLevel(property, value, level, isForced),
    });
  }
  return isForced;
}

function judgeLevel(
  property: string,
  value: string,
  level: string,
  isForced: boolean,
): Pick<MoveLine, 'outcome' | 'text'> {
  if (property !== 'smtpd_tls_security_level') {
    if (level !== '')
      return { outcome: 'left-out', text: 'has no effect beside smtpd_tls_security_level' };
    if (isForced) return { outcome: 'left-out', text: 'smtpd_enforce_tls says it already' };
    return { outcome: 'left-out', text: `${value}: TLS is always offered here` };
  }
  if (value === 'may') return { outcome: 'taken-over', text: 'may: TLS is offered to everybody' };
  if (value === 'none' || value === '') {
    return { outcome: 'changed', text: 'TLS is always offered here' };
  }
  return { outcome: 'not-possible', text: `${show(value)} is no level` };
}

/** What every inbound connector demands of TLS, whoever it is for. */
function tlsOf({ parameters }: MainCf, requireTls: boolean): InboundTls {
  const { oldest } = parseProtocols(parameters.get('smtpd_tls_mandatory_protocols'));
  return requireTls && oldest === 'TLSv1.3' ? { requireTls, minVersion: oldest } : { requireTls };
}

function forceAll(main: MainCf, setting: Setting, names: UniqueNames): Draft {
  const name = names.make('All mail must be encrypted');
  const draft = new Draft('inbound-connector', name, setting, `inbound connector ${show(name)}`);
  Object.assign(draft.value, { name, senderDomains: ['*'], ...tlsOf(main, true) });
  draft.protects = 'mail from everybody';
  draft.say(
    setting,
    'taken-over',
    'encrypt: senderDomains: ["*"], requireTls: true; mail in clear is refused',
  );
  return draft;
}

interface Networks extends Finding {
  readonly tls: InboundTls;
}

/** Clients that may send to the outside by their address. */
function takeNetworks(main: MainCf, tables: TableReader, finding: Networks): void {
  const setting = settingOf(main, 'mynetworks');
  const style = settingOf(main, 'mynetworks_style');
  const { lines, told } = finding;
  if (style !== null) {
    told.add('mynetworks_style');
    const isUsed = setting === null;
    lines.push({
      ...spotOf(style),
      subject: '',
      outcome: isUsed ? 'not-possible' : 'left-out',
      text: isUsed
        ? `${show(main.parameters.get('mynetworks_style'))}: the networks of the machine are not known here; write senderIPAddresses of an OnPremises connector`
        : 'has no effect beside mynetworks',
    });
  }
  if (setting === null) return;
  told.add('mynetworks');
  if (!grantsRelay(main, 'permit_mynetworks')) {
    const text =
      'no restriction lets them relay (permit_mynetworks, before what refuses mail to others)';
    lines.push({ ...spotOf(setting), subject: '', outcome: 'left-out', text });
    return;
  }
  makeNetworks(main, tables, { ...finding, setting });
}

function makeNetworks(
  main: MainCf,
  tables: TableReader,
  { lines, drafts, names, tls, setting }: Networks & { readonly setting: Setting },
): void {
  const name = names.make('Own networks (mynetworks)');
  const draft = new Draft('inbound-connector', name, setting, `inbound connector ${show(name)}`);
  const words = splitWords(main.parameters.get('mynetworks'));
  const { ranges, wrong } = readNetworks(words, tables, setting);
  if (words.some((word) => word.startsWith('!'))) {
    const text =
      'exceptions ("!") cannot be said, so none of the networks may relay: list what is meant without them';
    lines.push({ ...spotOf(setting), subject: '', outcome: 'not-possible', text });
    return;
  }
  for (const why of wrong) draft.miss(spotOf(setting), why);
  Object.assign(draft.value, {
    name,
    connectorType: 'OnPremises',
    senderIPAddresses: ranges,
    ...tls,
  });
  const text = `senderIPAddresses: ${show(ranges)}; from there mail to the outside is taken where MAIL FROM is in an accepted domain, and not with any other sender`;
  draft.say(spotOf(setting), 'changed', text);
  if (ranges.length === 0) draft.drop('it names no network that can be read', 'not-possible');
  drafts.push(draft);
}

function readNetworks(
  words: readonly string[],
  tables: TableReader,
  at: Setting,
): { readonly ranges: readonly string[]; readonly wrong: readonly string[] } {
  const ranges: string[] = [];
  const wrong: string[] = [];
  for (const word of words) {
    const isTable = word.startsWith('/') || /^[a-z]{3,}:/.test(word);
    if (!isTable) {
      addRange(word, ranges, wrong);
      continue;
    }
    const table = word.startsWith('/') ? tables.readList(word) : tables.read(word, at);
    if (table.problem !== null) wrong.push(`${word}: ${table.problem}`);
    for (const { key, value } of table.entries) {
      const isGood = table.kind !== 'cidr' || /^(?:ok|permit)\b/i.test(value);
      if (isGood) addRange(key, ranges, wrong);
      else wrong.push(`${key} ${value}: only OK can be said of a network`);
    }
  }
  return { ranges, wrong };
}

/** `[::1]/128` and `127.0.0.0/8`. */
function addRange(word: string, ranges: string[], wrong: string[]): void {
  const bare = word.replace(/^\[([^\]]+)\]/, '$1');
  const read = addressRange().read(bare);
  if ('value' in read) ranges.push(bare);
  else wrong.push(`${show(word)} is no network that can be read`);
}
