/**
 * One-time links: for the first administrator of a gateway that has nobody, and for people who are to
 * choose a password. Whoever has one may use it, once, for a day.
 */
import type { Credentials } from '../../api/people-services.ts';
import type { Acceptance, InvitationView } from '../../api/contract/people.ts';
import type { Actor } from '../../identity/actor.ts';
import { digestSecret, generateSecret, isSecretOf } from '../../identity/bearer-secret.ts';
import { Failure } from '../../mail/failure.ts';
import type { StoredPerson } from '../../store/control/people.ts';
import type { AuditBook } from './audit-book.ts';
import { auditActor, nobodyAt } from './audit-book.ts';
import type { PeopleParts } from './people-parts.ts';
import { knownPerson, timeAt } from './people-parts.ts';
import { emptyPerson, fitPasswordHash } from './person-admin.ts';
import { personObject } from './sign-in-desk.ts';
import { endTokensOf } from './token-desk.ts';

const validMs = 24 * 3_600_000;

/** Throws `person-unknown`, and `administrator-exists` for a first administrator where there is somebody. */
export function invite(
  parts: PeopleParts,
  name: string | null,
  by: Parameters<AuditBook['note']>[0],
): InvitationView {
  const { people, links, audit, change } = parts;
  return change(() => {
    const person = name === null ? null : knownPerson(people, name);
    if (person === null) refuseWhereSomebody(parts);
    const secret = generateSecret('link');
    const expiresAtMs = parts.nowMs() + validMs;
    links.put({ person: person?.id ?? null, expiresAtMs }, digestSecret(secret));
    const action = person === null ? 'invitation.made-for-first' : 'invitation.made';
    audit.note(by, { action, object: personObject(person) });
    const publicUrl = parts.publicUrl();
    return {
      person: person?.name ?? null,
      secret,
      // Behind the hash sign it is sent to no server and stands in no log.
      url: publicUrl === null ? null : `${publicUrl}/welcome#${secret}`,
      expiresAt: timeAt(expiresAtMs),
    };
  });
}

export function inviteAs(parts: PeopleParts, name: string | null, actor: Actor): InvitationView {
  return invite(parts, name, auditActor(actor));
}

/** The name that may sign in now. Throws `invitation-unusable`, `password-unfit`, `person-exists`. */
export async function accept(
  parts: PeopleParts,
  order: Acceptance,
  { address }: Credentials,
): Promise<string> {
  const { links, people, audit } = parts;
  const digest = isSecretOf('link', order.secret) ? digestSecret(order.secret) : '';
  const asked = usable(parts, digest, order);
  const hash = await fitPasswordHash(order.password, [asked.name, asked.displayName]);
  const name = parts.change(() => {
    // Of two who use it at once only the first finds it.
    const person = usable(parts, digest, order);
    links.take(digest);
    if (people.byId(person.id) === null) people.add(person);
    else parts.sessions.removeOf(person.id);
    endTokensOf(parts, person.id, nobodyAt(address));
    people.change(person.id, { passwordHash: hash });
    const after = { grants: person.grants, hasPassword: true };
    audit.note(nobodyAt(address), {
      action: 'invitation.accepted',
      object: personObject(person),
      after,
    });
    return person.name;
  });
  parts.onPeopleChanged();
  return name;
}

/** Whose link it is; a first administrator is somebody who is not there yet. */
function usable(parts: PeopleParts, digest: string, { name }: Acceptance): StoredPerson {
  const link = parts.links.read(digest);
  if (link === null || link.expiresAtMs <= parts.nowMs()) throw unusable();
  if (link.person !== null) {
    const person = parts.people.byId(link.person);
    if (person?.isEnabled !== true) throw unusable();
    return person;
  }
  if (parts.people.count() > 0) throw unusable();
  if (name === null) {
    throw new Failure('name-needed', 'the first administrator must have a name');
  }
  const grants = [{ role: 'gateway-administrator', organization: null }];
  return { ...emptyPerson(name, timeAt(parts.nowMs())), grants };
}

function unusable(): Failure {
  const text = 'this link does not count: it was used, replaced by a newer one, or is too old';
  return new Failure('invitation-unusable', text, { wireText: text });
}

function refuseWhereSomebody({ people }: PeopleParts): void {
  if (people.count() === 0) return;
  const text = 'there are people already: name the one who is to be invited';
  throw new Failure('administrator-exists', text);
}
