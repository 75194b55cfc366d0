/** What the results of a transaction mean for the route: go on, stop, or try the host again. */
import type { Trouble } from '../policy/classify.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { RecipientResult, TransactionResult } from '../smtp/client-transaction.ts';

/**
 * Which outcome to show where hosts failed in different ways: what tells the administrator most. A
 * deferral outweighs a bounce: one host that may take the message later is enough to wait. (Only what
 * a host cannot take by its EHLO reply is a bounce that lets others be asked.)
 */
export function weightOf(outcome: Outcome): number {
  if (outcome.kind !== 'deferred') return 0;
  switch (outcome.cause) {
    case 'dns':
    case 'local':
      return 1;
    case 'connect':
    case 'policy':
      return 2;
    case 'timeout':
    case 'connection-lost':
      return 3;
    case 'peer-reply':
      return 4;
    case 'tls-not-offered':
    case 'tls-refused':
    case 'tls-handshake':
    case 'tls-requirement':
      return 5;
  }
}

/** `isReused`: the connection had served other transactions before. */
interface Tried {
  readonly result: TransactionResult;
  readonly isReused: boolean;
}

/** A kept connection that had died unseen: the server never answered anything on it. */
export function isStale({ result, isReused }: Tried): boolean {
  if (!isReused || result.hasReplies) return false;
  return result.recipients.every(({ kind }) => kind === 'lost');
}

/**
 * A kept connection on which the server takes nothing more for now, as after its own number of
 * messages per session (OpenSMTPD answers 452 after 100): a new one may do.
 */
export function isWornOut({ result, isReused }: Tried): boolean {
  return isReused && result.recipients.every(isTurnedAwayAtMail);
}

function isTurnedAwayAtMail(recipient: RecipientResult): boolean {
  if (recipient.kind !== 'refused' || recipient.stage !== 'mail') return false;
  return recipient.reply.code >= 400 && recipient.reply.code < 500;
}

/** What a recipient's result means to `classifyTrouble`. */
export function troubleOf(
  recipient: Exclude<RecipientResult, { kind: 'accepted' }>,
  isEncrypted: boolean,
): Trouble {
  if (recipient.kind === 'refused') {
    return { kind: 'reply', stage: recipient.stage, reply: recipient.reply, isEncrypted };
  }
  return recipient;
}

/** Whether no other host is to be asked: done, refused for good, or perhaps delivered. */
export function isFinal(
  outcome: Outcome,
  recipient: RecipientResult,
  { hasReplies }: TransactionResult,
): boolean {
  // What this host cannot take for its size or form, another one may.
  if (recipient.kind === 'unsendable') return false;
  if (outcome.kind !== 'deferred') return true;
  return recipient.kind === 'lost' && recipient.mayHaveArrived && hasReplies;
}
