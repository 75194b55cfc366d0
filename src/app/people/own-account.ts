/** What people change of themselves: password and second factor. Each time the password is asked for. */
import type {
  PasswordChange,
  RecoveryCodes,
  TotpOffer,
  TotpRemove,
} from '../../api/contract/session.ts';
import type { Actor } from '../../identity/actor.ts';
import { digestRecoveryCode, generateRecoveryCodes } from '../../identity/bearer-secret.ts';
import { openBox, sealBox } from '../../identity/secret-box.ts';
import {
  formatBase32,
  formatTotpUri,
  generateTotpSecret,
  verifyTotp,
} from '../../identity/totp.ts';
import { Failure } from '../../mail/failure.ts';
import type { StoredPerson } from '../../store/control/people.ts';
import { auditActor } from './audit-book.ts';
import type { PeopleParts } from './people-parts.ts';
import { ownPerson } from './people-parts.ts';
import { fitPasswordHash } from './person-admin.ts';
import { totpPurpose } from './second-factor.ts';
import type { SecondFactor } from './second-factor.ts';
import { personObject } from './sign-in-desk.ts';
import type { SignInDesk } from './sign-in-desk.ts';
import { endTokensOf } from './token-desk.ts';

export class OwnAccount {
  readonly #parts: PeopleParts;
  readonly #desk: SignInDesk;
  readonly #factor: SecondFactor;

  constructor(parts: PeopleParts, desk: SignInDesk, factor: SecondFactor) {
    this.#parts = parts;
    this.#desk = desk;
    this.#factor = factor;
  }

  /** All sessions and tokens end. Throws `password-wrong`, `password-unfit`, `sign-in-locked`. */
  async changePassword({ current, password }: PasswordChange, actor: Actor): Promise<void> {
    const person = await this.#proven(actor, current);
    const passwordHash = await fitPasswordHash(password, [person.name, person.displayName]);
    this.#change(person, actor, 'account.password-changed', () => {
      this.#parts.people.change(person.id, { passwordHash });
      this.#parts.links.removeOf(person.id);
      endTokensOf(this.#parts, person.id, auditActor(actor));
    });
  }

  /** A new secret, which counts once a code of it is confirmed. */
  async startTotp(password: string, actor: Actor): Promise<TotpOffer> {
    const person = await this.#proven(actor, password);
    if (person.totpBox !== null) {
      const text = 'there is an authenticator already: take it away first';
      throw new Failure('second-factor-exists', text);
    }
    const secret = generateTotpSecret();
    const totpPendingBox = sealBox(this.#parts.boxKey, secret, totpPurpose(person.id));
    this.#parts.people.change(person.id, { totpPendingBox });
    const names = { issuer: `Postern ${this.#parts.hostName}`, account: person.name };
    return { secret: formatBase32(secret), uri: formatTotpUri(secret, names) };
  }

  /** All sessions end. Throws `second-factor-wrong`. */
  confirmTotp(code: string, actor: Actor): RecoveryCodes {
    const { people, boxKey, nowMs } = this.#parts;
    const person = ownPerson(people, actor);
    const box = person.totpPendingBox;
    if (box === null) {
      throw new Failure('second-factor-not-begun', 'no authenticator waits to be confirmed');
    }
    const secret = openBox(boxKey, box, totpPurpose(person.id));
    const times = { nowMs: nowMs(), lastStep: null };
    const step = verifyTotp(secret, code.replaceAll(' ', ''), times);
    if (step === null) throw wrongCode();
    const recoveryCodes = generateRecoveryCodes();
    this.#change(person, actor, 'account.second-factor-added', () => {
      people.change(person.id, { totpBox: box, totpPendingBox: null, totpLastStep: step });
      people.setRecoveryCodes(person.id, digestsOf(recoveryCodes));
    });
    return { recoveryCodes };
  }

  /** All sessions end. Throws `password-wrong`, `second-factor-wrong`, `sign-in-locked`. */
  async removeTotp({ password, code }: TotpRemove, actor: Actor): Promise<void> {
    const person = await this.#proven(actor, password);
    if (this.#factor.take(person, code) === null) throw wrongCode();
    this.#change(person, actor, 'account.second-factor-removed', () => {
      const none = { totpBox: null, totpPendingBox: null, totpLastStep: null };
      this.#parts.people.change(person.id, none);
      this.#parts.people.setRecoveryCodes(person.id, []);
    });
  }

  async #proven(actor: Actor, password: string): Promise<StoredPerson> {
    const person = ownPerson(this.#parts.people, actor);
    if (await this.#desk.isPassword(person, password)) return ownPerson(this.#parts.people, actor);
    this.#parts.audit.noteAttempt(auditActor(actor), {
      action: 'account.password-wrong',
      object: personObject(person),
    });
    throw wrongPassword();
  }

  #change(person: StoredPerson, actor: Actor, action: string, work: () => void): void {
    const { people, change, sessions, audit } = this.#parts;
    change(() => {
      // Whoever was locked out while a new password was hashed must not have the last word.
      if (ownPerson(people, actor).passwordHash !== person.passwordHash) throw wrongPassword();
      work();
      sessions.removeOf(person.id);
      audit.note(auditActor(actor), { action, object: personObject(person) });
    });
    this.#parts.onPeopleChanged();
  }
}

function digestsOf(codes: readonly string[]): string[] {
  return codes.flatMap((code) => digestRecoveryCode(code) ?? []);
}

function wrongPassword(): Failure {
  const text = 'the present password is wrong';
  return new Failure('password-wrong', text, { wireText: text });
}

function wrongCode(): Failure {
  const text = 'the code is wrong, or was used already';
  return new Failure('second-factor-wrong', text, { wireText: text });
}
