/** The policy that a replay judges by: as it would be after changes, or as a file would say it. Nothing is put in force. */
import type { ReplayOrder } from '../../api/contract/replay.ts';
import { asIfProven } from '../../config/domain-verification.ts';
import { parseConfig } from '../../config/load.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { digestOfPolicy } from '../../config/split-policy.ts';
import type { ChoosePolicy } from '../../config/stored-policy.ts';
import type { Actor } from '../../identity/actor.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Configuration } from '../configuration.ts';
import { setByOf } from './own-means.ts';
import type { PolicyState } from './policy-book.ts';
import { applyRequests } from './requested-change.ts';
import { toRequests } from './to-requests.ts';
import { wordsFor } from './words-for-others.ts';

export type ReplayCandidate =
  | { readonly kind: 'loaded'; readonly policy: Policy }
  | { readonly kind: 'refused'; readonly problems: readonly ConfigProblem[] };

/**
 * No file that it names is read: what they hold decides nothing about recorded mail. Domains count as
 * proven, since whose they are shows in DNS. Throws a Failure as `applyRequests` does.
 */
export function composeReplayCandidate(
  { config, text }: Pick<Configuration, 'config' | 'text'>,
  state: PolicyState,
  { order, actor }: { readonly order: ReplayOrder; readonly actor: Actor },
): ReplayCandidate {
  const objects = applyRequests(state, toRequests(order.changes ?? []), setByOf(actor));
  const choose: ChoosePolicy = (written) =>
    order.config !== null && digestOfPolicy(written) !== null
      ? { kind: 'file', known: state.objects }
      : { kind: 'stored', objects };
  const loaded = parseConfig(order.config ?? text, config.file, choose);
  if (loaded.kind === 'loaded') return { kind: 'loaded', policy: asIfProven(loaded.policy) };
  const words = wordsFor(actor, [...state.objects, ...objects]);
  return { kind: 'refused', problems: loaded.problems.map((problem) => words.problem(problem)) };
}
