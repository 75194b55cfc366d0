/**
 * A client session: greeting, EHLO, STARTTLS, and the room in which transactions run.
 *
 * For delivery and validation. It has no MAIL FROM: `beginTransaction` (`client-transaction.ts`) has,
 * and asks for a permit. The session is a thin driver over a stream that it is handed; the inside is
 * `client-core.ts`. What TLS is, it does not know: the upgrade is a function it is handed too.
 * @see RFC 5321 §3.1, §3.2, §4.1.1.1, RFC 3207 §4.2, RFC 2033 §4.1
 */
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import type { Reply } from '../mail/reply.ts';
import { noCapabilities, parseCapabilities } from './client-capabilities.ts';
import type { Capabilities } from './client-capabilities.ts';
import { ClientCore } from './client-core.ts';
import type { Loss, ReplyTaker } from './client-core.ts';
import type { ClientTimeouts } from './client-timeouts.ts';

/** LMTP is what mailbox servers speak: LHLO, and one reply per recipient. @see RFC 2033 */
export type ClientProtocol = 'smtp' | 'lmtp';

export interface ClientSessionOptions {
  readonly protocol: ClientProtocol;
  /** Names the connection; only a permit for it begins a transaction. */
  readonly connectionId: string;
  /** Our name in EHLO or LHLO. */
  readonly ownName: string;
  readonly timeouts: ClientTimeouts;
  /** Transactions whose content was sent and whose reply is awaited, with the one that is next. */
  readonly transactionsInFlightMax: number;
  /** Hears the dialogue; for validation. */
  readonly tap?: SessionTap;
}

/** Told what is sent and what comes, as plain text also where it goes under TLS; not of streamed content. */
export interface SessionTap {
  onSent(bytes: Buffer): void;
  onReceived(bytes: Buffer): void;
}

/** How one step ended. After `lost` the session is of no more use. */
export type StepResult =
  | { readonly kind: 'done'; readonly reply: Reply }
  | { readonly kind: 'refused'; readonly reply: Reply }
  | { readonly kind: 'lost'; readonly loss: Loss };

/**
 * `upgraded` carries the result of the EHLO inside TLS. `not-encrypted`: the handshake failed, or
 * plaintext came after the 220; nothing is ever sent on this connection again.
 */
export type StartTlsResult =
  | { readonly kind: 'upgraded'; readonly hello: StepResult }
  | { readonly kind: 'refused'; readonly reply: Reply }
  | { readonly kind: 'not-encrypted'; readonly loss: Loss }
  | { readonly kind: 'lost'; readonly loss: Loss };

/** A transaction as the session sees it. */
export interface RunningTransaction {
  /** All of its content was handed to the stream. */
  readonly isContentSent: boolean;
}

export class ClientSession {
  readonly connectionId: string;
  readonly protocol: ClientProtocol;
  readonly timeouts: ClientTimeouts;
  /** For `client-transaction.ts`. */
  readonly core: ClientCore;
  /** Called when the session may have become free for a transaction, and once when it is closed. */
  onChange: () => void = () => undefined;
  /** The next transaction must reset what the last one may have left open. For transactions. */
  mustReset = false;

  readonly #options: ClientSessionOptions;
  readonly #transactions: RunningTransaction[] = [];
  #stream: Duplex;
  #capabilities: Capabilities = noCapabilities;
  #isReady = false;
  #isQuitting = false;
  #transactionsBegun = 0;
  #deadlineAt = Infinity;
  #timerAt = Infinity;
  #timer: NodeJS.Timeout | null = null;

