/**
 * Turns what went wrong on the way to a host into outcomes: socket errors, DNS, TLS, replies. Pure.
 *
 * For delivery and validation; the one place where such an outcome gets its status and its words.
 * The 4.4.31x codes are Exchange's, so that administrators know them.
 * @see RFC 3463 §3, RFC 5321 §4.2.1, RFC 7504 §4, RFC 7505 §4.1
 */
import type { EnhancedStatus } from '../mail/enhanced-status.ts';
import { status } from '../mail/enhanced-status.ts';
import type { Reply } from '../mail/reply.ts';
import type { DeferralCause, HandedTo, Outcome, RemoteMta } from './outcome.ts';

/** Where in the dialogue something happened. */
export type WireStage =
  'connect' | 'greeting' | 'ehlo' | 'starttls' | 'mail' | 'rcpt' | 'data' | 'content';

/** Why a connection was lost; the smtp room's `Loss`. */
export interface LossFacts {
  readonly cause: 'closed' | 'reset' | 'timeout' | 'protocol' | 'local';
  readonly code: string;
  readonly detail: string;
}

/** What went wrong. `reason` and `detail` are sentences without a full stop, sanitized. */
export type Trouble =
  | { readonly kind: 'dns'; readonly reason: string }
  /** `subject` does not exist, or has no address; permanent for a recipient's domain only. */
  | {
      readonly kind: 'no-such-host';
      readonly subject: string;
      readonly hasName: boolean;
      readonly isPermanent: boolean;
    }
  | { readonly kind: 'null-mx'; readonly domain: string }
  | { readonly kind: 'loop'; readonly reason: string }
  /** The MX records name no host, or the address guard refused every address. */
  | { readonly kind: 'unroutable'; readonly reason: string }
  | { readonly kind: 'connect'; readonly code: string; readonly detail: string }
  | {
      readonly kind: 'reply';
      readonly stage: WireStage;
      readonly reply: Reply;
      readonly isEncrypted: boolean;
    }
  | {
      readonly kind: 'lost';
      readonly stage: WireStage;
      readonly loss: LossFacts;
      readonly mayHaveArrived: boolean;
    }
  | {
      readonly kind: 'unsendable';
      readonly problem: 'size' | '8bitmime' | 'smtputf8';
      readonly detail: string;
    }
  /** The verdict on the connection's TLS; `judgeTls` has the status and the reason already. */
  | {
      readonly kind: 'tls';
      readonly status: EnhancedStatus;
      readonly cause: string;
      readonly problem: string;
      readonly reason: string;
    }
  | { readonly kind: 'policy'; readonly reason: string; readonly isPermanent: boolean }
  | { readonly kind: 'local'; readonly code: string; readonly reason: string };

/** `remoteMta` null where nothing was dialled; `at` RFC 3339. */
export interface OutcomeContext {
  readonly remoteMta: RemoteMta | null;
  readonly at: string;
}

/** Deferred or bounced, never delivered. */
export function classifyTrouble(trouble: Trouble, context: OutcomeContext): Outcome {
  switch (trouble.kind) {
    case 'dns':
      return deferred('dns', '4.4.312', `DNS query failed: ${trouble.reason}`, context);
    case 'no-such-host':
      return classifyMissingHost(trouble, context);
    case 'null-mx':
      return bounced('dns', '5.1.10', `${trouble.domain} takes no mail (null MX)`, context);
    case 'loop':
      return bounced('policy', '5.4.6', `Mail loop: ${trouble.reason}`, context);
    case 'unroutable':
      return deferred('policy', '4.4.4', `No usable host: ${trouble.reason}`, context);
    case 'connect':
      return classifyConnect(trouble, context);
    case 'reply':
      return classifyReply(trouble, context);
    case 'lost':
      return classifyLoss(trouble, context);
    case 'unsendable':
      return classifyUnsendable(trouble, context);
    case 'tls':
      return classifyTls(trouble, context);
    case 'policy':
      return trouble.isPermanent
        ? bounced('policy', '5.1.1', trouble.reason, context)
        : deferred('policy', '4.7.5', trouble.reason, context);
    case 'local':
      return deferred('local', trouble.code, trouble.reason, context);
  }
}

