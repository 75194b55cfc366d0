/**
 * What became of mail to one recipient: values, never throws, each complete enough for a DSN.
 *
 * @see RFC 3464 §2.3
 */
import type { EnhancedStatus } from '../mail/enhanced-status.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';

/** The MTA that an outcome speaks of; `address` null where none was dialled. */
export interface RemoteMta {
  readonly hostName: string;
  readonly address: string | null;
  readonly port: number;
}

/** `reason` is one English sentence without a full stop; `reply` is the peer's, sanitized, or null. */
interface Detail {
  readonly status: EnhancedStatus;
  readonly reason: string;
  readonly reply: Reply | null;
  readonly remoteMta: RemoteMta | null;
  readonly at: string;
}

/** `held` stops until somebody releases it; `cause` tells programs why without reading the reason. */
export type Outcome =
  | ({ readonly kind: 'delivered'; readonly handedTo: HandedTo } & Detail)
  | ({ readonly kind: 'deferred'; readonly cause: DeferralCause } & Detail)
  | ({ readonly kind: 'bounced'; readonly cause: DeferralCause } & Detail)
  | ({ readonly kind: 'held'; readonly cause: HoldCause } & Detail);

/**
 * Who answers for the message now. `mailbox`: final delivery, ours or by LMTP. `relay-with-dsn`: the
 * next hop took over what the sender asked to be told. `relay`: it cannot, so we say "relayed".
 * @see RFC 3461 §5.2.2, RFC 3464 §2.3.3
 */
export type HandedTo = 'mailbox' | 'relay-with-dsn' | 'relay';

/** `damaged`: the store cannot give the message back. `rule`: a mail-flow rule put it in quarantine. */
export type HoldCause = 'policy-weakened' | 'damaged' | 'rule';

/** Stable words for logs, metrics and filters. */
export type DeferralCause =
  | 'dns'
  | 'connect'
  | 'timeout'
  | 'connection-lost'
  | 'peer-reply'
  | 'tls-not-offered'
  | 'tls-refused'
  | 'tls-handshake'
  | 'tls-requirement'
  | 'policy'
  | 'local';

export interface RecipientOutcome {
  readonly recipient: Recipient;
  readonly outcome: Outcome;
}
