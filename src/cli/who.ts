/** Who gives an order, for the trace: the user of this process, and whom sudo brought. */
import { userInfo } from 'node:os';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { CommandContext } from './command-context.ts';

/** At most 100 characters. */
export function whoAsks({ surroundings }: CommandContext): string {
  const sudo = surroundings.env['SUDO_USER'];
  const user = userName();
  const text = sudo === undefined || sudo === '' || sudo === user ? user : `${sudo} (as ${user})`;
  return sanitizePeerText(text).slice(0, 100);
}

/** The number where the user has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