/**
 * The word of a host on which forced mail has no verdict yet: whoever answered may be a stranger, so
 * that what would be final is deferred, with the same reason.
 */
export function deferUnproven(outcome: Outcome): Outcome {
  if (outcome.kind !== 'bounced') return outcome;
  const { subject, detail } = outcome.status;
  return { ...outcome, kind: 'deferred', status: { class: 4, subject, detail } };
}

/** How the message was handed over; `clearTextReason` why that may have been in clear, or null. */
export interface HandOver {
  readonly handedTo: HandedTo;
  readonly clearTextReason: string | null;
}

/** The server took responsibility for the message by this reply, a 2yz after the content. */
export function classifyAccepted(
  reply: Reply,
  context: OutcomeContext,
  { handedTo, clearTextReason }: HandOver,
): Outcome {
  const host = context.remoteMta === null ? 'the server' : nameOf(context.remoteMta);
  const how =
    clearTextReason === null ? '' : ` in clear text, permitted because: ${clearTextReason}`;
  return {
    kind: 'delivered',
    handedTo,
    status: reply.status?.class === 2 ? reply.status : success,
    reason: `accepted by ${host}${how}`,
    reply,
    ...context,
  };
}

const success = status('2.0.0');
const unsendableCodes = { size: '5.3.4', '8bitmime': '5.6.3', smtputf8: '5.6.7' } as const;

/** The limit of the one host that was asked, which the sender can do nothing about but send less. */
function classifyUnsendable(
  { problem, detail }: Trouble & { readonly kind: 'unsendable' },
  context: OutcomeContext,
): Outcome {
  const where = context.remoteMta === null ? '' : `${nameOf(context.remoteMta)}: `;
  return bounced('peer-reply', unsendableCodes[problem], where + detail, context);
}

function classifyMissingHost(
  trouble: Trouble & { readonly kind: 'no-such-host' },
  context: OutcomeContext,
): Outcome {
  const { subject, hasName, isPermanent } = trouble;
  const what = hasName ? `${subject} has no address` : `${subject} does not exist`;
  if (!isPermanent) return deferred('dns', '4.4.312', `DNS query failed: ${what}`, context);
  return bounced('dns', hasName ? '5.4.4' : '5.1.2', what, context);
}

function classifyConnect(
  trouble: Trouble & { readonly kind: 'connect' },
  context: OutcomeContext,
): Outcome {
  const { code, detail } = trouble;
  switch (code) {
    case 'ETIMEDOUT':
      return deferred('timeout', '4.4.315', `Connection timed out: ${detail}`, context);
    case 'ECONNREFUSED':
      return deferred('connect', '4.4.316', `Connection refused: ${detail}`, context);
    case 'ECONNRESET':
    case 'EPIPE':
      return deferred('connect', '4.4.318', `Connection was closed abruptly: ${detail}`, context);
    default:
      return deferred('connect', '4.4.317', `Cannot connect to remote server: ${detail}`, context);
  }
}

const stageWords: Readonly<Record<WireStage, string>> = {
  connect: 'while connecting',
  greeting: 'before its greeting',
  ehlo: 'in answer to EHLO',
  starttls: 'in answer to STARTTLS',
  mail: 'in answer to MAIL',
  rcpt: 'in answer to RCPT',
  data: 'in answer to DATA',
  content: 'in answer to the content',
};

function classifyLoss(
  trouble: Trouble & { readonly kind: 'lost' },
  context: OutcomeContext,
): Outcome {
  const { loss, stage, mayHaveArrived } = trouble;
  const duplicate = mayHaveArrived
    ? '; the content had been sent whole, so that a retry may make a duplicate'
    : '';
  const detail = `${loss.detail} ${stageWords[stage]}${duplicate}`;
  switch (loss.cause) {
    case 'timeout':
      return deferred('timeout', '4.4.315', `Connection timed out: ${detail}`, context);
    case 'closed':
    case 'reset': {
      const text = `Connection was closed abruptly: ${detail}`;
      return deferred('connection-lost', '4.4.318', text, context);
    }
    case 'protocol':
      return deferred('peer-reply', '4.5.0', `Protocol error: ${detail}`, context);
    case 'local':
      return deferred('local', '4.3.0', `Given up by us: ${detail}`, context);
  }
}

