/**
 * A process for the crash tests: accepts and completes messages until it is killed, and writes each
 * key to its output when the store has said that it is durable (`+3`) or gone (`-3`).
 *
 * Arguments: shard file, spool folder, point of the crash, number of the commit.
 */
import { writeSync } from 'node:fs';
import type { CrashOptions } from './crashing-worker.ts';
import { sampleAccept, sampleComplete } from './sample-batch.ts';
import { openSpool } from './spool.ts';
import type { CommitPoint } from './sqlite-shard.ts';
import { openSqliteStore } from './sqlite-store.ts';

const [path, spoolFolder, at, commit] = process.argv.slice(2);
const crash = { at: at as CommitPoint, commit: Number(commit), how: 'kill' } as const;
const data: CrashOptions = { crash };
const worker = { url: new URL('./crashing-worker.ts', import.meta.url), data };
const store = await openSqliteStore({ path: path!, spoolFolder: spoolFolder!, worker });

const firstKey = (await store.lastKey()) + 1;
for (let key = firstKey; key < firstKey + 100; key++) {
  const writer = await openSpool(spoolFolder!, 'contoso');
  await writer.write(Buffer.from(`Subject: ${key}\r\n\r\n`));
  const content = await writer.finish();
  const isLarge = key % 3 === 0 || key % 4 === 0;
  const over = isLarge ? { content } : {};
  if (!isLarge) await writer.abandon();
  await store.commit(sampleAccept(key, undefined, over));
  writeSync(1, `+${key}\n`);
  if (key % 2 !== 0) continue;
  await store.commit(sampleComplete(key));
  writeSync(1, `-${key}\n`);
}
