/** Failures of the store: codes, and what an administrator does about each. */
import type { FailureTable } from '../mail/failure.ts';

export const storeFailures = {
  'store-full': {
    httpStatus: 507,
    exitCode: 75,
    whatToDo:
      'Free disk space or raise the size limit of the store; new mail is deferred until then.',
  },
  'store-io': {
    httpStatus: 503,
    exitCode: 74,
    whatToDo: 'Look into the system log for errors of the disk that holds the data folder.',
  },
  'store-damaged': {
    httpStatus: 503,
    exitCode: 74,
    whatToDo: 'Stop the gateway, keep a copy of the file, and restore it from a backup.',
  },
  'store-conflict': {
    httpStatus: 500,
    exitCode: 70,
    whatToDo: 'Report it: two messages with one key, or a delivery of an unknown message.',
  },
  'store-closed': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'The gateway is stopping or its store thread died; try again after it has restarted.',
  },
  'store-newer': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo:
      'Start the version of Postern that wrote the store, or a newer one; or go back with `postern restore` and the backup that was made before the change, in backups/ of the data folder. Nothing was changed.',
  },
  'store-taken': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Another process has the store open; stop it first.',
  },
  'queue-full': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'The disk is slower than the mail that arrives; nothing is lost, senders try again.',
  },
} satisfies FailureTable;

export type StoreFailureCode = keyof typeof storeFailures;
