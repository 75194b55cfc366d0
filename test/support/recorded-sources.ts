/** Recorded mail in memory, read as the API reads it, for the tests of its answers about such mail. */
import { readRecords } from '../../src/api/read-records.ts';
import type { RecordedSources } from '../../src/api/read-recorded.ts';
import type { Organizations } from '../../src/api/services.ts';
import { nextQueueKey } from '../../src/mail/queue-id.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { emptyBatch } from '../../src/store/store.ts';
import type { Mail } from './recorded-mail.ts';
import { recordMail } from './recorded-mail.ts';

/** Sources for whoever may see this and that, at `nowMs`; one record a page, so that each page counts. */
export async function recordedSources(
  policy: Policy,
  mails: readonly Mail[],
  nowMs: number,
): Promise<(organizations: Organizations) => RecordedSources> {
  const store = new MemoryStore();
  let key = 0;
  for (const mail of mails) {
    const made = recordMail(policy, mail, nextQueueKey(mail.atMs, key));
    key = made.key;
    await store.commit({ ...emptyBatch, traces: made.records, facts: made.facts });
  }
  const shards = {
    shards: [0],
    scan: (_: number, step: Parameters<typeof store.scanTraces>[0]) => store.scanTraces(step),
  };
  return (organizations) => ({
    readRecords: (query) => readRecords({ ...query, limit: 1 }, shards, organizations),
    nowMs: () => nowMs,
    steadyMs: () => 0,
  });
}
