/** The routes of all transport maps, and the one of all other mail. */
import { show } from '../readers.ts';
import type { Spot } from './draft.ts';
import type { MoveLine } from './move-report.ts';
import type { MailPattern } from './postfix-patterns.ts';
import { formatMailPattern, parseMailPattern, widening } from './postfix-patterns.ts';
import type { Route } from './postfix-routes.ts';
import { isOrdinaryTransport, parseRoute } from './postfix-routes.ts';
import type { Table, TableEntry } from './postfix-tables.ts';

/** A route that some line gives; `spot` null: what Postfix does where nothing says otherwise. */
export interface RouteEntry {
  readonly route: Route;
  readonly spot: Spot | null;
  readonly text: string;
}

export interface TransportTable {
  /** By `contoso.com`, `.contoso.com` or `*`. */
  readonly entries: ReadonlyMap<string, RouteEntry>;
  readonly lines: readonly MoveLine[];
}

/** `matchesBelow`: transport_maps stands in parent_domain_matches_subdomains. */
export function joinTransportTables(
  tables: readonly Table[],
  matchesBelow: boolean,
): TransportTable {
  const entries = new Map<string, RouteEntry>();
  const lines: MoveLine[] = [];
  for (const table of tables) {
    for (const entry of table.entries) addEntry(table, entry, { entries, lines, matchesBelow });
  }
  return { entries, lines };
}

interface Joining {
  readonly entries: Map<string, RouteEntry>;
  readonly lines: MoveLine[];
  readonly matchesBelow: boolean;
}

function addEntry(table: Table, entry: TableEntry, joining: Joining): void {
  const { key: property, value, file, line } = entry;
  const say = (outcome: MoveLine['outcome'], why: string): void =>
    void joining.lines.push({
      subject: '',
      property,
      file,
      line,
      outcome,
      text: `${show(value)}: ${why}`,
    });
  const pattern = table.kind === 'exact' ? parseMailPattern(property) : null;
  if (pattern === null) {
    say('not-possible', whyNoPattern(table, property));
    return;
  }
  const route = parseRoute(value);
  const why = whyNoRoute(route);
  if (why !== null) {
    say('not-possible', why);
    if (route.kind === 'wrong') return;
  }
  const key = formatMailPattern(pattern);
  if (joining.entries.has(key)) {
    if (why === null) say('left-out', 'an earlier line has the same key');
    return;
  }
  joining.entries.set(key, { route, spot: { property, file, line }, text: value });
  const below = pattern.kind === 'exact' ? `.${pattern.domain}` : null;
  if (joining.matchesBelow && below !== null && !joining.entries.has(below)) {
    joining.entries.set(below, { route, spot: { property, file, line }, text: value });
  }
}

function whyNoPattern({ kind }: Table, key: string): string {
  if (kind !== 'exact') return 'a pattern: write a connector for the domains that are meant';
  if (key.includes('@')) {
    return 'routes are by domain here: a rule with sentTo and routeMessageOutboundConnector leads mail of one address elsewhere';
  }
  return 'its key is no domain';
}

function whyNoRoute(route: Route): string | null {
  if (route.kind === 'wrong') return route.text;
  if (route.kind === 'other') {
    if (route.transport === 'error' || route.transport === 'retry') {
      return 'such mail is not refused by this import: a rule with recipientDomainIs and rejectMessageReasonText does it';
    }
    if (route.transport === 'discard') {
      return 'such mail is not dropped by this import: a rule with recipientDomainIs and deleteMessage does it';
    }
    return `the transport ${route.transport} is none that sends by SMTP: make its domain an accepted domain with mailboxes or a deliveryTarget`;
  }
  if (route.kind === 'hosts' && !isOrdinaryTransport(route.transport)) return null;
  return null;
}

/** What holds for a pattern, by transport maps or by what main.cf says of all other mail. */
export function routeFor(
  pattern: MailPattern,
  { entries }: TransportTable,
  otherwise: RouteEntry,
): RouteEntry {
  for (const key of widening(pattern)) {
    const found = entries.get(key);
    if (found === undefined) continue;
    return found.route.kind === 'unchanged'
      ? { ...otherwise, spot: otherwise.spot ?? found.spot }
      : found;
  }
  return otherwise;
}
