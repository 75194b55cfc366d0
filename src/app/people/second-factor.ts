/**
 * The second factor of a person: codes of an authenticator, and recovery codes in its place.
 *
 * Wrong ones are counted by themselves: each right password would forget them.
 */
import { digestRecoveryCode, digestSecret } from '../../identity/bearer-secret.ts';
import type { LockoutRules } from '../../identity/lockout.ts';
import { Lockout } from '../../identity/lockout.ts';
import { openBox } from '../../identity/secret-box.ts';
import { verifyTotp } from '../../identity/totp.ts';
import { Failure } from '../../mail/failure.ts';
import type { StoredPerson } from '../../store/control/people.ts';
import type { PeopleParts } from './people-parts.ts';

/** Of 333 thousand codes that are wrong at a time, five may be tried in a row. */
const lockoutRules: LockoutRules = {
  freeFailures: 5,
  firstMs: 60_000,
  maxMs: 3_600_000,
  forgetAfterMs: 24 * 3_600_000,
  strangersMax: 1,
};

export class SecondFactor {
  readonly #parts: PeopleParts;
  readonly #lockout = new Lockout(lockoutRules);

  constructor(parts: PeopleParts) {
    this.#parts = parts;
  }

  /**
   * Whether the code is right; it counts once. `recovery` says that it was a recovery code.
   * Throws `sign-in-locked`.
   */
  take(person: StoredPerson, code: string): { readonly recovery: boolean } | null {
    const nowMs = this.#parts.nowMs();
    if (this.#lockout.isLocked(person.id, nowMs)) {
      const text = 'too many wrong codes: the second factor of this account is locked for a time';
      throw new Failure('sign-in-locked', text, { wireText: text });
    }
    const recovery = digestRecoveryCode(code);
    const isRight =
      recovery === null
        ? this.#takeTotp(person, code)
        : this.#parts.people.useRecoveryCode(person.id, recovery);
    if (isRight) {
      this.#lockout.recordSuccess(person.id);
      return { recovery: recovery !== null };
    }
    const digest = digestSecret(code);
    this.#lockout.recordFailure(person.id, digest, { isKnown: true, nowMs });
    return null;
  }

  /** Whether this failure was the one that locked. */
  isLocked(person: StoredPerson): boolean {
    return this.#lockout.isLocked(person.id, this.#parts.nowMs());
  }

  #takeTotp(person: StoredPerson, code: string): boolean {
    const { boxKey, people, nowMs } = this.#parts;
    // Anew from the store: of two requests at once with one code only the first is let in.
    const current = people.byId(person.id);
    if (current === null || current.totpBox === null) return false;
    const secret = openBox(boxKey, current.totpBox, totpPurpose(current.id));
    const times = { nowMs: nowMs(), lastStep: current.totpLastStep };
    const step = verifyTotp(secret, code.replaceAll(' ', ''), times);
    if (step === null) return false;
    people.change(current.id, { totpLastStep: step });
    return true;
  }
}

/** What an authenticator's secret is sealed for. */
export function totpPurpose(personId: string): string {
  return `totp ${personId}`;
}
