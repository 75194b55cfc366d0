/** What the parts that deal with people share: tables, the audit log, the key, the clock. */
import { randomBytes } from 'node:crypto';
import type { Actor } from '../../identity/actor.ts';
import type { Grant, Permission, Role } from '../../identity/permissions.ts';
import { permissions, roles } from '../../identity/permissions.ts';
import type { SessionRules } from '../../identity/session-rules.ts';
import { Failure } from '../../mail/failure.ts';
import { AuditLog } from '../../store/control/audit.ts';
import { People } from '../../store/control/people.ts';
import type { StoredGrant, StoredPerson } from '../../store/control/people.ts';
import { Sessions } from '../../store/control/sessions.ts';
import { Links, Tokens } from '../../store/control/tokens.ts';
import type { ControlFile } from '../../store/control/control-rows.ts';
import { inTransaction } from '../../store/control/control-rows.ts';
import { AuditBook } from './audit-book.ts';

export interface PeopleSettings {
  /** The opened control file. */
  readonly db: ControlFile;
  /** 32 bytes: what authenticator secrets are encrypted with. */
  readonly boxKey: Uint8Array;
  /** Shown in authenticator apps. */
  readonly hostName: string;
  readonly sessionRules: SessionRules;
  /** Whether there is such an organization now. */
  readonly hasOrganization: (id: string) => boolean;
  /** Where people come in over HTTPS, as `https://host:port`; null where they cannot. */
  readonly publicUrl: () => string | null;
  /** The provider of OpenID Connect; null where there is none. */
  readonly oidcIssuer: string | null;
  readonly nowMs: () => number;
}

export interface PeopleParts extends PeopleSettings {
  readonly people: People;
  readonly tokens: Tokens;
  readonly links: Links;
  readonly sessions: Sessions;
  readonly log: AuditLog;
  readonly audit: AuditBook;
  /** All of a change, with its entry in the audit log, or nothing. */
  readonly change: <Result>(work: () => Result) => Result;
  /** Whoever signs in with a password is known anew. */
  readonly onPeopleChanged: () => void;
}

export function makeParts(settings: PeopleSettings): PeopleParts {
  const { db, nowMs } = settings;
  const log = new AuditLog(db);
  return {
    ...settings,
    people: new People(db),
    tokens: new Tokens(db),
    links: new Links(db),
    sessions: new Sessions(db),
    log,
    audit: new AuditBook(log, nowMs),
    change: (work) => inTransaction(db, work),
    onPeopleChanged: () => undefined,
  };
}

/** Names something in the audit log; no secret. */
export function newId(): string {
  return randomBytes(9).toString('base64url');
}

export function timeAt(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** Throws `person-unknown`. */
export function knownPerson(people: People, name: string): StoredPerson {
  const person = people.byName(name);
  if (person === null) throw new Failure('person-unknown', `there is no person "${name}"`);
  return person;
}

/** The signed-in person of an account. Throws `person-unknown` where the actor is none. */
export function ownPerson(people: People, actor: Actor): StoredPerson {
  const person = actor.person === null ? null : people.byId(actor.person.id);
  if (person === null) throw new Failure('person-unknown', 'whoever asks is no person here');
  return person;
}

/** Roles that an earlier or later program knows, and this one does not, give nothing. */
export function knownGrants(stored: readonly StoredGrant[]): readonly Grant[] {
  return stored.flatMap(({ role, organization }) => (isRole(role) ? [{ role, organization }] : []));
}

function isRole(word: string): word is Role {
  return (roles as readonly string[]).includes(word);
}

export function knownPermissions(words: readonly string[]): readonly Permission[] {
  return permissions.filter((permission) => words.includes(permission));
}
