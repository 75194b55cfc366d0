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
  'sign-in-refused': {
    httpStatus: 401,
    exitCode: 77,
    whatToDo:
      'Look at name and password; an administrator sets a new one with `postern person password`.',
  },
  'second-factor-needed': {
    httpStatus: 401,
    exitCode: 77,
    whatToDo: 'Send the same again with the code of the authenticator, or with a recovery code.',
  },
  'second-factor-wrong': {
    httpStatus: 401,
    exitCode: 77,
    whatToDo: "Wait for the authenticator's next code, and look at the clock of its device.",
  },
  'second-factor-exists': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'Take the present authenticator away first.',
  },
  'second-factor-not-begun': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'Begin with a new authenticator, then confirm it.',
  },
  'password-wrong': {
    httpStatus: 403,
    exitCode: 77,
    whatToDo: 'Give the password that the account has now.',
  },
  'password-unfit': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo:
      'Choose a longer password, such as several words that have nothing to do with each other.',
  },
  'person-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Look for the name with `postern person list`.',
  },
  'person-exists': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'Choose another name, or change the person that is there.',
  },
  'organization-unknown': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Look for its id with `postern config print`.',
  },
  'last-administrator': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: "Make somebody else gateway administrator first, or do it over the gateway's socket.",
  },
  'invitation-unusable': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Ask for a new link: `postern person invite`.',
  },
  'administrator-exists': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'Invite somebody by name: `postern person invite NAME`.',
  },
  'name-needed': {
    httpStatus: 400,
    exitCode: 64,
    whatToDo: 'Give the name that the first administrator is to sign in with.',
  },
  'token-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Look for its id with `postern token list`.',
  },
  'tokens-full': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'Remove tokens that nobody uses any more.',
  },
  'oidc-not-configured': {
    httpStatus: 409,
    exitCode: 78,
    whatToDo: 'Set `signIn.oidc` and an HTTPS listener in the configuration.',
  },
  'oidc-unreachable': {
    httpStatus: 502,
    exitCode: 69,
    whatToDo:
      'Look whether the gateway reaches the provider, and at `issuer` in the configuration.',
  },
  'oidc-refused': {
    httpStatus: 401,
    exitCode: 77,
    whatToDo:
      'Begin again; if it stays so, compare issuer, client and redirect URI at the provider with the configuration.',
  },
  'oidc-person-unknown': {
    httpStatus: 403,
    exitCode: 77,
    whatToDo:
      'An administrator adds the person with `postern person add NAME --oidc-subject SUBJECT`; the audit log has the subject.',
  },
  'identity-key-unusable': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo:
      'Put identity.key back from a backup; or remove it and let those with an authenticator enrol anew.',
  },
  'oidc-secret-unusable': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo: 'Make the file readable to the user that Postern runs as, with the secret in it.',
  },
} satisfies FailureTable;
