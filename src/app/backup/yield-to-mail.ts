/** A copy may take its time; the mail may not. */
import { readdir } from 'node:fs/promises';
import { setPriority } from 'node:os';

const niceness = 15;

/** Lowers the priority of every thread of this process, for its disk too where the system does so. */
export async function yieldToMail(): Promise<void> {
  // On Linux a priority is a thread's; the pool that reads and writes has threads of its own.
  const threads = await readdir('/proc/self/task').catch(() => [String(process.pid)]);
  for (const thread of threads) {
    try {
      setPriority(Number(thread), niceness);
    } catch {
      // It has ended, or the system does not let us: the copy is then as quick as the mail.
    }
  }
}
