/** The TLS policies of all policy maps together, by next hop; and what cannot be looked up. */
import { show } from '../readers.ts';
import type { Spot } from './draft.ts';
import type { MoveLine } from './move-report.ts';
import { formatMailPattern, parseMailPattern, patternsOfExpression } from './postfix-patterns.ts';
import type { Table, TableEntry } from './postfix-tables.ts';
import type { TlsPolicy } from './postfix-tls-policy.ts';
import { parseTlsPolicy, strictnessOf } from './postfix-tls-policy.ts';

/** One line of a policy map. */
export interface PolicyEntry extends Spot {
  readonly policy: TlsPolicy;
  /** As written. */
  readonly text: string;
}

export interface PolicyTable {
  /** By `contoso.com`, `.contoso.com`, or a next hop such as `[mail.contoso.com]:587`. */
  readonly entries: ReadonlyMap<string, PolicyEntry>;
  /** What is said of lines that are in no entry. */
  readonly lines: readonly MoveLine[];
}

export function joinPolicyTables(tables: readonly Table[]): PolicyTable {
  const builder = new Builder(tables.length === 1);
  for (const table of tables) builder.add(table);
  return { entries: builder.entries, lines: builder.lines };
}

class Builder {
  readonly entries = new Map<string, PolicyEntry>();
  readonly lines: MoveLine[] = [];
  readonly #isAlone: boolean;

  constructor(isAlone: boolean) {
    this.#isAlone = isAlone;
  }

  add(table: Table): void {
    let isStopped = false;
    for (const entry of table.entries) {
      if (table.kind === 'exact') this.#addEntry(entry.key, entry);
      else isStopped = this.#addPattern(table, entry, isStopped) || isStopped;
    }
  }

  /** True where the order of the rest can no longer be kept. */
  #addPattern({ kind }: Table, entry: TableEntry, isStopped: boolean): boolean {
    const patterns = kind === 'pattern' ? patternsOfExpression(entry.key) : null;
    const why = !this.#isAlone
      ? 'stands in a table of patterns beside another table, which Postfix asks first for some domains only'
      : isStopped
        ? 'stands behind a pattern that is not one of domains, and Postfix takes the first that matches'
        : patterns === null
          ? 'is a pattern that is not one of domains'
          : null;
    if (why !== null || patterns === null) {
      this.#say(
        entry,
        `${show(entry.value)}: ${why ?? 'is no pattern'}; write a connector for the domains that are meant`,
      );
      return true;
    }
    const keys = patterns.map(formatMailPattern);
    const isCovered = keys.every((key) => this.#isTaken(key));
    if (isCovered) this.#leave(entry, 'an earlier line takes all of this mail');
    else for (const key of keys) if (!this.#isTaken(key)) this.#put(key, entry);
    return false;
  }

  /** An earlier pattern matches all of it; the first that matches counts. */
  #isTaken(key: string): boolean {
    const pattern = parseMailPattern(key);
    if (pattern === null || pattern.kind === 'any') return false;
    const labels = pattern.domain.split('.');
    const above = labels.map((_, place) => `.${labels.slice(place).join('.')}`);
    const wider = pattern.kind === 'exact' ? above.slice(1) : above;
    return this.entries.has(key) || wider.some((each) => this.entries.has(each));
  }

  #addEntry(key: string, entry: TableEntry): void {
    const before = this.entries.get(key);
    if (before === undefined) {
      this.#put(key, entry);
      return;
    }
    const policy = parseTlsPolicy(entry.value);
    if (strictnessOf(policy) <= strictnessOf(before.policy)) {
      const text = `an earlier line has the same key and is no less strict (${before.file}:${before.line})`;
      this.#leave(entry, text);
      return;
    }
    const { property, file, line, text } = before;
    const why = `${show(text)}: a later line has the same key and is stricter, so that one is taken (${entry.file}:${entry.line})`;
    this.lines.push({ subject: '', property, file, line, outcome: 'changed', text: why });
    this.#put(key, entry);
  }

  #put(key: string, { key: property, value, file, line }: TableEntry): void {
    this.entries.set(key, { property, file, line, text: value, policy: parseTlsPolicy(value) });
  }

  #say({ key: property, file, line }: TableEntry, text: string): void {
    this.lines.push({ subject: '', property, file, line, outcome: 'not-possible', text });
  }

  #leave({ key: property, value, file, line }: TableEntry, why: string): void {
    const text = `${show(value)}: ${why}`;
    this.lines.push({ subject: '', property, file, line, outcome: 'left-out', text });
  }
}

/** The entry for a next hop: its own, or where it is a domain that of a domain above it. */
export function findPolicy({ entries }: PolicyTable, key: string): PolicyEntry | null {
  const own = entries.get(key.toLowerCase());
  if (own !== undefined) return own;
  const pattern = parseMailPattern(key);
  if (pattern === null || pattern.kind === 'any') return null;
  const labels = pattern.domain.split('.');
  for (let place = 1; place < labels.length; place++) {
    const found = entries.get(`.${labels.slice(place).join('.')}`);
    if (found !== undefined) return found;
  }
  return null;
}
