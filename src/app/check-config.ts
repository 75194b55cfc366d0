/** What `postern config check` finds in a file that no gateway need run with. */
import { checkDates } from '../config/check-dates.ts';
import { checkFiles } from '../config/check-files.ts';
import type { LoadResult } from '../config/load.ts';
import type { Path } from '../config/problem.ts';
import { problemAt } from './configuration.ts';
import { warnOfHosts } from './hosts/host-warnings.ts';
import { openStubResolver } from './lane-resolver.ts';
import { findConflict, loadCandidate } from './policy/load-file.ts';

/** The file itself, then the files that it names. */
export async function checkConfig(file: string): Promise<LoadResult> {
  const loaded = await loadCandidate(file);
  if (loaded.kind === 'refused') return loaded;
  const problems = await checkFiles(loaded.config, Date.now());
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (errors.length > 0) {
    return { kind: 'refused', problems: errors, dataFolder: loaded.config.dataFolder };
  }
  const due = checkDates(loaded, Date.now());
  const asked = {
    ...loaded,
    problemAt: (path: Path, text: string) => problemAt(loaded, file, path, text),
  };
  const hosts = await warnOfHosts(asked, openStubResolver);
  const conflict = findConflict(loaded);
  const others = conflict === null ? [] : [conflict];
  return { ...loaded, warnings: [...others, ...loaded.warnings, ...due, ...problems, ...hosts] };
}
