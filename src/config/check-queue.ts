/** Checks between keys of the retry schedule. */
import type { Report } from './parts.ts';
import { valueAt } from './parts.ts';
import type { Path } from './problem.ts';
import { configSchema } from './schema.ts';

const queueSchema = configSchema.def.out.shape.queue;

export function checkQueue(raw: unknown, wrongPaths: readonly Path[], report: Report): void {
  if (wrongPaths.some((path) => path[0] === 'queue')) return;
  const queue = queueSchema.safeParse(valueAt(raw, ['queue']));
  if (!queue.success) return;
  const { retryFirst, retryMax, expiry } = queue.data;
  if (retryFirst > retryMax) {
    const text = 'must not be shorter than retryFirst';
    report({ path: ['queue', 'retryMax'], at: 'value', text });
  }
  if (expiry < retryFirst) {
    const text = 'must not be shorter than retryFirst: nothing would ever be tried again';
    report({ path: ['queue', 'expiry'], at: 'value', text });
  }
}
