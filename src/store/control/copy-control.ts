/** A consistent copy of the control file while its writer works. @see https://sqlite.org/backup.html */
import { backup, DatabaseSync } from 'node:sqlite';
import { checkVersion } from '../migrate.ts';
import { storeFailure, toFailure } from '../sqlite-failure.ts';
import { controlVersion } from './migrations.ts';

/**
 * Copies `file` to the new file `target`, which then stands alone. Rejects with a Failure `store-full`,
 * `store-io`, `store-damaged`, `store-newer`; `target` may be there then, half.
 */
export async function copyControl(file: string, target: string): Promise<void> {
  try {
    const source = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    try {
      checkVersion(source, file, controlVersion);
      await backup(source, target);
    } finally {
      source.close();
    }
    const copy = new DatabaseSync(target);
    try {
      copy.exec('PRAGMA journal_mode = DELETE');
      const [found] = Object.values(copy.prepare('PRAGMA quick_check(1)').get() ?? {});
      if (found !== 'ok')
        throw storeFailure('store-damaged', `${file} is damaged: ${String(found)}`);
    } finally {
      copy.close();
    }
  } catch (error) {
    throw toFailure(error);
  }
}
