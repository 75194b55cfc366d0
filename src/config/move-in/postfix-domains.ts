/** Accepted domains, and the servers that keep their mailboxes, of what Postfix says about its domains. */
import { show } from '../readers.ts';
import { targetAddress } from '../recipient-readers.ts';
import { Draft } from './draft.ts';
import type { MoveLine } from './move-report.ts';
import type { MainCf, Setting } from './postfix-main-cf.ts';
import { settingOf, spotOf } from './postfix-main-cf.ts';
import { splitWords } from './postfix-lines.ts';
import { lmtpTls } from './postfix-lmtp-tls.ts';
import { parseMailPattern } from './postfix-patterns.ts';
import type { TableReader } from './postfix-tables.ts';

export interface ImportedDomains {
  readonly drafts: readonly Draft[];
  readonly lines: readonly MoveLine[];
  /** Parameters that are told of. */
  readonly told: ReadonlySet<string>;
  /** Domains that are handed on, and whether what is below them is too. */
  readonly relayed: ReadonlyMap<string, boolean>;
}

/** Parameters that name domains, and how their mail is treated. */
const lists = [
  {
    name: 'mydestination',
    type: 'Authoritative',
    transports: ['mailbox_transport', 'local_transport'],
  },
  { name: 'virtual_mailbox_domains', type: 'Authoritative', transports: ['virtual_transport'] },
  { name: 'virtual_alias_domains', type: 'Authoritative', transports: [] },
  { name: 'relay_domains', type: 'InternalRelay', transports: [] },
] as const;

type List = (typeof lists)[number];

export function importDomains(main: MainCf, tables: TableReader): ImportedDomains {
  const importing = new Importing(main, tables);
  for (const list of lists) importing.addList(list);
  return importing;
}

class Importing implements ImportedDomains {
  readonly drafts: Draft[] = [];
  readonly lines: MoveLine[] = [];
  readonly told = new Set<string>();
  readonly relayed = new Map<string, boolean>();
  readonly #main: MainCf;
  readonly #tables: TableReader;
  readonly #seen = new Map<string, string>();
  readonly #targets = new Map<string, string>();

  constructor(main: MainCf, tables: TableReader) {
    this.#main = main;
    this.#tables = tables;
  }

  addList(list: List): void {
    const { parameters } = this.#main;
    const setting = settingOf(this.#main, list.name);
    // Only what is written: the name of the machine alone is no domain of an organization.
    if (setting === null) return;
    this.told.add(list.name);
    const words = splitWords(parameters.get(list.name));
    const target = this.#targetOf(list);
    const said = words.flatMap((word) => this.#addWord(word, { list, setting, target }));
    const text = said.length === 0 ? 'no domain' : said.join('; ');
    const outcome = this.#outcomeOf(said);
    this.lines.push({ ...spotOf(setting), subject: '', outcome, text });
  }

  #outcomeOf(said: readonly string[]): MoveLine['outcome'] {
    if (said.some((each) => each.includes(notPossible))) return 'not-possible';
    return said.some((each) => each.includes('accepted')) ? 'taken-over' : 'left-out';
  }

  /** A name, a path of names, or a table whose keys are names. */
  #addWord(word: string, context: WordContext): string[] {
    const isPath = word.startsWith('/');
    if (!isPath && !/^\w+:/.test(word)) return [this.#addName(word, context, context.setting)];
    const table = isPath ? this.#tables.readList(word) : this.#tables.read(word, context.setting);
    if (table.problem !== null) return [`${word} ${notPossible}: ${table.problem}`];
    if (table.kind !== 'exact') return [`${word} ${notPossible}: name its domains one by one`];
    const names = table.entries.filter(({ key }) => !key.includes('@'));
    for (const { key: property, file, line } of names) {
      const text = this.#addName(property, context, { file, line, property });
      const outcome = this.#outcomeOf([text]);
      this.lines.push({ subject: '', property, file, line, outcome, text });
    }
    return [`${word}: ${names.length} domains accepted, each told by its line`];
  }

  #addName(name: string, { list, target }: WordContext, spot: Place): string {
    const pattern = parseMailPattern(name.toLowerCase());
    if (pattern === null || pattern.kind === 'any')
      return `${show(name)} ${notPossible}: it is no domain`;
    const { domain } = pattern;
    if (domain === 'localhost' || domain.startsWith('localhost.'))
      return `${domain} is this machine itself`;
    const owner = this.#seen.get(domain);
    if (owner !== undefined) return `${domain} stands in ${owner} already`;
    this.#seen.set(domain, list.name);
    const isRelay = list.type === 'InternalRelay';
    const isBelow = isRelay && (pattern.kind === 'below' || this.#matchesBelow());
    if (isRelay) this.relayed.set(domain, isBelow);
    const draft = new Draft('accepted-domain', domain, spot, `accepted domain ${show(domain)}`);
    Object.assign(draft.value, {
      domain,
      ...(isRelay ? { type: 'InternalRelay' } : {}),
      ...(isBelow ? { matchSubDomains: true } : {}),
      ...(target === null ? {} : { deliveryTarget: target }),
    });
    this.drafts.push(draft);
    return `${domain} accepted${isBelow ? ' with all below it' : ''}, ${whoKeeps(list, target)}`;
  }

  #matchesBelow(): boolean {
    return splitWords(this.#main.parameters.get('parent_domain_matches_subdomains')).includes(
      'relay_domains',
    );
  }

