/**
 * The audit log as a chain: each entry holds the hash of the one before, so that none can be changed,
 * left out or put in between without every later one saying so.
 *
 * An entry is canonical JSON; its hash is over exactly that text. What is cut off at the end leaves no
 * trace in the rest: compare the newest hash with one that was noted elsewhere.
 */
import { canonicalJson } from '../standards/canonical-json/canonical-json.ts';
import { hashText } from './hash-text.ts';

/** Who did it. `gateway`: it did so by itself; `nobody`: who asked was not signed in. */
export interface AuditActor {
  readonly kind: 'socket' | 'session' | 'token' | 'nobody' | 'gateway';
  /** The name at that time; null where it is no person. */
  readonly person: string | null;
  /** The id of the session or token. */
  readonly credential: string | null;
  readonly address: string | null;
}

/** What happened. `before` and `after` hold no secrets; absent where there was nothing. */
export interface AuditEvent {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly actor: AuditActor;
  /** `what.done`, as `person.added`, `sign-in.failed`. */
  readonly action: string;
  /** Whose it was; null for what belongs to the whole gateway. */
  readonly organization: string | null;
  readonly object: { readonly kind: string; readonly name: string } | null;
  readonly reason: string | null;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** `number` counts from 1 without gaps; `previous` is the hash of the entry before, or empty. */
export interface AuditEntry extends AuditEvent {
  readonly formatVersion: 1;
  readonly number: number;
  readonly previous: string;
}

/** An entry as it is kept: its canonical text, and that text's hash. */
export interface AuditLink {
  readonly number: number;
  readonly hash: string;
  readonly json: string;
}

const secretKey = /password|secret|cookie|recovery|^(?:hash|digest|code|key)$/i;

/** The link behind `last`; null: the first one. */
export function linkAuditEvent(
  event: AuditEvent,
  last: Pick<AuditLink, 'number' | 'hash'> | null,
): AuditLink {
  const number = (last?.number ?? 0) + 1;
  const entry: AuditEntry = {
    ...event,
    ...('before' in event ? { before: withoutSecrets(event.before) } : {}),
    ...('after' in event ? { after: withoutSecrets(event.after) } : {}),
    formatVersion: 1,
    number,
    previous: last?.hash ?? '',
  };
  const json = canonicalJson(entry);
  return { number, hash: hashText(json), json };
}

/** A last guard: whoever writes an entry leaves secrets out; what is called like one does not get in. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      secretKey.test(key) && typeof each !== 'boolean' ? '(redacted)' : withoutSecrets(each),
    ]),
  );
}

/** Where a chain breaks: at which entry, and how. */
export type ChainVerdict =
  | { readonly kind: 'intact'; readonly entries: number; readonly newest: string | null }
  | { readonly kind: 'broken'; readonly number: number; readonly text: string };

/** Follows a chain from its first entry, one link after the other. */
export class ChainVerifier {
  #last: { readonly number: number; readonly hash: string } | null = null;
  #broken: ChainVerdict | null = null;

  /** Looks at the next link; false where the chain is broken and nothing more need be handed over. */
  take(link: AuditLink): boolean {
    if (this.#broken !== null) return false;
    const expected = (this.#last?.number ?? 0) + 1;
    const text = this.#judge(link, expected);
    if (text === null) this.#last = link;
    else this.#broken = { kind: 'broken', number: expected, text };
    return text === null;
  }

  /** On all that was handed over. */
  verdict(): ChainVerdict {
    if (this.#broken !== null) return this.#broken;
    return { kind: 'intact', entries: this.#last?.number ?? 0, newest: this.#last?.hash ?? null };
  }

  #judge({ number, hash, json }: AuditLink, expected: number): string | null {
    if (number !== expected) return `entry ${expected} is missing: the next one is ${number}`;
    if (hashText(json) !== hash) return `entry ${number} was changed: its hash is another one`;
    const entry = parse(json);
    if (entry === null) return `entry ${number} is no entry of this format`;
    if (entry['number'] !== number) return `entry ${number} says that it is another one`;
    if (entry['previous'] !== (this.#last?.hash ?? '')) {
      return `entry ${number} does not follow the one before it: that was changed or exchanged`;
    }
    return null;
  }
}

/** Null where it is no entry of ours. */
function parse(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(json);
    const isEntry =
      typeof value === 'object' && value !== null && 'formatVersion' in value
        ? value.formatVersion === 1
        : false;
    return isEntry ? (value as Readonly<Record<string, unknown>>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