/** Exchange's sentence for the code, its word in brackets, then what was required and seen. */
function classifyTls(
  trouble: Trouble & { readonly kind: 'tls' },
  context: OutcomeContext,
): Outcome {
  const { status: enhanced, problem, reason } = trouble;
  const sentence =
    enhanced.subject === 7 ? 'Certificate validation failed' : 'Cannot connect to remote server';
  const isPolicy = trouble.cause === 'policy';
  return {
    kind: 'deferred',
    cause: tlsCauses[trouble.cause] ?? 'tls-requirement',
    status: enhanced,
    reason: isPolicy ? reason : `${sentence} [Message=${problem}]: ${reason}`,
    reply: null,
    ...context,
  };
}

const tlsCauses: Readonly<Record<string, DeferralCause>> = {
  'tls-not-offered': 'tls-not-offered',
  'tls-refused': 'tls-refused',
  'tls-handshake': 'tls-handshake',
  policy: 'policy',
};

function classifyReply(
  trouble: Trouble & { readonly kind: 'reply' },
  context: OutcomeContext,
): Outcome {
  const { reply, stage } = trouble;
  const said = `${context.remoteMta === null ? 'the server' : nameOf(context.remoteMta)} said ${quote(reply)}`;
  if (!trouble.isEncrypted && asksForTls(reply)) {
    const reason = `Cannot connect to remote server: it demands TLS and does not offer it; ${said}`;
    return { ...deferred('tls-not-offered', '4.4.317', reason, context), reply };
  }
  const reason = `${said} ${stage === 'greeting' ? 'as its greeting' : stageWords[stage]}`;
  const cause = 'peer-reply';
  if (mayRetry(stage, reply)) {
    const enhanced = reply.status?.class === 4 ? reply.status : transientOf(reply);
    return { kind: 'deferred', cause, status: enhanced, reason, reply, ...context };
  }
  const enhanced = reply.status?.class === 5 ? reply.status : permanentOf(reply);
  return { kind: 'bounced', cause, status: enhanced, reason, reply, ...context };
}

/**
 * Whether to come again although the reply may be 5yz: a greeting speaks of the host, not of the
 * message (521 and 556 say that it takes no mail at all); 503 speaks of the order of commands, in which
 * we made no error; and what is neither success nor refusal means nothing.
 */
function mayRetry(stage: WireStage, reply: Reply): boolean {
  if (reply.code < 500 || reply.code === 503) return true;
  return stage === 'greeting' && reply.code !== 521 && reply.code !== 556;
}

/** As `530 5.7.0 Must issue a STARTTLS command first` and Exchange's `451 5.7.3 STARTTLS is required`. */
function asksForTls(reply: Reply): boolean {
  return reply.code === 530 || reply.lines.some((line) => /\bstarttls\b/i.test(line));
}

function transientOf(reply: Reply): EnhancedStatus {
  if (reply.code === 421) return status('4.3.2');
  return reply.code < 400 || reply.code === 503 ? status('4.5.0') : status('4.0.0');
}

function permanentOf(reply: Reply): EnhancedStatus {
  return reply.code === 521 || reply.code === 556 ? status('5.3.2') : status('5.0.0');
}

function quote(reply: Reply): string {
  const lines = reply.lines.filter((line) => line !== '').slice(0, 3);
  return `${reply.code} ${lines.join(' / ')}`.trim();
}

function nameOf(remote: RemoteMta): string {
  return remote.address === null ? remote.hostName : `${remote.hostName} [${remote.address}]`;
}

function deferred(
  cause: DeferralCause,
  code: string,
  reason: string,
  context: OutcomeContext,
): Outcome {
  return { kind: 'deferred', cause, status: status(code), reason, reply: null, ...context };
}

function bounced(
  cause: DeferralCause,
  code: string,
  reason: string,
  context: OutcomeContext,
): Outcome {
  return { kind: 'bounced', cause, status: status(code), reason, reply: null, ...context };
}
