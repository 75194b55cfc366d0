/** Adds, changes and removes people; whatever takes something away ends their sessions. */
import type { PersonAdd, PersonChangeOrder, PersonView } from '../../api/contract/people.ts';
import type { Actor } from '../../identity/actor.ts';
import { hashPassword } from '../../identity/password-hash.ts';
import { judgePassword } from '../../identity/password-rules.ts';
import { Failure } from '../../mail/failure.ts';
import type { PersonChange, StoredGrant, StoredPerson } from '../../store/control/people.ts';
import { auditActor } from './audit-book.ts';
import type { PeopleParts } from './people-parts.ts';
import { knownPerson, newId, timeAt } from './people-parts.ts';
import { personObject } from './sign-in-desk.ts';
import { endTokensOf } from './token-desk.ts';

export function describePerson({ people, sessions }: PeopleParts, person: StoredPerson) {
  const { name, displayName, isEnabled, grants, passwordHash, totpBox, oidc } = person;
  return {
    name,
    displayName,
    isEnabled,
    grants: grants.map(({ role, organization }) => ({ role, organization })),
    hasPassword: passwordHash !== null,
    hasSecondFactor: totpBox !== null,
    recoveryCodesLeft: people.countRecoveryCodes(person.id),
    oidc,
    createdAt: person.createdAt,
    lastSignedInAt: person.lastSignedInAt,
    sessions: sessions.listOf(person.id).length,
  } satisfies PersonView;
}

/** Throws `person-exists`, `organization-unknown`, `oidc-not-configured`. */
export function addPerson(parts: PeopleParts, order: PersonAdd, actor: Actor): PersonView {
  const { people, audit, change } = parts;
  const { name, displayName, grants, reason } = order;
  const person: StoredPerson = {
    ...emptyPerson(name, timeAt(parts.nowMs())),
    displayName,
    oidc: subjectOf(parts, order.oidcSubject),
    grants: checkedGrants(parts, grants),
  };
  refuseTaken(parts, person, null);
  return change(() => {
    people.add(person);
    const view = describePerson(parts, people.byId(person.id)!);
    const what = { action: 'person.added', object: personObject(person), reason };
    audit.note(auditActor(actor), { ...what, after: changeable(view) });
    return view;
  });
}

export function emptyPerson(name: string, createdAt: string): StoredPerson {
  return {
    id: newId(),
    name,
    displayName: null,
    isEnabled: true,
    passwordHash: null,
    totpBox: null,
    totpPendingBox: null,
    totpLastStep: null,
    oidc: null,
    createdAt,
    lastSignedInAt: null,
    grants: [],
  };
}

/** Throws as `addPerson`, and `person-unknown`, `password-unfit`, `last-administrator`. */
export async function changePerson(
  parts: PeopleParts,
  target: { readonly name: string; readonly order: PersonChangeOrder },
  actor: Actor,
): Promise<PersonView> {
  const { people, audit } = parts;
  const { name, order } = target;
  const asked = knownPerson(people, name);
  // Hashing takes a while: what the person is then is read after it.
  const secrets = await newSecrets(asked, order);
  const view = parts.change(() => {
    const before = knownPerson(people, name);
    const plain = plainChange(parts, before, order);
    people.change(before.id, { ...plain, ...secrets });
    if (order.grants !== undefined) people.setGrants(before.id, checkedGrants(parts, order.grants));
    if (order.secondFactor === null) people.setRecoveryCodes(before.id, []);
    const after = knownPerson(people, name);
    refuseLast(parts, actor);
    const endsSessions = takesAway(before, after);
    if (endsSessions) parts.sessions.removeOf(before.id);
    if (order.password !== undefined) {
      parts.links.removeOf(before.id);
      endTokensOf(parts, before.id, auditActor(actor));
    }
    audit.note(auditActor(actor), {
      action: 'person.changed',
      object: personObject(before),
      reason: order.reason,
      before: changeable(describePerson(parts, before)),
      after: {
        ...changeable(describePerson(parts, after)),
        ...(order.password === undefined ? {} : { isPasswordChanged: true }),
      },
    });
    return describePerson(parts, after);
  });
  parts.onPeopleChanged();
  return view;
}

/** Throws `person-unknown`, `last-administrator`. */
export function removePerson(
  parts: PeopleParts,
  target: { readonly name: string; readonly reason: string | null },
  actor: Actor,
): void {
  const { people, audit, change } = parts;
  change(() => {
    const person = knownPerson(people, target.name);
    const before = changeable(describePerson(parts, person));
    people.remove(person.id);
    refuseLast(parts, actor);
    audit.note(auditActor(actor), {
      action: 'person.removed',
      object: personObject(person),
      reason: target.reason,
      before,
    });
  });
  parts.onPeopleChanged();
}

