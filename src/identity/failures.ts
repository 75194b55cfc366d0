/** Failure codes of the identity room. */
import type { FailureTable } from '../mail/failure.ts';

export const identityFailures = {
  'sign-in-busy': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Try again in a few seconds; too many clients sign in at once.',
  },
  'sign-in-locked': {
    httpStatus: 429,
    exitCode: 75,
    whatToDo:
      'Find out who fails to sign in to this account; it opens by itself after at most an hour.',
  },
  'password-hash-unusable': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo: 'Set the passwordHash of this account anew, as an argon2id hash with usual costs.',
  },
  'secret-unreadable': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo:
      'Put the key file of the data folder back from the same backup as control.db, or enrol the authenticator anew.',
  },
} satisfies FailureTable;
