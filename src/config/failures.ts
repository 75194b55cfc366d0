/** Failure codes of the config room. What is wrong in a file is no Failure but a `ConfigProblem`. */
import type { FailureTable } from '../mail/failure.ts';

export const configFailures = {
  'default-not-written': {
    httpStatus: 500,
    exitCode: 73,
    whatToDo: 'Make the data folder writable, or start with a configuration file of your own.',
  },
} satisfies FailureTable;
