/** Failure codes of the command line itself. */
import type { FailureTable } from '../mail/failure.ts';

export const cliFailures = {
  'option-wrong': {
    httpStatus: 400,
    exitCode: 64,
    whatToDo: 'Run the command with --help; it shows what is right.',
  },
  'cmdlet-wrong': {
    httpStatus: 400,
    exitCode: 64,
    whatToDo: 'Run the cmdlet with -Help, or read docs/cmdlets.md; nothing was done.',
  },
  'config-missing': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Name an existing file; `postern serve` without any runs an embedded default.',
  },
  'object-wrong': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Mend what is named; nothing was changed. docs/config.md explains each key.',
  },
  'config-unusable': {
    httpStatus: 422,
    exitCode: 78,
    whatToDo: 'Mend it (`postern config check` shows all), or name the socket with --socket.',
  },
  'profile-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Look with `postern profile list`, or make it with `postern profile add`.',
  },
  'profile-unusable': {
    httpStatus: 422,
    exitCode: 78,
    whatToDo: 'Mend the file, or make the profile anew with `postern profile add`.',
  },
  'token-unusable': {
    httpStatus: 422,
    exitCode: 77,
    whatToDo: 'Put the token alone into a file that only you may read (chmod 600).',
  },
  'file-unreadable': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Name a file that you may read.',
  },
  'output-exists': {
    httpStatus: 409,
    exitCode: 73,
    whatToDo: 'Name a file that is not there yet, or move that one away.',
  },
  'input-too-large': {
    httpStatus: 413,
    exitCode: 65,
    whatToDo: 'Send large messages by SMTP submission.',
  },
  'input-silent': {
    httpStatus: 408,
    exitCode: 66,
    whatToDo: 'Give the text with --body, or end the standard input.',
  },
  'confirmation-needed': {
    httpStatus: 409,
    exitCode: 64,
    whatToDo:
      'Look first with --dry-run (in a cmdlet -WhatIf), where it is taken, then say --yes (-Confirm:$false).',
  },
  'not-confirmed': {
    httpStatus: 409,
    exitCode: 75,
    whatToDo: 'Answer y, or say --yes.',
  },
  'output-failed': {
    httpStatus: 507,
    exitCode: 74,
    whatToDo:
      'Free space where the output goes, then look whether the command did its work: it may have.',
  },
  'gateway-down': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Start the gateway, then send again: nothing was kept here.',
  },
  'address-wrong': {
    httpStatus: 400,
    exitCode: 65,
    whatToDo: 'Write it as local-part@domain.',
  },
  'policy-weaker': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'If that is wanted, say --accept-weaker-policy there.',
  },
  'sender-missing': {
    httpStatus: 422,
    exitCode: 64,
    whatToDo: 'Say who sends with --from ADDRESS.',
  },
  'password-refused': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Run the command again with another password; nothing was changed.',
  },
  'mailbox-exists': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'Choose another account, or set its password with `postern mailbox passwd`.',
  },
  'mailbox-unknown': {
    httpStatus: 404,
    exitCode: 67,
    whatToDo: 'Look for the account with `postern mailbox list`.',
  },
  'partner-exists': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'Nothing was changed; `postern connector set` changes one that is there.',
  },
  'partner-unfinished': {
    httpStatus: 409,
    exitCode: 75,
    whatToDo: 'Run it again; each question has an option too (--help).',
  },
  'partner-not-ready': {
    httpStatus: 422,
    exitCode: 69,
    whatToDo: 'Mend what is told above; without --look it is made, and its mail waits.',
  },
  'flow-refused': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Mend what is named; `postern export` shows how a policy file looks.',
  },
  'flow-unreadable': {
    httpStatus: 400,
    exitCode: 66,
    whatToDo: 'Name a file that exists and that you may read.',
  },
} satisfies FailureTable;
