/** Failures of this room: listening is the one thing that its surroundings can refuse. */
import type { FailureTable } from '../mail/failure.ts';

export const receivingFailures = {
  'listen-failed': {
    httpStatus: 500,
    exitCode: 71,
    whatToDo:
      'Free the address and port or configure others; ports below 1024 need privileges or sockets from systemd.',
  },
} satisfies FailureTable;
