/**
 * Takes files that changed under the configuration in force: each pair of certificate and key for
 * itself, and each file of anchors. What cannot be used leaves the old one in force.
 */
import { checkFiles } from '../config/check-files.ts';
import type { Config, FileReference } from '../config/config.ts';
import type { Configuration } from './configuration.ts';
import type { HeldFiles } from './held-files.ts';
import { readFiles } from './held-files.ts';

/** `next` is null where nothing usable changed; `complaints` say what was not taken, and why. */
export interface Renewal {
  readonly next: Configuration | null;
  readonly taken: readonly string[];
  readonly complaints: readonly string[];
}

export async function renewFiles(inForce: Configuration, nowMs: number): Promise<Renewal> {
  const { config, files } = inForce;
  const found = await readFiles(
    config.files.map(({ path }) => path),
    files,
  );
  const next = new Map(files);
  const taken: string[] = [];
  const complaints: string[] = [];
  for (const group of groupFiles(config)) {
    const changed = group.filter(({ path }) => found.get(path) !== files.get(path));
    if (changed.length === 0) continue;
    const complaint = await findComplaint(config, group, nowMs);
    if (complaint !== null) complaints.push(complaint);
    else taken.push(...takeAll(changed, found, next));
  }
  return { next: taken.length === 0 ? null : { ...inForce, files: next }, taken, complaints };
}

/** Files that only make sense together: a key belongs to its certificate. */
function groupFiles(config: Config): readonly (readonly FileReference[])[] {
  return [...Map.groupBy(config.files, (file) => file.certificateFile ?? file.path).values()];
}

/** Null where all of them can be used as they lie there now. */
async function findComplaint(
  config: Config,
  group: readonly FileReference[],
  nowMs: number,
): Promise<string | null> {
  const problems = await checkFiles({ ...config, files: group }, nowMs);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return null;
  const reasons = [...new Set(errors.map(({ key, text }) => `${key}: ${text}`))];
  return `changed files are not taken, the old ones stay in use: ${reasons.join('; ')}`;
}

function takeAll(
  changed: readonly FileReference[],
  found: HeldFiles,
  into: Map<string, { readonly bytes: Buffer; readonly fingerprint: string }>,
): readonly string[] {
  return changed.flatMap(({ path }) => {
    const file = found.get(path);
    if (file === undefined) return [];
    into.set(path, file);
    return [path];
  });
}
