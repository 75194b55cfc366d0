/** Why a connection was not let in, or a session ended by a bound: words for metrics, a closed set. */
import type { Reply } from '../mail/reply.ts';
import { serverReplies } from '../smtp/server-replies.ts';

export type RefusalReason =
  /** The bounds at the door. */
  | 'too-many-sessions'
  | 'too-many-from-address'
  | 'session-rate'
  | 'handshake-rate'
  | 'proxy'
  /** The bounds of a session. */
  | 'early-talk'
  | 'text-after-starttls'
  | 'handshake-failed'
  | 'line-too-long'
  | 'too-many-errors'
  | 'too-many-commands'
  | 'too-many-refusals'
  | 'auth-guessing'
  | 'timeout'
  | 'too-slow'
  | 'broken-framing'
  | 'other-protocol';

const byReply: ReadonlyMap<Reply, RefusalReason> = new Map([
  [serverReplies.earlyTalk, 'early-talk'],
  [serverReplies.textAfterStartTls, 'text-after-starttls'],
  [serverReplies.lineTooLong, 'line-too-long'],
  [serverReplies.tooManyErrors, 'too-many-errors'],
  [serverReplies.tooManyCommands, 'too-many-commands'],
  [serverReplies.commandsAfterData, 'broken-framing'],
  [serverReplies.chunkLineBroken, 'broken-framing'],
  [serverReplies.chunkTooLarge, 'broken-framing'],
  [serverReplies.wrongProtocol, 'other-protocol'],
]);

/** The bound of the wire that this last reply speaks of; null for an ordinary end. */
export function reasonOfLastReply(last: Reply | null): RefusalReason | null {
  return last === null ? null : (byReply.get(last) ?? null);
}
