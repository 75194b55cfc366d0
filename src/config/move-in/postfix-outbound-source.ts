/** What main.cf and its tables say about mail that leaves, read for `postfix-outbound.ts`. */
import { show } from '../readers.ts';
import type { MoveLine } from './move-report.ts';
import { anchorsIn } from './postfix-anchors.ts';
import type { PostfixParameters } from './postfix-expand.ts';
import type { MainCf, Setting } from './postfix-main-cf.ts';
import { settingOf, spotOf } from './postfix-main-cf.ts';
import { splitWords } from './postfix-lines.ts';
import type { OutboundSource } from './postfix-effects.ts';
import { joinPolicyTables } from './postfix-policy-table.ts';
import { parseHosts, parseRoute } from './postfix-routes.ts';
import type { Table, TableReader } from './postfix-tables.ts';
import type { TlsPolicy } from './postfix-tls-policy.ts';
import { parseTlsPolicy, tlsLevels } from './postfix-tls-policy.ts';
import type { RouteEntry, TransportTable } from './postfix-transports.ts';
import { joinTransportTables } from './postfix-transports.ts';

interface Context {
  /** Domains that are handed on, and whether what is below them is too. */
  readonly relayed: ReadonlyMap<string, boolean>;
  readonly clientCertificate: string | null;
}

export interface ReadOutbound {
  readonly source: OutboundSource;
  readonly lines: readonly MoveLine[];
  readonly told: ReadonlySet<string>;
  readonly unprotected: readonly string[];
}

export function readOutboundSource(
  main: MainCf,
  tables: TableReader,
  { relayed, clientCertificate }: Context,
): ReadOutbound {
  const reading = new Reading(main, tables);
  const policyTables = reading.tables('smtp_tls_policy_maps', 'mail to next hops in it');
  const policies = joinPolicyTables(policyTables);
  const transportTables = reading.tables('transport_maps', null);
  const matchesBelow = splitWords(main.parameters.get('parent_domain_matches_subdomains')).includes(
    'transport_maps',
  );
  const own = joinTransportTables(transportTables, matchesBelow);
  const otherwise = reading.otherwise();
  const transports = withRelayTransport(own, reading.relayRoute(), relayed);
  const otherPolicy = reading.otherPolicy();
  reading.anchors();
  const source: OutboundSource = {
    policies,
    transports,
    otherwise,
    otherPolicy,
    settings: settingsOf(main.parameters),
    ownDomains: new Set(relayed.keys()),
    clientCertificate,
  };
  const lines = [...reading.lines, ...policies.lines, ...own.lines];
  return { source, lines, told: reading.told, unprotected: reading.unprotected };
}

function settingsOf(parameters: PostfixParameters): OutboundSource['settings'] {
  const words = (name: string): string[] => splitWords(parameters.get(name));
  return {
    anchors: anchorsIn(parameters),
    verifyMatch: words('smtp_tls_verify_cert_match'),
    secureMatch: words('smtp_tls_secure_cert_match'),
    fingerprintMatch: words('smtp_tls_fingerprint_cert_match').flatMap((word) => word.split('|')),
    mandatoryProtocols: parameters.get('smtp_tls_mandatory_protocols'),
    digest: parameters.get('smtp_tls_fingerprint_digest').toLowerCase(),
  };
}

/** relay_transport with a next hop is a route for each domain that is handed on. */
function withRelayTransport(
  table: TransportTable,
  relay: RouteEntry | null,
  relayed: ReadonlyMap<string, boolean>,
): TransportTable {
  if (relay === null) return table;
  const entries = new Map(table.entries);
  for (const [domain, isBelow] of relayed) {
    const keys = isBelow ? [domain, `.${domain}`] : [domain];
    for (const key of keys) if (!entries.has(key)) entries.set(key, relay);
  }
  return { ...table, entries };
}

class Reading {
  readonly lines: MoveLine[] = [];
  readonly told = new Set<string>();
  readonly unprotected: string[] = [];
  readonly #main: MainCf;
  readonly #tables: TableReader;

  constructor(main: MainCf, tables: TableReader) {
    this.#main = main;
    this.#tables = tables;
  }

  /** `protects`: what is not protected where a table cannot be read; null where it protects nothing. */
  tables(name: string, protects: string | null): readonly Table[] {
    const setting = this.#setting(name);
    if (setting === null) return [];
    const found = this.#tables.readAll(this.#main.parameters.get(name), setting);
    for (const table of found) {
      const isRead = table.problem === null;
      const text = isRead
        ? `${table.name}: ${table.entries.length} lines, each told by its line`
        : `${table.name}: ${table.problem}`;
      this.#say(setting, isRead ? 'taken-over' : 'not-possible', text);
      if (!isRead && protects !== null) this.unprotected.push(`${protects} (${table.name})`);
    }
    if (found.length === 0) this.#say(setting, 'left-out', 'names no table');
    return found;
  }

