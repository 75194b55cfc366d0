/** A control file in memory, for tests. */
import { openControl } from '../../src/store/control/control-file.ts';
import type { ControlFile } from '../../src/store/control/control-file.ts';

export function openMemoryControl(): ControlFile {
  return openControl(':memory:');
}