  /** The delivery target of an LMTP transport; null where the list has none. */
  #targetOf({ transports }: List): string | null {
    for (const name of transports) {
      const setting = settingOf(this.#main, name);
      if (setting === null) continue;
      this.told.add(name);
      const target = this.#makeTarget(setting);
      if (target !== null) return target;
    }
    return null;
  }

  #makeTarget(setting: Setting): string | null {
    const value = this.#main.parameters.get(setting.property);
    const known = this.#targets.get(value);
    if (known !== undefined) return known;
    const address = lmtpAddress(value, this.#main.parameters.get('queue_directory'));
    if (address === null || !('value' in targetAddress().read(address))) {
      const text = `${show(value)}: is no LMTP server; name mailboxes, or the deliveryTarget that keeps them`;
      this.lines.push({ ...spotOf(setting), subject: '', outcome: 'not-possible', text });
      return null;
    }
    const name = `LMTP ${address}`.slice(0, 64);
    const draft = new Draft('delivery-target', name, setting, `delivery target ${show(name)}`);
    const isLocal = /^unix:|^127\.|^localhost\b|^\[::1\]/.test(address);
    const tls = isLocal ? null : lmtpTls(address, this.#main.parameters);
    Object.assign(draft.value, { name, protocol: 'lmtp', address, ...tls?.keys });
    const what = `address: ${show(address)}, lmtp`;
    if (tls === null) draft.say(setting, 'taken-over', what);
    else draft.say(setting, 'changed', `${what}; ${tls.text}`);
    this.drafts.push(draft);
    this.#targets.set(value, name);
    return name;
  }
}

interface Place {
  readonly property: string;
  readonly file: string;
  readonly line: number;
}

interface WordContext {
  readonly list: List;
  readonly setting: Setting;
  readonly target: string | null;
}

const notPossible = 'is not possible';

function whoKeeps({ type }: List, target: string | null): string {
  if (type === 'InternalRelay') return 'its recipients are asked of the server that keeps them';
  if (target !== null) return `its mailboxes are kept by ${target}`;
  return 'name its mailboxes or the deliveryTarget that keeps them, else its mail is refused';
}

/** `lmtp:unix:private/dovecot-lmtp`, `lmtp:inet:host:port`, `lmtp:[host]:port`; null else. */
function lmtpAddress(value: string, queueFolder: string): string | null {
  const rest = /^lmtp:(.+)$/.exec(value.trim())?.[1];
  if (rest === undefined) return null;
  if (rest.startsWith('unix:')) {
    const path = rest.slice('unix:'.length);
    return `unix:${path.startsWith('/') ? path : `${queueFolder}/${path}`}`;
  }
  const host = rest.replace(/^inet:/, '');
  const bracketed = /^\[([^\]]+)\](.*)$/.exec(host);
  if (bracketed === null) return host;
  const [, inner = '', port = ''] = bracketed;
  return inner.includes(':') ? host : `${inner}${port}`;
}