/** Throws `password-unfit`. */
export async function fitPasswordHash(
  password: string,
  names: readonly (string | null)[],
): Promise<string> {
  const known = names.filter((name) => name !== null);
  const problem = judgePassword(password, known);
  if (problem === null) return hashPassword(password);
  const text = `the password ${problem}`;
  throw new Failure('password-unfit', text, { wireText: text });
}

async function newSecrets(person: StoredPerson, order: PersonChangeOrder): Promise<PersonChange> {
  const { password, secondFactor } = order;
  const names = [person.name, person.displayName];
  return {
    ...(password === undefined
      ? {}
      : { passwordHash: password === null ? null : await fitPasswordHash(password, names) }),
    ...(secondFactor === null ? { totpBox: null, totpPendingBox: null, totpLastStep: null } : {}),
  };
}

function plainChange(
  parts: PeopleParts,
  person: StoredPerson,
  order: PersonChangeOrder,
): PersonChange {
  const { displayName, isEnabled, oidcSubject } = order;
  const change: PersonChange = {
    ...(displayName === undefined ? {} : { displayName }),
    ...(isEnabled === undefined ? {} : { isEnabled }),
    ...(oidcSubject === undefined ? {} : { oidc: subjectOf(parts, oidcSubject) }),
  };
  refuseTaken(parts, { name: person.name, oidc: change.oidc ?? null }, person.id);
  return change;
}

function subjectOf({ oidcIssuer }: PeopleParts, subject: string | null): StoredPerson['oidc'] {
  if (subject === null) return null;
  if (oidcIssuer !== null) return { issuer: oidcIssuer, subject };
  const text = 'no provider of OpenID Connect is configured, so its subjects mean nothing here';
  throw new Failure('oidc-not-configured', text);
}

function refuseTaken(
  { people }: PeopleParts,
  { name, oidc }: Pick<StoredPerson, 'name' | 'oidc'>,
  own: string | null,
): void {
  const byName = people.byName(name);
  if (byName !== null && byName.id !== own) {
    throw new Failure('person-exists', `there is a person "${name}" already`);
  }
  const bySubject = oidc === null ? null : people.bySubject(oidc);
  if (bySubject === null || bySubject.id === own) return;
  const text = `this subject of the provider is "${bySubject.name}" already`;
  throw new Failure('person-exists', text);
}

/** Each once. Throws `organization-unknown`. */
function checkedGrants(
  { hasOrganization }: PeopleParts,
  grants: readonly StoredGrant[],
): readonly StoredGrant[] {
  for (const { role, organization } of grants) {
    if (organization === null || hasOrganization(organization)) continue;
    const text = `there is no organization "${organization}" to be ${role} of`;
    throw new Failure('organization-unknown', text);
  }
  const unique = new Map(grants.map((grant) => [`${grant.role} ${grant.organization}`, grant]));
  return [...unique.values()];
}

/** Over the network nobody takes away the last account that can give it back. */
function refuseLast({ people, oidcIssuer }: PeopleParts, actor: Actor): void {
  if (actor.kind === 'socket') return;
  const isLeft = people.list().some(({ isEnabled, grants, passwordHash, oidc }) => {
    const canSignIn = passwordHash !== null || (oidc !== null && oidc.issuer === oidcIssuer);
    const isAdministrator = grants.some(
      ({ role, organization }) => role === 'gateway-administrator' && organization === null,
    );
    return isEnabled && canSignIn && isAdministrator;
  });
  if (isLeft) return;
  const text = 'this would leave no gateway administrator who can sign in';
  throw new Failure('last-administrator', text);
}

/** A name that is shown may change under a session; what one may do, and signs in with, may not. */
function takesAway(before: StoredPerson, after: StoredPerson): boolean {
  const words = (person: StoredPerson): string =>
    JSON.stringify([
      person.isEnabled,
      person.passwordHash,
      person.totpBox === null,
      person.oidc,
      person.grants,
    ]);
  return words(before) !== words(after);
}

/** What of a person goes into the audit log: what a change can change. */
function changeable(view: PersonView) {
  const { displayName, isEnabled, grants, hasPassword, hasSecondFactor, oidc } = view;
  return { displayName, isEnabled, grants, hasPassword, hasSecondFactor, oidc };
}
