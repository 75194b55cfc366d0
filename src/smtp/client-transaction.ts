/**
 * One mail transaction of a client session: MAIL, RCPT, content. The only place that says MAIL FROM,
 * and it takes a permit.
 *
 * Under PIPELINING the envelope and DATA leave in one flight; with CHUNKING besides, the content
 * with them. The next transaction may begin as soon as the content of this one has left. An LMTP
 * server answers the content once for each recipient that it accepted; it gets DATA, never BDAT, so
 * that the number of replies is known before any of them is waited for.
 * @see RFC 5321 §3.3, RFC 2920 §3.1, RFC 3030 §2, RFC 1870 §6, RFC 6152 §3, RFC 2033 §4.2,
 *   RFC 3461 §5.2.1, RFC 6531 §3.4
 */
import assert from 'node:assert/strict';
import type { Address } from '../mail/address.ts';
import { formatAddress, formatPath, needsSmtpUtf8 } from '../mail/address.ts';
import type { Envelope } from '../mail/envelope.ts';
import type { Permit } from '../mail/permit.ts';
import type { Recipient, RecipientRequest } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import type { Body } from './client-body.ts';
import { sizeOfBody, streamBody } from './client-body.ts';
import type { Loss, ReplyTaker } from './client-core.ts';
import type { ClientSession, RunningTransaction } from './client-session.ts';
import { formatDsnRequest, formatRecipientRequest } from './command.ts';
import { declaresUtf8, findUnsendable } from './client-unsendable.ts';
import type { Unsendable } from './client-unsendable.ts';
import { endOfContent, endingOf, stuffDots } from './dot-stuffing.ts';

export type TransactionStage = 'mail' | 'rcpt' | 'data' | 'content';

/**
 * What one recipient got. `lost` with `mayHaveArrived`: the content went out whole and its reply
 * never came, so that sending again may make a duplicate. `unsendable`: nothing was sent.
 */
export type RecipientResult =
  | { readonly kind: 'accepted'; readonly reply: Reply }
  | { readonly kind: 'refused'; readonly stage: TransactionStage; readonly reply: Reply }
  | {
      readonly kind: 'lost';
      readonly stage: TransactionStage;
      readonly loss: Loss;
      readonly mayHaveArrived: boolean;
    }
  | Unsendable;

/** `recipients` in the order of the envelope. */
export interface TransactionResult {
  readonly recipients: readonly RecipientResult[];
  /** Whether the server answered anything at all in this transaction. */
  readonly hasReplies: boolean;
  /** The server offers DSN: it took over what the sender asked to be told. */
  readonly hasDsn: boolean;
}

/** Content up to this size leaves with its envelope before the recipients are known to be accepted. */
const eagerContentBytesMax = 64 * 1024;

/**
 * Begins at once; `session.mayBegin` must hold. Spends the permit, which must be for this session's
 * connection. Never rejects.
 */
export function beginTransaction(
  session: ClientSession,
  permit: Permit,
  envelope: Envelope,
  body: Body,
): Promise<TransactionResult> {
  return begin(session, permit, envelope, body);
}

/**
 * Asks whether the server would take mail for this recipient, and sends none: MAIL with the null
 * reverse-path and RCPT; what is left open is reset by the next transaction, or by QUIT. Whom mail
 * goes to is told as carefully as the mail itself, so that this too takes a permit.
 */
export function askAboutRecipient(
  session: ClientSession,
  permit: Permit,
  recipient: Address,
): Promise<TransactionResult> {
  const { localPart, domain } = recipient;
  const recipients = [{ localPart, domain }];
  return askAboutEnvelope(session, permit, { reversePath: null, recipients, bodyType: '7bit' });
}

/** The same for a whole envelope; each recipient gets its own answer. */
export function askAboutEnvelope(
  session: ClientSession,
  permit: Permit,
  envelope: Envelope,
): Promise<TransactionResult> {
  return begin(session, permit, envelope, null);
}

function begin(
  session: ClientSession,
  permit: Permit,
  envelope: Envelope,
  body: Body | null,
): Promise<TransactionResult> {
  assert(session.mayBegin, 'the session is not free for a transaction');
  permit.spend(session.connectionId);
  const unsendable = findUnsendable(session.capabilities, envelope, body);
  if (unsendable !== null) {
    const recipients = envelope.recipients.map(() => unsendable);
    return Promise.resolve({ recipients, hasReplies: false, hasDsn: false });
  }
  return new Promise((resolve) => {
    new Transaction(session, { envelope, body, resolve }).begin();
  });
}

