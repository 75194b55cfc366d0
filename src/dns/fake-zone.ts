/** DNS data as a test or a rehearsal writes it, and the answers that follow from it. */
import { aliasHopsMax, clampTtl, failAnswer } from './question.ts';
import type { AnswerTo, QuestionType, RecordOf } from './question.ts';
import type { DnsFailureCode, MxRecord, TlsaRecord } from './resolver.ts';

/** What one name has. A name with an empty entry exists without data. */
export interface FakeEntry {
  readonly mx?: readonly MxRecord[];
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly txt?: readonly string[];
  readonly tlsa?: readonly TlsaRecord[];
  /** The name is an alias of this one; its own records are then not seen. */
  readonly cname?: string;
  /** Signed and validated: the AD bit. Absence means no. */
  readonly isAuthentic?: boolean;
  /** 300 where absent. */
  readonly ttlSeconds?: number;
  /** Questions that fail, by type. */
  readonly failures?: Readonly<Partial<Record<QuestionType, DnsFailureCode>>>;
  /** How long each answer about this name takes; 0 where absent. */
  readonly delayMs?: number;
}

/** By canonical name. A name that neither is here nor has one below it does not exist. */
export type FakeZone = ReadonlyMap<string, FakeEntry>;

/** `{ 'contoso.com': { mx: [{ preference: 10, exchange: 'mx.contoso.com' }] } }` as a zone. */
export function fakeZone(entries: Readonly<Record<string, FakeEntry>>): Map<string, FakeEntry> {
  return new Map(Object.entries(entries));
}

/** The records of one type that an entry has; empty where it has none. */
export function recordsOf<T extends QuestionType>(
  entry: FakeEntry,
  type: T,
): readonly RecordOf[T][] {
  const all: { readonly [K in QuestionType]: readonly RecordOf[K][] | undefined } = {
    A: entry.a,
    AAAA: entry.aaaa,
    MX: entry.mx,
    TXT: entry.txt,
    TLSA: entry.tlsa,
  };
  return all[type] ?? [];
}

/** Whether the name exists: itself, or as an empty step on the way to a longer one. */
export function existsIn(zone: FakeZone, name: string): boolean {
  if (zone.has(name)) return true;
  return Array.from(zone.keys()).some((known) => known.endsWith(`.${name}`));
}

/** The answer to one question, aliases followed; authentic only where every step is. */
export function answerFromZone<T extends QuestionType>(
  zone: FakeZone,
  type: T,
  name: string,
): AnswerTo<T> {
  let current = name;
  let isAuthentic = true;
  let ttl = Infinity;
  for (let hops = 0; hops <= aliasHopsMax; hops++) {
    const entry = zone.get(current);
    isAuthentic &&= entry?.isAuthentic ?? false;
    if (entry === undefined) {
      const kind = existsIn(zone, current) ? 'no-data' : 'no-such-domain';
      return { kind, isAuthentic };
    }
    const code = entry.failures?.[type];
    if (code !== undefined) return failAnswer({ type, name }, code, `programmed as ${code}`);
    ttl = Math.min(ttl, entry.ttlSeconds ?? 300);
    if (entry.cname === undefined) {
      const records = recordsOf(entry, type);
      if (records.length === 0) return { kind: 'no-data', isAuthentic };
      return { kind: 'found', records, isAuthentic, ttlSeconds: clampTtl(ttl) };
    }
    current = entry.cname;
  }
  return failAnswer({ type, name }, 'alias-loop', `more than ${aliasHopsMax} aliases`);
}
