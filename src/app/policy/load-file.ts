/** Configuration files of commands that work without a running gateway, with the policy that is kept. */
import type { LoadResult } from '../../config/load.ts';
import { findDataFolder, findOrganizations, loadConfig } from '../../config/load.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { digestOfPolicy } from '../../config/split-policy.ts';
import type { ChoosePolicy } from '../../config/stored-policy.ts';
import { chooseFile } from '../../config/stored-policy.ts';
import { chooseForStart, conflictOf } from './choose-policy.ts';
import { readPolicyState } from './policy-book.ts';

/** What a start on the file would put in force. Throws a Failure where the policy cannot be read. */
export async function loadInForce(file: string): Promise<LoadResult> {
  return loadConfig(file, await chooseForStart({ file, dataFolder: null }));
}

/** What the file means: its own policy where it says one, else the one that is kept. Throws the same. */
export async function loadCandidate(file: string): Promise<LoadResult> {
  return loadConfig(file, await chooseForCandidate(file));
}

/** Whether what the file says of organizations is in force, or will be: nobody changed the policy otherwise. */
export async function isPolicyOfFile(file: string, dataFolder: string | null): Promise<boolean> {
  const folder = dataFolder ?? (await findDataFolder(file));
  if (folder === null) return true;
  const { revision, imported } = readPolicyState(folder);
  if (revision > 0 && imported?.revision !== revision) return false;
  return (await findOrganizations(file)) !== 'none';
}

/** That the policy was changed otherwise since the file was read; null where it was not. */
export function findConflict({
  config,
  raw,
  policyFrom,
  locate,
}: LoadResult & { readonly kind: 'loaded' }): ConfigProblem | null {
  if (policyFrom === 'stored') return null;
  const text = conflictOf(raw, readPolicyState(config.dataFolder));
  if (text === null) return null;
  const spot = locate(['organizations']);
  return { file: config.file, ...spot, text, suggestion: null, severity: 'warning' };
}

async function chooseForCandidate(file: string): Promise<ChoosePolicy> {
  const folder = await findDataFolder(file);
  if (folder === null) return chooseFile;
  return (written) => {
    const { objects } = readPolicyState(folder);
    if (digestOfPolicy(written) !== null) return { kind: 'file', known: objects };
    return { kind: 'stored', objects };
  };
}
