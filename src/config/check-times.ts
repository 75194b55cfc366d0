/** Times of one organization: a notice that would come after the message has been returned is none. */
import { formatDuration } from './duration.ts';
import type { Report } from './parts.ts';
import { valueAt } from './parts.ts';
import type { Path } from './problem.ts';
import { configSchema } from './schema.ts';
import { organizationSection } from './schema-organization.ts';
import { delayNoticesSection } from './schema-recipients.ts';

const queueSchema = configSchema.def.out.shape.queue;

const expirySchema = organizationSection.def.out.shape.expiry;

/** How long the organization at `path` may keep mail, and that its notices come before. */
export function checkTimes(
  raw: unknown,
  wrongPaths: readonly Path[],
  path: Path,
  report: Report,
): void {
  if (wrongPaths.some((wrong) => wrong[0] === 'queue')) return;
  const queue = queueSchema.safeParse(valueAt(raw, ['queue']));
  const expiry = expirySchema.safeParse(valueAt(raw, [...path, 'expiry']));
  if (!queue.success || !expiry.success) return;
  const longest = Math.max(queue.data.expiryMax, queue.data.expiry);
  if (expiry.data !== null && expiry.data > longest) {
    const text = `must not be longer than ${formatDuration(longest)}, the gateway's limit (queue.expiryMax)`;
    report({ path: [...path, 'expiry'], at: 'value', text });
  }
  const end =
    expiry.data === null
      ? { key: 'queue.expiry', ms: queue.data.expiry }
      : { key: 'expiry', ms: expiry.data };
  checkDelays(raw, [...path, 'delayNotices'], end, report);
}

/** Only for what is written out: a default that comes too late is no mistake. */
function checkDelays(
  raw: unknown,
  path: Path,
  end: { readonly key: string; readonly ms: number },
  report: Report,
): void {
  const written = valueAt(raw, path);
  if (typeof written !== 'object' || written === null) return;
  const notices = delayNoticesSection.safeParse(written);
  if (!notices.success) return;
  for (const key of ['tls', 'ordinary'] as const) {
    if (!(key in written) || notices.data[key] < end.ms) continue;
    const text = `would never be sent: ${end.key} returns the message before; write never, or less`;
    report({ path: [...path, key], at: 'value', text });
  }
}
