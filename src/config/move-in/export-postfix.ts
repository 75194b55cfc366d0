/**
 * Outbound connectors as Postfix writes them: lines of smtp_tls_policy_maps and transport_maps, and what
 * belongs into main.cf besides.
 *
 * What Postfix has no words for stands beside the line as a comment; where two of its words come near,
 * the stricter one is taken.
 */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import type { SmartHost } from '../../policy/policy.ts';
import type { PolicyObject } from '../policy-object.ts';
import type { ParsedOutbound } from '../schema-connectors.ts';
import { outboundConnectorSection } from '../schema-connectors.ts';
import type { PostfixLevel } from './export-postfix-level.ts';
import { levelOf } from './export-postfix-level.ts';

export interface PostfixExport {
  readonly policyMap: string;
  readonly transportMap: string;
  readonly mainCf: string;
  /** What could not be said, each once; empty where all could. */
  readonly remarks: readonly string[];
}

/** `objects` of one organization, or of several whose domains differ. */
export function exportPostfix(objects: readonly PolicyObject[]): PostfixExport {
  const writer = new Writer(objects);
  for (const object of objects) {
    if (object.kind === 'outbound-connector') writer.add(object);
    else if (object.kind === 'inbound-connector' || object.kind === 'rule') writer.addOther(object);
  }
  return writer.result();
}

interface Line {
  readonly value: string;
  readonly level: PostfixLevel;
  readonly connector: string;
}

class Writer {
  readonly #policies = new Map<string, Line>();
  readonly #transports = new Map<string, string>();
  readonly #main = new Map<string, string>();
  /** By the key of a line; the empty key is for the whole. */
  readonly #comments = new Map<string, string[]>();
  readonly #remarks: string[] = [];
  readonly #exact: ReadonlySet<string>;
  readonly #relayed: readonly string[];
  readonly #hasRoutes: boolean;

  constructor(objects: readonly PolicyObject[]) {
    const connectors = objects.flatMap((object) => parse(object) ?? []);
    const used = connectors.filter(isUsed);
    this.#exact = new Set(
      used.flatMap(({ recipientDomains }) =>
        recipientDomains.flatMap((each) => (each.kind === 'exact' ? [each.domain] : [])),
      ),
    );
    this.#relayed = objects.flatMap(({ kind, value }) => relayedKeys(kind, value));
    this.#hasRoutes = used.some(({ smartHosts }) => smartHosts.length > 0);
  }

  add(object: PolicyObject): void {
    const connector = parse(object);
    if (connector === null) this.#say('', `"${object.name}" cannot be read`);
    else if (!connector.enabled) this.#say('', `"${connector.name}" is off`);
    else if (connector.isTransportRuleScoped) {
      this.#say('', `"${connector.name}" is chosen by rules only, and Postfix has none`);
    } else this.#addUsed(connector);
  }

  addOther({ kind, name }: PolicyObject): void {
    const what = kind === 'rule' ? 'the rule' : 'the inbound connector';
    this.#say('', `${what} "${name}" is not said by these tables`);
  }

  result(): PostfixExport {
    return {
      policyMap: this.#format([...this.#policies].map(([key, { value }]) => [key, value])),
      transportMap: this.#format([...this.#transports]),
      mainCf: [...this.#main].map(formatSetting).join(''),
      remarks: [...new Set(this.#remarks)],
    };
  }

  #addUsed(connector: ParsedOutbound): void {
    const level = levelOf(connector);
    for (const [name, value] of level.main) this.#main.set(name, value);
    const hosts = connector.smartHosts.flat();
    const isEverything = connector.routeAllMessagesViaOnPremises;
    const keys = [
      ...connector.recipientDomains.flatMap((pattern) => this.#keysOf(pattern)),
      ...(connector.allAcceptedDomains ? this.#relayed.filter((key) => !this.#isTaken(key)) : []),
      ...(isEverything ? ['*'] : []),
    ];
    const remarks = [...level.remarks, ...(isEverything ? [central] : [])];
    for (const key of keys) this.#addKey(key, connector, { level, hosts, remarks });
  }

  #isTaken(key: string): boolean {
    return this.#transports.has(key) || this.#exact.has(key);
  }

  #addKey(key: string, { name }: ParsedOutbound, { level, hosts, remarks }: Saying): void {
    const hops = hosts.map(formatHop);
    if (hops.length > 0) {
      this.#transports.set(key, `smtp:${hops.join(', ')}`);
      for (const hop of hops) this.#addPolicy(hop, { value: level.text, level, connector: name });
      for (const remark of remarks) this.#say(hops[0]!, `"${name}": ${remark}`);
      return;
    }
    // Without the line a wider route to hosts would take this mail.
    if (this.#hasRoutes && key !== '*') this.#transports.set(key, 'smtp:');
    if (key === '*') {
      for (const [parameter, value] of level.general) this.#main.set(parameter, value);
    } else this.#addPolicy(key, { value: level.text, level, connector: name });
    for (const remark of remarks) this.#say(key, `"${name}": ${remark}`);
  }

  /** A next hop has one policy: of several connectors' the strictest. */
  #addPolicy(key: string, line: Line): void {
    const before = this.#policies.get(key);
    if (before === undefined || before.value === line.value) {
      this.#policies.set(key, line);
      return;
    }
    const isStricter = line.level.strictness > before.level.strictness;
    const [kept, other] = isStricter ? [line, before] : [before, line];
    this.#policies.set(key, kept);
    this.#say(
      key,
      `"${other.connector}" asks for ${other.value} here, and one policy holds for a next hop`,
    );
  }

  #keysOf(pattern: DomainPattern): string[] {
    if (pattern.kind === 'any') return ['*'];
    if (pattern.kind === 'exact') return [pattern.domain];
    const below = `.${pattern.domain}`;
    return this.#exact.has(pattern.domain) ? [below] : [pattern.domain, below];
  }

  #say(key: string, text: string): void {
    this.#comments.set(key, [...(this.#comments.get(key) ?? []), text]);
    this.#remarks.push(text);
  }

  #format(lines: readonly (readonly [string, string])[]): string {
    const width = Math.min(40, Math.max(0, ...lines.map(([key]) => key.length)));
    const written = lines.map(([key, value]) => {
      const comments = (this.#comments.get(key) ?? []).map((text) => `# ${oneLine(text)}\n`);
      return `${comments.join('')}${key.padEnd(width)} ${value}\n`;
    });
    return written.join('');
  }
}

