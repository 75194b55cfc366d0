/**
 * A store that failed is tried again and again until it works, so that whoever waits for it learns of
 * it without mail; and a spool file that cannot be written tells of it.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../mail/failure.ts';
import type { SpoolWriter } from '../receiving/services.ts';
import type { Outage } from '../report/outage.ts';
import type { Store } from '../store/store.ts';

const tryEveryMs = 2000;
/** More than a file system keeps in spare for small files. */
const probeBytes = 256 * 1024;

/** Tries the shard and the spool folder while the outage is on. */
export function watchStore(outage: Outage, store: Store, spoolFolder: string): { close(): void } {
  let isTrying = false;
  const attempt = async (): Promise<void> => {
    const file = join(spoolFolder, 'probe.tmp');
    try {
      await store.probe();
      await writeFile(file, Buffer.alloc(probeBytes), { mode: 0o600 });
      outage.worked();
    } catch (error) {
      outage.failed({ reason: error instanceof Error ? error.message : String(error) });
    } finally {
      await rm(file, { force: true }).catch(() => undefined);
    }
  };
  const timer = setInterval(() => {
    if (!outage.isOn || isTrying) return;
    isTrying = true;
    void attempt().finally(() => (isTrying = false));
  }, tryEveryMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** The same writer, whose failures count. */
export function watchSpool(outage: Outage, opening: Promise<SpoolWriter>): Promise<SpoolWriter> {
  const noting = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof Failure) outage.failed({ code: error.code, reason: error.message });
      throw error;
    }
  };
  return noting(opening).then((writer) => ({
    write: (chunk) => noting(writer.write(chunk)),
    finish: () => noting(writer.finish()),
    abandon: () => writer.abandon(),
  }));
}
