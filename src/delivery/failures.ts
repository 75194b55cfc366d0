/** Failures of this room: none of mail, which are outcomes; those of mailboxes on disk. */
import type { FailureTable } from '../mail/failure.ts';

export const deliveryFailures = {
  'mailbox-write': {
    httpStatus: 500,
    exitCode: 74,
    whatToDo:
      "Free space on the disk of the mailboxes, or let the gateway's user write there; mail waits.",
  },
} as const satisfies FailureTable;
