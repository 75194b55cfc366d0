/** Queue ids in paths. */
import { formatQueueId, parseQueueId } from '../../mail/queue-id.ts';

/** The id in its one spelling; null where it is none. */
export function readId(text: string): string | null {
  const parsed = parseQueueId(text);
  return parsed === null ? null : formatQueueId(parsed);
}