interface Work {
  readonly envelope: Envelope;
  /** Null for a question about the recipients: the transaction ends after RCPT. */
  readonly body: Body | null;
  readonly resolve: (result: TransactionResult) => void;
}

class Transaction implements ReplyTaker, RunningTransaction {
  readonly #session: ClientSession;
  readonly #work: Work;
  readonly #isPipelined: boolean;
  readonly #isChunked: boolean;
  readonly #isEager: boolean;
  /** Commands not sent yet: without PIPELINING one goes out per reply. */
  readonly #commands: string[];
  readonly #rcptReplies: Reply[] = [];
  #phase: 'reset' | TransactionStage | 'done';
  #mailReply: Reply | null = null;
  #dataReply: Reply | null = null;
  /** One by SMTP; by LMTP one for each accepted recipient, in their order. */
  readonly #contentReplies: Reply[] = [];
  #closingReply: Reply | null = null;
  #hasReplies = false;
  #isContentSent = false;

  constructor(session: ClientSession, work: Work) {
    const { hasPipelining, hasChunking } = session.capabilities;
    const { body } = work;
    this.#session = session;
    this.#work = work;
    this.#isPipelined = hasPipelining;
    this.#isChunked = hasChunking && session.protocol === 'smtp';
    this.#isEager =
      hasPipelining &&
      this.#isChunked &&
      body?.kind === 'memory' &&
      body.bytes.length <= eagerContentBytesMax;
    // Whether BDAT ended the transaction before is known by its reply only.
    const isOpenAhead = session.mustReset || (this.#isChunked && session.transactionsInFlight > 0);
    this.#phase = isOpenAhead ? 'reset' : 'mail';
    this.#commands = envelopeCommands(session, work);
    if (isOpenAhead) this.#commands.unshift('RSET\r\n');
    if (!this.#isChunked && body !== null) this.#commands.push('DATA\r\n');
  }

  get isContentSent(): boolean {
    return this.#isContentSent;
  }

  get replyTimeoutMs(): number | null {
    const { timeouts } = this.#session;
    switch (this.#phase) {
      case 'reset':
        return timeouts.helloMs;
      case 'mail':
        return timeouts.mailMs;
      case 'rcpt':
        return timeouts.rcptMs;
      case 'data':
        return timeouts.dataInitiationMs;
      case 'content':
      case 'done':
        return this.#isContentSent ? timeouts.dataTerminationMs : null;
    }
  }

  begin(): void {
    const { core } = this.#session;
    this.#session.enter(this);
    core.batch(() => {
      if (!this.#isPipelined) {
        this.#sendNext();
        return;
      }
      core.send(Buffer.from(this.#commands.join('')));
      for (let i = this.#commands.length; i > 0; i--) core.expect(this);
      if (this.#isEager) this.#sendChunk();
    });
  }

  onReply(reply: Reply): void {
    if (this.#phase === 'done') return;
    this.#hasReplies = true;
    if (reply.code === 421) this.#closingReply ??= reply;
    switch (this.#phase) {
      case 'reset':
        return this.#onResetReply(reply);
      case 'mail':
        this.#mailReply = reply;
        this.#phase = 'rcpt';
        if (isRefused(reply) && !this.#isPipelined) this.#finish();
        else this.#sendNext();
        return;
      case 'rcpt':
        this.#rcptReplies.push(reply);
        if (this.#rcptReplies.length === this.#work.envelope.recipients.length) {
          this.#onRecipientsKnown();
        } else {
          this.#sendNext();
        }
        return;
      case 'data':
        return this.#onDataReply(reply);
      case 'content':
        return this.#onContentReply(reply);
    }
  }

  onLoss(loss: Loss): void {
    this.#finish(loss);
  }

  #onResetReply(reply: Reply): void {
    this.#phase = 'mail';
    if (!isRefused(reply)) {
      this.#sendNext();
      return;
    }
    const detail = `the server refused RSET (${reply.code})`;
    this.#session.core.lose({ cause: 'protocol', code: 'RSET_REFUSED', detail });
  }

  /** Sends the next command where each waits for the reply of the last. */
  #sendNext(): void {
    if (this.#isPipelined) return;
    const command = this.#commands.shift();
    if (command === undefined) return;
    this.#session.core.send(Buffer.from(command));
    this.#session.core.expect(this);
  }

  #onRecipientsKnown(): void {
    const isAnyAccepted = this.#acceptedCount() > 0;
    if (this.#work.body === null) {
      this.#finish();
    } else if (this.#isEager) {
      this.#phase = 'content';
    } else if (this.#isChunked) {
      this.#phase = 'content';
      if (isAnyAccepted) this.#sendChunk();
      else this.#finish();
    } else if (this.#isPipelined || isAnyAccepted) {
      this.#phase = 'data';
      this.#sendNext();
    } else {
      this.#finish();
    }
  }

  /** Recipients that the server took, of the first `among` ones; not all of them may be answered. */
  #acceptedCount(among = this.#rcptReplies.length): number {
    if (this.#mailReply === null || isRefused(this.#mailReply)) return 0;
    let count = 0;
    for (const reply of this.#rcptReplies.slice(0, among)) if (!isRefused(reply)) count++;
    return count;
  }

  get #contentRepliesWanted(): number {
    return this.#session.protocol === 'lmtp' ? this.#acceptedCount() : 1;
  }

  #onDataReply(reply: Reply): void {
    if (reply.code !== 354) {
      this.#dataReply = reply;
      this.#finish();
      return;
    }
    this.#phase = 'content';
    if (this.#acceptedCount() > 0) this.#sendContent();
    else this.#onContentWantedForNobody();
  }

  /** The server takes content although it refused every recipient: it gets none. */
  #onContentWantedForNobody(): void {
    if (this.#session.protocol === 'smtp') {
      this.#sendLast([endOfContent]);
      return;
    }
    // How many replies an LMTP server would give to that is anybody's guess.
    this.#finish();
    this.#session.destroy('the server wants content without a recipient');
  }

  #onContentReply(reply: Reply): void {
    if (this.#isContentSent) {
      this.#contentReplies.push(reply);
      if (this.#contentReplies.length === this.#contentRepliesWanted) this.#finish();
      return;
    }
    if (isRefused(reply)) this.#contentReplies.push(reply);
    const detail = `the server answered (${reply.code}) before the content was sent whole`;
    this.#finish({ cause: 'protocol', code: 'EARLY_REPLY', detail });
    this.#session.destroy(detail);
  }

  #sendChunk(): void {
    const body = this.#work.body!;
    const header = Buffer.from(`BDAT ${sizeOfBody(body)} LAST\r\n`, 'latin1');
    if (body.kind === 'memory') {
      this.#sendLast([header, body.bytes]);
    } else {
      this.#session.core.send(header);
      this.#stream(body);
    }
  }

  #sendContent(): void {
    const body = this.#work.body!;
    if (body.kind === 'memory') this.#sendLast([stuffDots(body.bytes), endingOf(body.bytes)]);
    else this.#stream(body);
  }

  #sendLast(chunks: readonly Buffer[]): void {
    const { core } = this.#session;
    core.batch(() => {
      for (const chunk of chunks) core.send(chunk);
      this.#isContentSent = true;
      for (let i = this.#contentRepliesWanted; i > 0; i--) core.expect(this);
      this.#session.onChange();
    });
  }

  #stream(body: Body & { readonly kind: 'stream' }): void {
    this.#session.core.expect(this);
    // After this turn, so that what was sent before has left first.
    queueMicrotask(() => void this.#streamNow(body));
  }

  async #streamNow(body: Body & { readonly kind: 'stream' }): Promise<void> {
    const { core, stream, timeouts } = this.#session;
    const result = await streamBody(stream, body, {
      hasDots: !this.#isChunked,
      blockTimeoutMs: timeouts.dataBlockMs,
      isStopped: () => this.#phase === 'done' || core.loss !== null,
      onSent: () => this.#onStreamed(),
    });
    if (this.#phase === 'done' || result.kind !== 'failed') return;
    core.lose({ cause: result.cause, code: 'CONTENT', detail: result.detail });
  }

  #onStreamed(): void {
    const { core } = this.#session;
    this.#isContentSent = true;
    core.batch(() => {
      // One is waited for since the content began.
      for (let i = this.#contentRepliesWanted; i > 1; i--) core.expect(this);
      core.rearm();
      this.#session.onChange();
    });
  }

  #finish(loss: Loss | null = null): void {
    if (this.#phase === 'done') return;
    const stage = this.#phase === 'reset' ? 'mail' : this.#phase;
    const recipients = this.#work.envelope.recipients.map((_, i) => this.#resultOf(i, stage, loss));
    this.#phase = 'done';
    this.#session.mustReset = this.#isLeftOpen();
    const hasDsn = passesDsn(this.#session);
    this.#work.resolve({ recipients, hasReplies: this.#hasReplies, hasDsn });
    this.#session.leave(this);
  }

  /** Whether the server may still hold this transaction open. */
  #isLeftOpen(): boolean {
    if (this.#mailReply === null || isRefused(this.#mailReply)) return false;
    const reply = this.#contentReplies[0];
    return reply === undefined || (this.#isChunked && isRefused(reply));
  }

  #resultOf(index: number, stage: TransactionStage, loss: Loss | null): RecipientResult {
    if (this.#mailReply !== null && isRefused(this.#mailReply)) {
      return { kind: 'refused', stage: 'mail', reply: this.#mailReply };
    }
    const rcptReply = this.#rcptReplies[index];
    if (rcptReply !== undefined && isRefused(rcptReply)) {
      return { kind: 'refused', stage: 'rcpt', reply: rcptReply };
    }
    if (this.#dataReply !== null) return { kind: 'refused', stage: 'data', reply: this.#dataReply };
    if (this.#work.body === null && rcptReply !== undefined) {
      return { kind: 'accepted', reply: rcptReply };
    }
    const place = this.#session.protocol === 'lmtp' ? this.#acceptedCount(index) : 0;
    const reply = this.#contentReplies[place];
    if (reply !== undefined) {
      return isRefused(reply)
        ? { kind: 'refused', stage: 'content', reply }
        : { kind: 'accepted', reply };
    }
    if (this.#closingReply !== null) return { kind: 'refused', stage, reply: this.#closingReply };
    const mayHaveArrived = this.#isContentSent;
    return { kind: 'lost', stage, loss: loss ?? unexplained, mayHaveArrived };
  }
}

const unexplained: Loss = { cause: 'local', code: 'UNKNOWN', detail: 'the transaction ended' };

/** Anything but 2yz is no success where a success is asked for. */
function isRefused(reply: Reply): boolean {
  return reply.code < 200 || reply.code >= 300;
}

/** An LMTP server delivers for good, and we tell the sender so ourselves. @see RFC 3461 §5.2.2 */
function passesDsn({ protocol, capabilities }: ClientSession): boolean {
  return capabilities.hasDsn && protocol === 'smtp';
}

function envelopeCommands(session: ClientSession, { envelope, body }: Work): string[] {
  const { sizeMax } = session.capabilities;
  const hasDsn = passesDsn(session);
  const size = sizeMax === null || body === null ? '' : ` SIZE=${sizeOfBody(body)}`;
  const bodyType = envelope.bodyType === '8bitmime' ? ' BODY=8BITMIME' : '';
  const utf8 = declaresUtf8(envelope) ? ' SMTPUTF8' : '';
  const dsn = hasDsn ? formatDsnRequest(envelope.dsn ?? null) : '';
  const path = formatPath(envelope.reversePath);
  const commands = [`MAIL FROM:${path}${size}${bodyType}${utf8}${dsn}\r\n`];
  for (const recipient of envelope.recipients) {
    const request = hasDsn ? formatRecipientRequest(requestOf(recipient)) : '';
    commands.push(`RCPT TO:${formatPath(recipient)}${request}\r\n`);
  }
  return commands;
}

/**
 * What the sender asked, passed on as it was; where it asked and an alias of ours led here, ORCPT
 * says whom it wrote to.
 * @see RFC 3461 §5.2.1
 */
function requestOf(recipient: Recipient): RecipientRequest {
  const { notify, originalRecipient, aliasedFrom } = recipient;
  if (notify === undefined || originalRecipient !== undefined || aliasedFrom === undefined) {
    return recipient;
  }
  const type = needsSmtpUtf8(aliasedFrom) ? 'utf-8' : 'rfc822';
  return { notify, originalRecipient: { type, text: formatAddress(aliasedFrom) } };
}
