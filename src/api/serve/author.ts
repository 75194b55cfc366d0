/** Who asks, in words that are kept with what was changed. */
import type { ApiRequest } from './serving.ts';

/** The name of a person; whoever opened the Unix socket is the administrator. */
export function authorOf(c: ApiRequest): string {
  return c.get('actor')?.person?.name ?? 'administrator (socket)';
}
