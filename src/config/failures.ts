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
} satisfies FailureTable;
