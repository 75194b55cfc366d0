/**
 * Another policy over recorded decisions: what would have become of a message or a refusal under it.
 *
 * Compares like with like: the recorded session, recipients and evidence are judged by the functions
 * that judge mail, at the recorded time. What the record does not hold is said, never guessed. A
 * policy replayed over its own records changes nothing.
 */
import type { Policy } from './policy.ts';
import type { Recorded } from './recorded.ts';
import { replayArrival } from './replay-arrival.ts';
import { replayRefusal } from './replay-refusal.ts';
import { replaySending } from './replay-sending.ts';

/**
 * `refused`: at MAIL or RCPT. `accepted`: was refused there. `attributed`: would belong to another
 * organization. `routed`: another connector, next hop or final recipient. `weaker`, `stricter`: what
 * is demanded of TLS or of the sender. `deferred`: the recorded TLS does not meet what would be
 * demanded. `passed`: waited for TLS, and would not. `returned`: would lead nowhere, for good.
 */
export type ChangeKind =
  | 'refused'
  | 'accepted'
  | 'attributed'
  | 'routed'
  | 'weaker'
  | 'stricter'
  | 'deferred'
  | 'passed'
  | 'returned';

/** Why the record does not tell what would have been; `undecidableTexts` has the words. */
export type Undecidable =
  | 'header-from'
  | 'rules'
  | 'not-examined'
  | 'not-requested'
  | 'verification'
  | 'no-organization'
  | 'other-hop'
  | 'own-certificate'
  | 'no-evidence'
  | 'not-tried'
  | 'partial'
  | 'unreadable';

export interface Change {
  readonly kind: ChangeKind;
  readonly direction: 'inbound' | 'outbound';
  /** Domain of the other side: of MAIL FROM inbound, of the recipient outbound. */
  readonly partner: string;
  /** Null where the whole message is meant. */
  readonly recipient: string | null;
  /** Equal for changes of one cause, so that they can be counted together. */
  readonly because: string;
  /** One sentence without a full stop. */
  readonly reason: string;
}

export interface Undecided {
  readonly why: Undecidable;
  /** What exactly is missing; empty where the word says all. */
  readonly detail: string;
}

/** Both empty: it would have been as it was. */
export interface Replayed {
  readonly changes: readonly Change[];
  readonly undecided: readonly Undecided[];
}

export const undecidableTexts: Readonly<Record<Undecidable, string>> = {
  'header-from': 'connectors look at the From of the header, which is not recorded',
  rules: 'mail-flow rules may act on it, by content that is not recorded',
  'not-examined': 'its certificates were not examined for the trust anchors that would count',
  'not-requested': 'no client certificate was asked for in that session',
  verification: 'the server that keeps the mailbox would be asked whether it exists',
  'no-organization': 'its organization does not exist in the candidate',
  'other-hop': 'it would go to another server, whose TLS is not recorded',
  'own-certificate': 'another certificate of ours would be shown, which the other side may refuse',
  'no-evidence': 'no server was reached, so that no TLS is recorded',
  'not-tried': 'no delivery has been tried yet',
  partial: 'a decision or evidence that it cites is not stored any more',
  unreadable: 'the record is damaged, of a later version, or its beginning is forgotten',
};

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
