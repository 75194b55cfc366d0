/** The numbered migrations of the control file, in order; `user_version` tells which it has seen. */
import { policy } from './migrations/0001-policy.ts';
import { people } from './migrations/0002-people.ts';
import { validation } from './migrations/0003-validation.ts';

/** Each runs once, in one transaction with the step of `user_version`. Never edited once released. */
export const controlMigrations: readonly string[] = [policy, people, validation];

/** The version of the file that this program writes and understands. */
export const controlVersion = controlMigrations.length;
