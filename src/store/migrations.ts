/** The numbered migrations of a shard file, in order; `user_version` tells which it has seen. */
import { queueAndTrace } from './migrations/0001-queue-and-trace.ts';
import { traced } from './migrations/0002-traced.ts';

/** Each runs once, in one transaction with the step of `user_version`. Never edited once released. */
export const migrations: readonly string[] = [queueAndTrace, traced];

/** The version of the file that this program writes and understands. */
export const storeVersion = migrations.length;
