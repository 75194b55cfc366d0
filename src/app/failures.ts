/** Failure codes of the composition root. The exit codes are those of sysexits(3). */
import type { FailureTable } from '../mail/failure.ts';

export const appFailures = {
  'config-refused': {
    httpStatus: 422,
    exitCode: 78,
    whatToDo: 'Mend the named lines of the configuration; `postern config check` shows them again.',
  },
  'data-folder-taken': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Stop the other gateway that runs on this data folder, or give this one its own.',
  },
  'data-folder-unusable': {
    httpStatus: 503,
    exitCode: 73,
    whatToDo: 'Make the data folder writable to the user that Postern runs as.',
  },
  'data-folder-missing': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Name the data folder of a gateway with --data, or its configuration with --config.',
  },
  'migration-refused': {
    httpStatus: 503,
    exitCode: 73,
    whatToDo:
      'Mend what the text says (mostly: free disk space) and start again; or go on with the older Postern.',
  },
  'backup-exists': {
    httpStatus: 409,
    exitCode: 73,
    whatToDo: 'Name a folder that does not exist; a backup never overwrites anything.',
  },
  'backup-misplaced': {
    httpStatus: 422,
    exitCode: 64,
    whatToDo: 'Name a folder outside of the data folder, best on another disk.',
  },
  'backup-running': {
    httpStatus: 409,
    exitCode: 75,
    whatToDo: 'Wait for the other one to end, or end it.',
  },
  'backup-disk-full': {
    httpStatus: 507,
    exitCode: 73,
    whatToDo: 'Free disk space or write to another disk.',
  },
  'backup-failed': {
    httpStatus: 500,
    exitCode: 74,
    whatToDo: 'Mend what the text says; run it as a user who may read and write what it names.',
  },
  'backup-outrun': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Take the backup again.',
  },
  'backup-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo:
      'Name the folder that `postern backup` made, the one with manifest.json; or start the newer Postern that wrote it.',
  },
  'backup-damaged': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Use another backup; `postern verify` shows all that is wrong with this one.',
  },
  'restore-refused': {
    httpStatus: 409,
    exitCode: 73,
    whatToDo:
      'Restore into a new folder, or say --replace: what is there is moved aside, not removed.',
  },
  'user-missing': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo: 'Set `user` in the configuration; Postern does not read the network as root.',
  },
  'user-unknown': {
    httpStatus: 500,
    exitCode: 67,
    whatToDo: 'Create the user named by `user`, or name another.',
  },
  'port-taken': {
    httpStatus: 503,
    exitCode: 69,
    whatToDo: 'Stop the process that has the port, or give the listener another one.',
  },
  'socket-unknown': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo: 'Give the socket unit the FileDescriptorName of a listener, or add that listener.',
  },
  'port-not-allowed': {
    httpStatus: 503,
    exitCode: 77,
    whatToDo:
      'Ports below 1024 need a start as root with `user` in the configuration, the capability CAP_NET_BIND_SERVICE, or sockets of systemd.',
  },
  'lane-unavailable': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Try again in a few seconds; the log says why the lane is down.',
  },
  'lane-died': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: "Read the lane's last log lines; it is started again by itself.",
  },
  'submission-refused': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Correct the addresses or the message as the text says.',
  },
  'submission-deferred': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Send it again later; the text names the mail-flow rule that cannot be decided now.',
  },
  'recipient-unverified': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Send it again later; look why the server that keeps the mailbox does not answer.',
  },
  'certificate-not-written': {
    httpStatus: 500,
    exitCode: 73,
    whatToDo: "Run the command as root or as the gateway's user, and look at the folder.",
  },
  'outbound-connector-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Name an outbound connector as the configuration does, or give a draft of it.',
  },
  'draft-refused': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Mend the draft as the text says; its keys are those of docs/config.md.',
  },
  'address-not-allowed': {
    httpStatus: 403,
    exitCode: 77,
    whatToDo:
      'Name a domain whose mail takes the connector; nothing was looked up and nothing dialled.',
  },
  'validation-refused': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Correct the addresses that the validation is to use.',
  },
  'validation-busy': {
    httpStatus: 429,
    exitCode: 75,
    whatToDo: 'Wait a minute, then validate again.',
  },
  'validation-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Look for the run with `postern connector validations NAME`; old ones are removed.',
  },
  'certificate-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Name an entry of `certificates`, or a PEM file.',
  },
} satisfies FailureTable;
