/** Who asks, in words that are kept with what was changed. */
import type { Context } from 'hono';

/** Whoever opened the Unix socket is the administrator. */
export function authorOf(_c: Context): string {
  return 'administrator (socket)';
}
