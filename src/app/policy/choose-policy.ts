/**
 * Whether the policy is what stands in the file or what the control file keeps.
 *
 * The file is an import: it acts where it says something that was not taken over yet. Where the policy
 * was changed otherwise since, nobody can tell which of the two is meant.
 */
import type { ObjectValue } from '../../config/policy-object.ts';
import { findDataFolder } from '../../config/load.ts';
import { digestOfPolicy } from '../../config/split-policy.ts';
import type { ChoosePolicy, PolicyChoice } from '../../config/stored-policy.ts';
import { chooseFile } from '../../config/stored-policy.ts';
import type { ConfigurationSource } from '../configuration.ts';
import type { PolicyState } from './policy-book.ts';
import { readPolicyState } from './policy-book.ts';

/** What the file is to the policy that is kept. */
export type FileState = 'taken-over' | 'new' | 'conflicts';

export function judgeFile(digest: string | null, { revision, imported }: PolicyState): FileState {
  if (digest === null || digest === imported?.digest) return 'taken-over';
  return revision === 0 || imported?.revision === revision ? 'new' : 'conflicts';
}

/** `overwrite`: what stands in the file is meant, whatever was changed since. */
export function chooseAtReload(state: PolicyState, overwrite: boolean): ChoosePolicy {
  return (file) => {
    const digest = digestOfPolicy(file);
    const found = judgeFile(digest, state);
    const isRead = found !== 'taken-over' || overwrite;
    if (isRead && isSilent(file, state)) return { kind: 'refused', text: silentText };
    if (found === 'new' || (overwrite && digest !== null))
      return { kind: 'file', known: state.objects };
    if (found === 'taken-over') return stored(state);
    return { kind: 'refused', text: `${conflictText(state)}; ${conflictMend}` };
  };
}

/** A start takes what is kept where the two conflict: that was in force last. `onConflict` hears why. */
export function chooseAtStart(
  state: PolicyState,
  onConflict: (text: string) => void = () => undefined,
): ChoosePolicy {
  return (file) => {
    const found = judgeFile(digestOfPolicy(file), state);
    const isSilentOfSome = found !== 'taken-over' && isSilent(file, state);
    if (found === 'new' && !isSilentOfSome) return { kind: 'file', known: state.objects };
    if (isSilentOfSome) onConflict(`${silentText}; it is not read`);
    else if (found === 'conflicts')
      onConflict(`${conflictText(state)}, and is not read; ${conflictMend}`);
    return stored(state);
  };
}

/** What a start on this file would take, beside a gateway that may run. */
export async function chooseForStart(
  { file, dataFolder }: ConfigurationSource,
  onConflict?: (text: string) => void,
): Promise<ChoosePolicy> {
  const folder = dataFolder ?? (await findDataFolder(file));
  return folder === null ? chooseFile : chooseAtStart(readPolicyState(folder), onConflict);
}

/** Why a reload would not take what a file says of the policy; null where it would. */
export function conflictOf(file: ObjectValue, state: PolicyState): string | null {
  const found = judgeFile(digestOfPolicy(file), state);
  if (found !== 'taken-over' && isSilent(file, state)) return `a reload refuses it: ${silentText}`;
  if (found !== 'conflicts') return null;
  return `${conflictText(state)}, so that a reload refuses it; ${conflictMend}`;
}

/**
 * Whether the file says something of the policy and names no organizations, while there are some: whoever
 * took these out of it, and left the certificates or the bare key, does not mean that they shall go.
 */
function isSilent(file: ObjectValue, { objects }: PolicyState): boolean {
  const isOfPolicy = digestOfPolicy(file) !== null;
  return (
    isOfPolicy &&
    (file['organizations'] ?? null) === null &&
    objects.some(({ kind }) => kind === 'organization')
  );
}

const silentText =
  'the file names no organizations, while the policy has some: take the keys certificates and organizations out too (postern apply and the API change them), or write organizations: [] where all shall go';

function stored({ objects }: PolicyState): PolicyChoice {
  return { kind: 'stored', objects };
}

function conflictText({ revision, imported }: PolicyState): string {
  const since =
    imported === null
      ? 'without this file'
      : `since revision ${imported.revision} was read from here`;
  return `the file says something else than before, while the policy was changed ${since} (it is at revision ${revision})`;
}

const conflictMend =
  'postern export shows the policy in force; take over what is missing from it, then put the file in force with postern config reload --overwrite-policy, or remove organizations and certificates from the file';
