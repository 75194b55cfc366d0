/** A configuration that passed every check, with all that is put in force together. */
import { checkDates } from '../config/check-dates.ts';
import { checkFiles } from '../config/check-files.ts';
import type { Config, FileReference } from '../config/config.ts';
import type { LoadResult } from '../config/load.ts';
import { loadConfig, parseConfig } from '../config/load.ts';
import type { ObjectValue, PolicyObject } from '../config/policy-object.ts';
import type { ConfigProblem, Path } from '../config/problem.ts';
import { digestOfPolicy } from '../config/split-policy.ts';
import type { ChoosePolicy } from '../config/stored-policy.ts';
import { chooseFile } from '../config/stored-policy.ts';
import { revisionOf } from '../config/to-policy.ts';
import type { Policy } from '../policy/policy.ts';
import type { HeldFiles } from './held-files.ts';
import { readFiles } from './held-files.ts';
import type { LaneConfiguration } from './messages.ts';

/** `dataFolder` null: as the file says. `text` stands for what is in the file; absent, it is read. */
export interface ConfigurationSource {
  readonly file: string;
  readonly dataFolder: string | null;
  readonly text?: string | null;
}

export interface Configuration {
  readonly config: Config;
  readonly policy: Policy;
  /** As it would stand in one file; `effectiveConfig` shows it. */
  readonly raw: ObjectValue;
  /** The text of the file, whose static part this is. */
  readonly text: string;
  /** What the policy is made of. */
  readonly objects: readonly PolicyObject[];
  /** Of the part of the file that the policy was taken from; null where it is kept elsewhere. */
  readonly fileDigest: string | null;
  readonly files: HeldFiles;
  /** 12 hex digits: equal ones mean that nothing was changed in the file. */
  readonly revision: string;
  readonly warnings: readonly ConfigProblem[];
  /** A problem found later, at the line of the key it is about. */
  readonly problemAt: (path: Path, text: string) => ConfigProblem;
}

export type ConfigurationResult =
  | { readonly kind: 'loaded'; readonly configuration: Configuration }
  | { readonly kind: 'refused'; readonly problems: readonly ConfigProblem[] };

/**
 * Reads and checks the file and the files that it names; those that are `inForce` and did not change
 * are neither read nor judged again. Never rejects for what is in them.
 */
export async function loadConfiguration(
  source: ConfigurationSource,
  inForce: Configuration | null,
  choose: ChoosePolicy = chooseFile,
): Promise<ConfigurationResult> {
  const { file, text = null } = source;
  const loaded = text === null ? await loadConfig(file, choose) : parseConfig(text, file, choose);
  if (loaded.kind === 'refused') return loaded;
  const { policy, warnings } = loaded;
  const { dataFolder } = source;
  const config = dataFolder === null ? loaded.config : { ...loaded.config, dataFolder };
  const paths = config.files.map((reference) => reference.path);
  const files = await readFiles(paths, inForce?.files ?? new Map());
  const fresh = config.files.filter((reference) => !isKept(reference, files, inForce));
  const problems = await checkFiles({ ...config, files: fresh }, Date.now());
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (errors.length > 0) return { kind: 'refused', problems: errors };
  const configuration = {
    config,
    policy,
    raw: dataFolder === null ? loaded.raw : { ...loaded.raw, dataFolder },
    text: loaded.text,
    objects: loaded.objects,
    fileDigest: loaded.policyFrom === 'file' ? digestOfPolicy(loaded.raw) : null,
    files,
    revision: configRevision(config, policy),
    warnings: [...warnings, ...checkDates(loaded, Date.now()), ...problems],
    problemAt: (path: Path, text: string) => problemAt(loaded, config.file, path, text),
  };
  return { kind: 'loaded', configuration };
}

/** As the lanes are handed it. */
export function forLanes({ config, policy, files }: Configuration): LaneConfiguration {
  return {
    config,
    policy,
    files: new Map(Array.from(files, ([path, file]) => [path, file.bytes])),
  };
}

/** Whether the same file, as a part of the same pair, is what is in force already. */
function isKept(
  { kind, path, certificateFile }: FileReference,
  files: HeldFiles,
  inForce: Configuration | null,
): boolean {
  const isSame = (file: string): boolean =>
    files.has(file) && files.get(file) === inForce?.files.get(file);
  if (inForce === null || !isSame(path)) return false;
  if (certificateFile !== null && !isSame(certificateFile)) return false;
  return inForce.config.files.some(
    (known) =>
      known.kind === kind && known.path === path && known.certificateFile === certificateFile,
  );
}

/** Where things stand in the file says nothing about what they are. */
function configRevision({ files: _files, ...config }: Config, policy: Policy): string {
  return revisionOf({ config, policy: policy.revision });
}

/** A problem found later, at the line of its key. */
export function problemAt(
  { locate }: LoadResult & { readonly kind: 'loaded' },
  file: string,
  path: Path,
  text: string,
): ConfigProblem {
  return { file, ...locate(path), text, suggestion: null, severity: 'error' };
}
