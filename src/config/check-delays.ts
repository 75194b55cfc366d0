/** A notice that would come after the message has been returned is none. */
import type { Report } from './parts.ts';
import { valueAt } from './parts.ts';
import type { Path } from './problem.ts';
import { configSchema } from './schema.ts';
import { delayNoticesSection } from './schema-recipients.ts';

const queueSchema = configSchema.def.out.shape.queue;

/** Only for what is written out: a default that comes too late is no mistake. */
export function checkDelays(raw: unknown, wrongPaths: readonly Path[], report: Report): void {
  const path: Path = ['organizations', 0, 'delayNotices'];
  const isWrong = wrongPaths.some((wrong) => wrong[0] === 'queue' || wrong[2] === path[2]);
  const written = valueAt(raw, path);
  if (isWrong || typeof written !== 'object' || written === null) return;
  const queue = queueSchema.safeParse(valueAt(raw, ['queue']));
  const notices = delayNoticesSection.safeParse(written);
  if (!queue.success || !notices.success) return;
  for (const key of ['tls', 'ordinary'] as const) {
    if (!(key in written) || notices.data[key] < queue.data.expiry) continue;
    const text =
      'would never be sent: queue.expiry returns the message before; write never, or less';
    report({ path: [...path, key], at: 'value', text });
  }
}