  constructor(stream: Duplex, options: ClientSessionOptions) {
    this.connectionId = options.connectionId;
    this.protocol = options.protocol;
    this.timeouts = options.timeouts;
    this.#options = options;
    this.#stream = stream;
    this.core = new ClientCore({
      transmit: (chunks) => this.#transmit(chunks),
      onAwait: (timeoutMs) => this.#setDeadline(timeoutMs),
      onLoss: () => this.#close(),
    });
    this.#attach();
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** The stream in use, for content that is streamed. For `client-transaction.ts`. */
  get stream(): Duplex {
    return this.#stream;
  }

  get isClosed(): boolean {
    return this.core.loss !== null || this.#isQuitting;
  }

  get transactionsBegun(): number {
    return this.#transactionsBegun;
  }

  get transactionsInFlight(): number {
    return this.#transactions.length;
  }

  /** Whether a transaction may begin now, behind those in flight if there are any. */
  get mayBegin(): boolean {
    if (!this.#isReady || this.isClosed) return false;
    const last = this.#transactions.at(-1);
    if (last === undefined) return true;
    if (!last.isContentSent || !this.#capabilities.hasPipelining) return false;
    return this.#transactions.length < this.#options.transactionsInFlightMax;
  }

  /** The server's first word. */
  readGreeting(): Promise<StepResult> {
    return this.#step(null, this.timeouts.greetingMs);
  }

  /**
   * EHLO, and HELO where EHLO is refused for good: then no extensions, and so no STARTTLS. LMTP has
   * LHLO alone.
   */
  async hello(): Promise<StepResult> {
    const name = this.#options.ownName;
    const isLmtp = this.protocol === 'lmtp';
    const line = `${isLmtp ? 'LHLO' : 'EHLO'} ${name}\r\n`;
    let result = await this.#step(line, this.timeouts.helloMs);
    this.#capabilities = noCapabilities;
    if (result.kind === 'done') {
      this.#capabilities = parseCapabilities(result.reply);
    } else if (!isLmtp && result.kind === 'refused' && result.reply.code >= 500) {
      result = await this.#step(`HELO ${name}\r\n`, this.timeouts.helloMs);
    }
    this.#isReady = result.kind === 'done';
    return result;
  }

  /**
   * STARTTLS, the handshake by `upgrade`, and EHLO again. `upgrade` resolves with the encrypted
   * stream or null, and never rejects; what went wrong is its own to keep.
   */
  async startTls(upgrade: (stream: Duplex) => Promise<Duplex | null>): Promise<StartTlsResult> {
    assert(this.#transactionsBegun === 0, 'STARTTLS comes before the first transaction');
    this.#isReady = false;
    const result = await this.#step('STARTTLS\r\n', this.timeouts.helloMs, () => this.#detach());
    if (result.kind === 'lost') return result;
    if (result.kind === 'refused') return result;
    // Whatever came in clear after the 220 may be an attacker's; it is never read as a reply.
    const loss = this.core.loss ?? this.#findInjected();
    if (loss !== null) {
      this.core.lose(loss);
      return { kind: 'not-encrypted', loss };
    }
    this.#capabilities = noCapabilities;
    const encrypted = await upgrade(this.#stream);
    const failed = {
      cause: 'reset',
      code: 'TLS_HANDSHAKE',
      detail: 'the handshake failed',
    } as const;
    if (encrypted === null) this.core.lose(failed);
    if (encrypted === null || this.core.loss !== null) {
      encrypted?.destroy();
      return { kind: 'not-encrypted', loss: this.core.loss ?? failed };
    }
    this.#stream = encrypted;
    this.#attach();
    return { kind: 'upgraded', hello: await this.hello() };
  }

  /** Says QUIT and cuts the connection soon after. Transactions in flight still end. */
  quit(): void {
    if (this.isClosed) return;
    this.#isQuitting = true;
    const ended = { cause: 'local', code: 'QUIT', detail: 'we ended the session' } as const;
    this.core.send(Buffer.from('QUIT\r\n'));
    this.core.expect({
      replyTimeoutMs: this.timeouts.quitMs,
      onReply: () => this.core.lose(ended),
      onLoss: () => undefined,
    });
  }

  /** Cuts the connection; transactions in flight are lost. */
  destroy(detail: string): void {
    this.core.lose({ cause: 'local', code: 'DESTROYED', detail });
  }

  /** Cuts the connection because the server took too long; transactions in flight are lost. */
  expire(detail: string): void {
    this.core.lose({ cause: 'timeout', code: 'TOO_LONG', detail });
  }

  /** For `client-transaction.ts`. */
  enter(transaction: RunningTransaction): void {
    this.#transactionsBegun++;
    this.#transactions.push(transaction);
  }

  /** For `client-transaction.ts`. */
  leave(transaction: RunningTransaction): void {
    const place = this.#transactions.indexOf(transaction);
    if (place !== -1) this.#transactions.splice(place, 1);
    this.onChange();
  }

  /** `atDone` runs with the reply of a step that is done, before anything else is read. */
  #step(line: string | null, replyTimeoutMs: number, atDone?: () => void): Promise<StepResult> {
    return new Promise((resolve) => {
      const taker: ReplyTaker = {
        replyTimeoutMs,
        onReply: (reply) => {
          const isDone = reply.code >= 200 && reply.code < 300;
          if (isDone) atDone?.();
          resolve({ kind: isDone ? 'done' : 'refused', reply });
        },
        onLoss: (loss) => resolve({ kind: 'lost', loss }),
      };
      this.core.batch(() => {
        if (line !== null) this.core.send(Buffer.from(line, 'latin1'));
        this.core.expect(taker);
      });
    });
  }

  #findInjected(): Loss | null {
    if (!this.core.hasUnreadBytes && this.#stream.readableLength === 0) return null;
    const detail = 'the server sent plaintext between STARTTLS and the handshake';
    return { cause: 'protocol', code: 'PLAINTEXT_AFTER_STARTTLS', detail };
  }

  #transmit(chunks: readonly Buffer[]): void {
    const { tap } = this.#options;
    if (tap !== undefined) for (const chunk of chunks) tap.onSent(chunk);
    transmit(this.#stream, chunks);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#options.tap?.onReceived(chunk);
    this.core.receive(chunk);
  };
  readonly #onEnd = (): void => {
    const detail = 'the server closed the connection';
    this.core.lose({ cause: 'closed', code: 'CLOSED', detail });
  };
  readonly #onError = (error: Error & { code?: string }): void => {
    const code = error.code ?? 'ERROR';
    this.core.lose({
      cause: code === 'ETIMEDOUT' ? 'timeout' : 'reset',
      code,
      detail: error.message,
    });
  };

  #attach(): void {
    const stream = this.#stream;
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onEnd);
    stream.on('error', this.#onError);
    if (stream.destroyed) this.#onEnd();
  }

  /** Leaves the stream to the handshake; what it reports from now on is the handshake's concern. */
  #detach(): void {
    const stream = this.#stream;
    stream.pause();
    stream.off('data', this.#onData);
    stream.off('end', this.#onEnd);
    stream.off('close', this.#onEnd);
    stream.off('error', this.#onError);
    stream.on('error', () => undefined);
  }

  /** One timer that is moved lazily: a new deadline is a number, not a new timer. */
  #setDeadline(timeoutMs: number | null): void {
    this.#deadlineAt = timeoutMs === null ? Infinity : performance.now() + timeoutMs;
    if (timeoutMs !== null && this.#deadlineAt < this.#timerAt) this.#startTimer(timeoutMs);
  }

  #startTimer(afterMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = performance.now() + afterMs;
    this.#timer = setTimeout(() => this.#onTimer(), afterMs);
  }

  #onTimer(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    if (this.#deadlineAt === Infinity) return;
    const restMs = this.#deadlineAt - performance.now();
    if (restMs > 0) {
      this.#startTimer(Math.ceil(restMs));
      return;
    }
    const detail = 'the server did not answer in time';
    this.core.lose({ cause: 'timeout', code: 'REPLY_TIMEOUT', detail });
  }

  #close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stream.on('error', () => undefined);
    this.#stream.destroy();
    this.onChange();
  }
}

function transmit(stream: Duplex, chunks: readonly Buffer[]): void {
  if (stream.destroyed) return;
  if (chunks.length === 1) {
    stream.write(chunks[0]!);
    return;
  }
  stream.cork();
  for (const chunk of chunks) stream.write(chunk);
  stream.uncork();
}