function formatSetting([key, value]: readonly [string, string]): string {
  const isSystem = key === 'smtp_tls_CApath';
  const comment = isSystem
    ? '# The CAs of the system, in place of those that come with Postern.\n'
    : '';
  return `${comment}${key} = ${value}\n`;
}

interface Saying {
  readonly level: PostfixLevel;
  readonly hosts: readonly SmartHost[];
  readonly remarks: readonly string[];
}

const central =
  'all mail to the outside goes here first; the routes of other connectors stay in these tables, and would go before it';

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]/g, '?');
}

function parse({ kind, value }: PolicyObject): ParsedOutbound | null {
  if (kind !== 'outbound-connector') return null;
  const read = outboundConnectorSection.safeParse(value);
  return read.success ? read.data : null;
}

function isUsed({ enabled, isTransportRuleScoped }: ParsedOutbound): boolean {
  return enabled && !isTransportRuleScoped;
}

/** The keys of a domain whose recipients are elsewhere. */
function relayedKeys(kind: string, value: Readonly<Record<string, unknown>>): string[] {
  const { domain, type, matchSubDomains } = value;
  if (kind !== 'accepted-domain' || type !== 'InternalRelay' || typeof domain !== 'string')
    return [];
  return matchSubDomains === true ? [domain, `.${domain}`] : [domain];
}

function formatHop({ host, port }: SmartHost): string {
  return port === 25 ? `[${host}]` : `[${host}]:${port}`;
}

/** The export as one text, with what belongs where. */
export function formatPostfixExport({
  policyMap,
  transportMap,
  mainCf,
  remarks,
}: PostfixExport): string {
  const said = remarks.map((text) => `# ${oneLine(text)}\n`).join('');
  return [
    `# What Postfix has no words for, or other ones:\n${said === '' ? '# nothing\n' : said}`,
    `# main.cf\n${mainCf}transport_maps = hash:/etc/postfix/transport\nsmtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n`,
    `# /etc/postfix/transport\n${transportMap}`,
    `# /etc/postfix/tls_policy\n${policyMap}`,
  ].join('\n');
}
