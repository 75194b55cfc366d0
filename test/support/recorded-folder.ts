/** A data folder with recorded mail in its store, for the tests of commands that read it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nextQueueKey } from '../../src/mail/queue-id.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { emptyBatch } from '../../src/store/store.ts';
import type { Mail } from './recorded-mail.ts';
import { recordMail } from './recorded-mail.ts';

/** `folder` is made; each mail is kept under a key of its time. */
export async function writeRecordedMail(
  folder: string,
  policy: Policy,
  mails: readonly Mail[],
  shard = 0,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const store = await openSqliteStore({
    path: join(folder, `queue-${shard}.db`),
    spoolFolder: join(folder, 'spool', String(shard)),
    traceRetentionMs: 100 * 365 * 24 * 3600_000,
  });
  let key = 0;
  for (const mail of mails) {
    const made = recordMail(policy, mail, nextQueueKey(mail.atMs, key));
    key = made.key;
    await store.commit({ ...emptyBatch, traces: made.records, facts: made.facts });
  }
  await store.close();
}
