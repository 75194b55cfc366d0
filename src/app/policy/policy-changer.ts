/** Changes the policy in force: checked, compared, kept and put in force as one step, or not at all. */
import { replacePolicy } from '../../config/change-policy.ts';
import type { PolicyObject } from '../../config/policy-object.ts';
import { textOfKey } from '../../config/policy-object.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { formatProblem } from '../../config/problem.ts';
import type { Log } from '../../report/log.ts';
import type { Configuration } from '../configuration.ts';
import type { Candidate, Reloader } from '../reloader.ts';
import type { KeptPolicy } from './kept-policy.ts';
import { catchUpWithFile, loadWithPolicy } from './kept-policy.ts';
import type { Difference, PolicyState, RevisionBy } from './policy-book.ts';

/** `want` says what there shall be, of what there is; it may throw a Failure. */
export interface PolicyOrder {
  readonly want: (state: PolicyState) => readonly PolicyObject[];
  readonly author: string;
  readonly origin: 'change' | 'rollback';
  /** Why the policy is to ask for less; null where nobody says. */
  readonly reason: string | null;
  readonly isDryRun: boolean;
  /** Runs in the transaction that keeps the revision. */
  readonly also?: NonNullable<RevisionBy['also']>;
}

/** `would-change` for a dry run; `weaker` then says what a reason is wanted for. */
export interface AppliedChange extends Difference {
  readonly kind: 'changed' | 'would-change' | 'unchanged';
  readonly configuration: Configuration;
  readonly weaker: readonly string[];
  /** Of the objects that were changed. */
  readonly warnings: readonly ConfigProblem[];
}

export type ChangeOutcome =
  | AppliedChange
  | (Difference & { readonly kind: 'asks-why'; readonly weaker: readonly string[] })
  | (Difference & { readonly kind: 'refused'; readonly problems: readonly ConfigProblem[] });

export interface ChangerParts {
  readonly kept: KeptPolicy;
  readonly reloader: Reloader;
  readonly log: Log;
}

/** One at a time, in turn with reloads. Throws what `want` throws, and Failures of the store. */
export async function changePolicyInForce(
  parts: ChangerParts,
  order: PolicyOrder,
): Promise<ChangeOutcome> {
  const { kept, reloader } = parts;
  let outcome: ChangeOutcome | null = null;
  const refused = await reloader.replace(async (inForce) => {
    catchUpWithFile(kept, inForce);
    const before = kept.policies.state;
    const changed = replacePolicy(before.objects, order.want(before), before.revision + 1);
    if (changed.versions.length === 0) {
      const nothing = { configuration: inForce, weaker: [], warnings: [] };
      outcome = { kind: 'unchanged', before, changed, ...nothing };
      return null;
    }
    const candidate = reloader.judge(await loadWithPolicy(kept, inForce, changed.objects));
    outcome = outcomeOf(candidate, { before, changed }, order);
    if (outcome.kind !== 'changed') return null;
    const { configuration } = outcome;
    return { configuration, record: () => record(kept, changed, order) };
  });
  const found = outcome as ChangeOutcome | null;
  if (found === null) throw new Error('a change of the policy came to no end');
  if (refused !== null) return { ...found, kind: 'refused', problems: refused };
  if (found.kind === 'changed') tell(parts, found, order);
  return found;
}

function outcomeOf(
  candidate: Candidate,
  about: Difference,
  { isDryRun, reason }: PolicyOrder,
): ChangeOutcome {
  if ('problems' in candidate) return { ...about, kind: 'refused', problems: candidate.problems };
  const { configuration } = candidate;
  const weaker = candidate.weaker.map(({ text }) => text);
  const touched = new Set(about.changed.versions.map(({ key }) => textOfKey(key)));
  const warnings = configuration.warnings.filter(
    ({ object }) => object !== undefined && touched.has(textOfKey(object)),
  );
  if (isDryRun) return { ...about, kind: 'would-change', configuration, weaker, warnings };
  if (weaker.length > 0 && reason === null) return { ...about, kind: 'asks-why', weaker };
  return { ...about, kind: 'changed', configuration, weaker, warnings };
}

function record(
  { policies }: KeptPolicy,
  { objects }: Difference['changed'],
  { author, origin, reason, also }: PolicyOrder,
): void {
  const by = { author, origin, reason, ...(also === undefined ? {} : { also }) };
  policies.record({ objects, fileDigest: null }, by);
}

function tell(
  { kept, log }: ChangerParts,
  outcome: AppliedChange,
  { author, reason }: PolicyOrder,
): void {
  const { configuration, weaker, warnings, changed } = outcome;
  const fields = {
    revision: kept.policies.state.revision,
    policyRevision: configuration.policy.revision,
    author,
    objects: changed.versions.length,
  };
  log.info(fields, 'the policy was changed');
  for (const warning of warnings) log.warn({}, formatProblem(warning));
  if (weaker.length === 0) return;
  const text = 'the policy asks for less than before; queued mail keeps what it was accepted under';
  log.warn({ reason, weaker }, text);
}