  /** default_transport with a next hop, else relayhost, else by MX. */
  otherwise(): RouteEntry {
    const byTransport = this.#routeOf('default_transport');
    const relayhost = this.#setting('relayhost');
    const value = this.#main.parameters.get('relayhost');
    if (relayhost !== null && value === '')
      this.#say(relayhost, 'left-out', 'no host: mail goes by MX');
    if (relayhost === null || value === '') return byTransport ?? byMx;
    if (byTransport !== null) {
      this.#say(relayhost, 'left-out', 'has no effect beside the next hop of default_transport');
      return byTransport;
    }
    const route = parseHosts(value);
    if (route.kind === 'hosts') return { route, spot: spotOf(relayhost), text: value };
    this.#say(relayhost, 'not-possible', `${show(value)}: is no host that can be read`);
    return byMx;
  }

  /** relay_transport with a next hop; null where it has none. */
  relayRoute(): RouteEntry | null {
    return this.#routeOf('relay_transport');
  }

  #routeOf(name: string): RouteEntry | null {
    const setting = this.#setting(name);
    if (setting === null) return null;
    const value = this.#main.parameters.get(name);
    const route = value.includes(':') ? parseRoute(value) : null;
    if (route?.kind === 'hosts') return { route, spot: spotOf(setting), text: value };
    const isPlain = ['smtp', 'relay', 'smtp:', 'relay:', ''].includes(value);
    if (isPlain) this.#say(setting, 'left-out', `${value}: as where it is not written`);
    else this.#say(setting, 'not-possible', `${show(value)}: is no way that mail goes here`);
    return null;
  }

  /** The policy of next hops that no table names. */
  otherPolicy(): OutboundSource['otherPolicy'] {
    const { parameters, file } = this.#main;
    const setting = this.#setting('smtp_tls_security_level');
    const older = ['smtp_enforce_tls', 'smtp_use_tls', 'smtp_tls_enforce_peername'].flatMap(
      (name) => this.#setting(name) ?? [],
    );
    const level = parameters.get('smtp_tls_security_level').toLowerCase();
    const implied = parameters.isYes('smtp_enforce_tls')
      ? parameters.isYes('smtp_tls_enforce_peername')
        ? 'verify'
        : 'encrypt'
      : 'may';
    const word = level === '' ? implied : level;
    for (const each of older) {
      const why =
        level === '' ? `read as level ${word}` : 'has no effect beside smtp_tls_security_level';
      this.#say(each, level === '' ? 'taken-over' : 'left-out', why);
    }
    const first = setting ?? older[0];
    const spot = first === undefined ? { file, line: 1 } : spotOf(first);
    return { policy: this.#policyOf(word, setting), spot };
  }

  #policyOf(word: string, setting: Setting | null): TlsPolicy {
    const isLevel = tlsLevels.some((level) => level === word);
    if (word === 'dane' || word === 'half-dane') {
      const text = `${word}: DANE is not looked up yet, so TLSA records do not bind; mail goes over TLS where the other side offers it`;
      if (setting !== null) this.#say(setting, 'not-possible', text);
      this.unprotected.push('mail to domains that publish TLSA records');
      return parseTlsPolicy('may');
    }
    if (setting !== null) this.#say(setting, ...sayLevel(word, isLevel));
    return parseTlsPolicy(word);
  }

  anchors(): void {
    const { value } = anchorsIn(this.#main.parameters);
    const hasOwn = this.#main.parameters.get('smtp_tls_trust_anchor_file') !== '';
    for (const name of ['smtp_tls_CAfile', 'smtp_tls_CApath', 'smtp_tls_trust_anchor_file']) {
      const setting = this.#setting(name);
      if (setting === null) continue;
      const isOwn = name === 'smtp_tls_trust_anchor_file';
      const written = this.#main.parameters.get(name);
      const isTaken = written === value || (value === 'system' && !isOwn);
      if (isOwn && written === '') this.#say(setting, 'left-out', 'names no file');
      else if (hasOwn && !isOwn) {
        this.#say(setting, 'left-out', 'has no effect beside smtp_tls_trust_anchor_file');
      } else if (isTaken) {
        const text = `anchors: ${show(value)} on connectors that demand a certificate`;
        this.#say(setting, 'taken-over', text);
      } else this.#say(setting, 'changed', 'is told at the connectors that demand a certificate');
    }
  }

  #setting(name: string): Setting | null {
    const setting = settingOf(this.#main, name);
    if (setting !== null) this.told.add(name);
    return setting;
  }

  #say(setting: Setting, outcome: MoveLine['outcome'], text: string): void {
    this.lines.push({ ...spotOf(setting), subject: '', outcome, text });
  }
}

const byMx: RouteEntry = { route: { kind: 'mx', transport: '' }, spot: null, text: '' };

function sayLevel(word: string, isLevel: boolean): [MoveLine['outcome'], string] {
  if (!isLevel) return ['not-possible', `${show(word)} is no level; Postfix keeps mail waiting`];
  if (word === 'none') return ['changed', 'none: TLS is used where the other side offers it'];
  if (word === 'may') {
    const text =
      'may: TLS where the other side offers it; but where a handshake fails mail waits, and is not sent in clear (clearTextAfterFailedTls)';
    return ['changed', text];
  }
  return ['taken-over', `${word}: a connector for all other mail, told below`];
}
