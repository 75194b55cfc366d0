/**
 * Another policy over recorded decisions: what would have become of a message or a refusal under it.
 *
 * Compares like with like: the recorded session, recipients and evidence are judged by the functions
 * that judge mail, at the recorded time. What the record does not hold is said, never guessed. A
 * policy replayed over its own records changes nothing.
 */
import type { Policy } from './policy.ts';
import type { Recorded } from './recorded.ts';
import type { Replayed, Undecided } from './replayed.ts';
import { replayArrival } from './replay-arrival.ts';
import { replayRefusal } from './replay-refusal.ts';
import { replaySending } from './replay-sending.ts';

/**
 * For whoever may see these organizations alone. What all others have to do with it is not to be told:
 * the answer is the one that there would be without them, and none where that is another one.
 */
export function replayApart(policy: Policy, organizations: readonly string[]): Replay {
  const own = policy.organizations.filter(({ id }) => organizations.includes(id));
  const apart = { ...policy, organizations: own };
  return (recorded) => {
    const [alone, whole] = [replayRecorded(apart, recorded), replayRecorded(policy, recorded)];
    if (JSON.stringify(alone) === JSON.stringify(whole)) return alone;
    return { changes: [], undecided: [{ why: 'elsewhere', detail: '' }] };
  };
}

export type Replay = (recorded: Recorded) => Replayed;

export function replayRecorded(policy: Policy, recorded: Recorded): Replayed {
  switch (recorded.kind) {
    case 'unreadable':
      return { changes: [], undecided: [{ why: 'unreadable', detail: recorded.reason }] };
    case 'refusal':
      return replayRefusal(policy, recorded);
    case 'message': {
      const arrived = replayArrival(policy, recorded);
      const sent = replaySending(policy, recorded, arrived);
      const partial: Undecided[] = recorded.isPartial ? [{ why: 'partial', detail: '' }] : [];
      return {
        changes: [...arrived.changes, ...sent.changes],
        undecided: [...arrived.undecided, ...sent.undecided, ...partial],
      };
    }
  }
}
