/**
 * Signing in and out: password, then the second factor, then a new session.
 *
 * Whatever is wrong with name, password or account is one answer after the same work.
 */
import type { Credentials, OpenedSession } from '../../api/people-services.ts';
import type { SignInOrder } from '../../api/contract/session.ts';
import type { Actor } from '../../identity/actor.ts';
import { digestSecret, generateSecret } from '../../identity/bearer-secret.ts';
import { readSessionCookie } from '../../identity/session-rules.ts';
import { createSignIn } from '../../identity/sign-in.ts';
import type { SignIn, SignInOptions } from '../../identity/sign-in.ts';
import { Failure } from '../../mail/failure.ts';
import type { StoredPerson } from '../../store/control/people.ts';
import { auditActor, nobodyAt } from './audit-book.ts';
import type { Happening } from './audit-book.ts';
import { sessionActor } from './authenticate.ts';
import { describeSession } from './describe-session.ts';
import type { PeopleParts } from './people-parts.ts';
import { newId, timeAt } from './people-parts.ts';
import type { SecondFactor } from './second-factor.ts';

/** Sessions that one person has at once; the oldest ends for a new one. */
const sessionsMax = 50;

export class SignInDesk {
  readonly #parts: PeopleParts;
  readonly #factor: SecondFactor;
  readonly #passwords: SignIn;

  constructor(parts: PeopleParts, factor: SecondFactor, options: SignInOptions = {}) {
    this.#parts = parts;
    this.#factor = factor;
    // Nothing is remembered: people sign in seldom, and each time must count against the lock.
    this.#passwords = createSignIn([], { ...options, rememberMs: 0 });
    this.learnPeople();
  }

  /** Takes on who may sign in with which password; after each change of people. */
  learnPeople(): void {
    this.#passwords.replaceCredentials(
      this.#parts.people
        .list()
        .flatMap(({ name, passwordHash, isEnabled }) =>
          passwordHash === null || !isEnabled
            ? []
            : [{ organization: '', account: name, addresses: [], passwordHash }],
        ),
    );
  }

  async signIn(order: SignInOrder, credentials: Credentials): Promise<OpenedSession> {
    const name = order.name.toLowerCase();
    const person = await this.#byPassword(name, order.password, credentials);
    if (person.totpBox === null) {
      return this.open(person, credentials, { action: 'sign-in.succeeded' });
    }
    if (order.code === null) {
      this.#noteAttempt(person, credentials, 'sign-in.code-asked');
      const text = 'the code of the authenticator is needed, too';
      throw new Failure('second-factor-needed', text, { wireText: text });
    }
    return this.#withCode(person, order.code, credentials);
  }

  /** Whether this is the person's password; counted against the same lock as signing in. */
  async isPassword(person: StoredPerson, password: string): Promise<boolean> {
    return (await this.#verify(person.name, password)) !== null;
  }

  signOut(actor: Actor): void {
    const { sessions, audit, change } = this.#parts;
    if (actor.credential === null || actor.kind !== 'session') return;
    const { credential } = actor;
    change(() => {
      sessions.remove(credential);
      audit.note(auditActor(actor), { action: 'sign-out', object: personObject(actor.person) });
    });
  }

  /** A new session with a secret of its own; the one that the browser came with ends. */
  open(person: StoredPerson, credentials: Credentials, what: Happening): OpenedSession {
    const { people, sessions, audit, change, nowMs } = this.#parts;
    const secret = generateSecret('session');
    const id = newId();
    const now = nowMs();
    const actor = sessionActor(person, id, credentials.address);
    change(() => {
      const earlier = readSessionCookie(credentials.cookie);
      const ended = earlier === null ? null : sessions.byDigest(digestSecret(earlier));
      if (ended !== null) sessions.remove(ended.id);
      const open = sessions.listOf(person.id);
      for (const each of open.slice(0, Math.max(0, open.length + 1 - sessionsMax))) {
        sessions.remove(each.id);
      }
      const times = { signedInAtMs: now, lastSeenAtMs: now };
      const session = { id, person: person.id, ...times, address: credentials.address };
      sessions.add(session, digestSecret(secret));
      people.change(person.id, { lastSignedInAt: timeAt(now) });
      audit.note(auditActor(actor), { ...what, object: personObject(person) });
    });
    return { secret, session: describeSession(this.#parts, actor) };
  }

  async #byPassword(
    name: string,
    password: string,
    credentials: Credentials,
  ): Promise<StoredPerson> {
    const known = this.#parts.people.byName(name);
    try {
      const person = await this.#verify(name, password);
      if (person !== null) return person;
    } catch (error) {
      const isLocked = error instanceof Failure && error.code === 'sign-in-locked';
      if (isLocked) this.#noteAttempt(known, credentials, 'sign-in.locked');
      throw error;
    }
    this.#noteAttempt(known, credentials, 'sign-in.failed');
    const text = 'name or password is wrong';
    throw new Failure('sign-in-refused', text, { wireText: text });
  }

  /** Whose password it is; null also where it was changed, or the account switched off, meanwhile. */
  async #verify(name: string, password: string): Promise<StoredPerson | null> {
    const { people } = this.#parts;
    const asked = people.byName(name);
    const signedIn = await this.#passwords.authenticate(name, password).catch(unnamed);
    const person = signedIn === null ? null : people.byName(signedIn.account);
    if (person?.isEnabled !== true || person.passwordHash !== asked?.passwordHash) return null;
    return person;
  }

  #withCode(person: StoredPerson, code: string, credentials: Credentials): OpenedSession {
    const taken = this.#parts.change(() => this.#factor.take(person, code));
    if (taken === null) {
      const action = this.#factor.isLocked(person) ? 'sign-in.locked' : 'sign-in.code-wrong';
      this.#noteAttempt(person, credentials, action);
      const text = 'the code is wrong, or was used already';
      throw new Failure('second-factor-wrong', text, { wireText: text });
    }
    const by = taken.recovery ? 'recovery code' : 'authenticator';
    return this.open(person, credentials, { action: 'sign-in.succeeded', after: { by } });
  }

  /** A name that nobody has is not written down: it may be a password in the wrong field. */
  #noteAttempt(person: StoredPerson | null, { address }: Credentials, action: string): void {
    this.#parts.audit.noteAttempt(nobodyAt(address), { action, object: personObject(person) });
  }
}

/** What the lock calls a name tells whether somebody has it: that is for the mail log, not for who asks here. */
function unnamed(error: unknown): never {
  if (!(error instanceof Failure) || error.code !== 'sign-in-locked') throw error;
  const text = 'too many failed sign-ins, try again later';
  throw new Failure(error.code, text, { wireText: text, cause: error });
}

export function personObject(person: { readonly name: string } | null) {
  return person === null ? null : { kind: 'person', name: person.name };
}
