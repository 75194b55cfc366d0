/** Failure codes of the config room. What is wrong in a file is no Failure but a `ConfigProblem`. */
import type { FailureTable } from '../mail/failure.ts';

export const configFailures = {
  'default-not-written': {
    httpStatus: 500,
    exitCode: 73,
    whatToDo: 'Make the data folder writable, or start with a configuration file of your own.',
  },
  'config-not-writable': {
    httpStatus: 500,
    exitCode: 73,
    whatToDo: 'Run the command as the owner of the file, or as root, and look at the folder too.',
  },
  'config-changed': {
    httpStatus: 409,
    exitCode: 75,
    whatToDo: 'Look at what was changed, and run the command again.',
  },
  'config-edit-failed': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Edit the file by hand; docs/config.md shows the keys.',
  },
  'object-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'List the objects of this kind, and use the name as it stands there.',
  },
  'object-exists': {
    httpStatus: 412,
    exitCode: 73,
    whatToDo: 'Take another name, or change the one that is there.',
  },
  'object-changed': {
    httpStatus: 412,
    exitCode: 75,
    whatToDo: 'Read it again, look at what somebody else changed, and repeat the change on that.',
  },
  'policy-changed': {
    httpStatus: 412,
    exitCode: 75,
    whatToDo: 'Look at what somebody else changed (postern revision show), and plan it again.',
  },
  'object-in-use': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'Change or remove what depends on it first, or in the same change.',
  },
  'object-misplaced': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo:
      'Name the organization for what is in one, and none for organizations and certificates.',
  },
  'means-not-yours': {
    httpStatus: 403,
    exitCode: 77,
    whatToDo: 'Ask an administrator of the gateway to set it.',
  },
  'object-name-differs': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Leave the name out of the value; to rename, make a new one and remove the old one.',
  },
  'policy-refused': {
    httpStatus: 422,
    exitCode: 78,
    whatToDo: 'Mend what is named; nothing was changed.',
  },
  'policy-asks-less': {
    httpStatus: 409,
    exitCode: 65,
    whatToDo: 'If that is meant, say why with a reason; nothing was changed.',
  },
  'revision-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'List the revisions, and name one of them.',
  },
} satisfies FailureTable;
