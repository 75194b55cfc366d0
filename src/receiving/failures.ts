/** Failures of this room: listening is the one thing that its surroundings can refuse. */
import type { FailureTable } from '../mail/failure.ts';

export const receivingFailures = {
  'listen-failed': {
    httpStatus: 500,
    exitCode: 71,
    whatToDo:
      'Free the address and port or configure others; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE.',
  },
} satisfies FailureTable;
