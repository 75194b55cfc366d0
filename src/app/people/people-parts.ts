/** What the parts that deal with people share: tables, the audit log, the key, the clock. */
import { randomBytes } from 'node:crypto';
import type { Actor } from '../../identity/actor.ts';
import type { Grant, Permission, Role } from '../../identity/permissions.ts';
import { permissions, roles } from '../../identity/permissions.ts';
import type { SessionRules } from '../../identity/session-rules.ts';
import { Failure } from '../../mail/failure.ts';
import type { AuditLog } from '../../store/control/audit.ts';
import type { ControlFile } from '../../store/control/control-file.ts';
import type { People, StoredGrant, StoredPerson } from '../../store/control/people.ts';
import type { Sessions } from '../../store/control/sessions.ts';
import type { Links, Tokens } from '../../store/control/tokens.ts';
import { AuditBook } from './audit-book.ts';

export interface PeopleSettings {
  readonly control: ControlFile;
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
  const { control, nowMs } = settings;
  const { people, tokens, links, sessions, audit: log } = control;
  return {
    ...settings,
    people,
    tokens,
    links,
    sessions,
    log,
    audit: new AuditBook(log, nowMs),
    change: (work) => control.change(work),
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
