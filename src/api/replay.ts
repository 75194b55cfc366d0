/** Another policy over the recorded mail of the last days. */
import type { Policy } from '../policy/policy.ts';
import { replayApart, replayRecorded } from '../policy/replay.ts';
import type { Replay } from '../policy/replay.ts';
import { ReplaySummary } from '../policy/replay-summary.ts';
import type { ReplayedView, ReplayOrder } from './contract/replay.ts';
import { describeReplay } from './contract/replay.ts';
import type { RecordedSources } from './read-recorded.ts';
import { readRecorded } from './read-recorded.ts';
import type { Organizations } from './services.ts';

export interface ReplaySources extends RecordedSources {
  readonly candidate: Policy;
  /** Whose mail it is about, and of whom the answer may tell. */
  readonly organizations: Organizations;
}

/** Throws `api-timeout` where there is more to read than the time allows. */
export async function replayMail(
  { days, organization }: Pick<ReplayOrder, 'days' | 'organization'>,
  sources: ReplaySources,
): Promise<ReplayedView> {
  const { candidate, organizations } = sources;
  const replay: Replay =
    organizations === null
      ? (recorded) => replayRecorded(candidate, recorded)
      : replayApart(candidate, organizations);
  const summary = new ReplaySummary();
  const span = { days, organization, command: 'postern replay' };
  const read = await readRecorded(sources, span, (recorded) =>
    summary.add(recorded, replay(recorded)),
  );
  return describeReplay(summary.view(), read, { policyRevision: candidate.revision, days });
}
