/** What a replay says of one record: what would change, and what cannot be told. */

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
  | 'elsewhere'
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
  elsewhere:
    'it depends on another organization of this gateway: ask an administrator of the gateway',
  partial: 'a decision or evidence that it cites is not stored any more',
  unreadable: 'the record is damaged, of a later version, or its beginning is forgotten',
};
