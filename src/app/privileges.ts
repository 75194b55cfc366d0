/**
 * Giving up root: once the ports are open and before anything is read from the network.
 *
 * Started as root, a configuration must name a `user`, and `root` must be written out; a first start as
 * root writes it into the configuration that it makes.
 */
import { execFileSync } from 'node:child_process';
import { Failure } from '../mail/failure.ts';

/**
 * Who the gateway shall become: null to stay who it is. Throws a Failure `user-missing` where it was
 * started as root and the configuration names nobody.
 */
export function userToBecome(user: string | null): string | null {
  if (!isRoot() || user === 'root') return null;
  if (user !== null) return user;
  throw new Failure('user-missing', 'started as root, and the configuration names no user');
}

/** User and group of a name. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** Null for null. Throws a Failure `user-unknown`. */
export function findUserIds(user: string | null): UserIds | null {
  if (user === null) return null;
  try {
    const ask = (what: string) =>
      Number(execFileSync('id', [what, '--', user], { encoding: 'utf8', stdio: 'pipe' }));
    return { uid: ask('-u'), gid: ask('-g') };
  } catch (cause) {
    throw new Failure('user-unknown', `there is no user ${user}`, { cause });
  }
}

/** Becomes the user with its groups, for good. Throws a Failure `user-unknown`. */
export function becomeUser(user: string | null): void {
  const ids = isRoot() ? findUserIds(user) : null;
  if (user === null || ids === null) return;
  try {
    posix.initgroups(user, ids.gid);
    process.setgid?.(ids.gid);
    process.setuid?.(ids.uid);
  } catch (cause) {
    throw new Failure('user-unknown', `cannot become the user ${user}`, { cause });
  }
}

/** Known to Node, not to its type definitions. */
const posix = process as unknown as { initgroups(user: string, extraGroup: number): void };

/** Whether the process still has rights that it must not have when it reads the network. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
