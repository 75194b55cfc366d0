/** Lines of any length for a terminal. */
import { sanitizePeerText } from '../mail/peer-text.ts';

/** Without control characters, however long: a list of domains is never cut in silence. */
export function printable(line: string): string {
  return (line.match(/[^]{1,256}/gu) ?? []).map(sanitizePeerText).join('');
}
