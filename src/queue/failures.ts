/** Failures of the queue: codes, and what an administrator does about each. */
import type { FailureTable } from '../mail/failure.ts';

export const queueFailures = {
  'queue-stopped': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'The gateway is stopping; try again after it has restarted.',
  },
} satisfies FailureTable;
