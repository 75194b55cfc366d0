/**
 * The sans-IO inside of a client session: bytes in, replies to those who wait for them, bytes out.
 *
 * Replies are matched to commands by order. A reply that nobody waits for ends the connection.
 * @see RFC 5321 §4.2, RFC 2920 §3.1
 */
import type { Reply } from '../mail/reply.ts';
import { ReplyReader } from './reply.ts';

/**
 * Why a connection is of no more use. `closed`: ended by the peer in order; `reset`: by an error of
 * the socket or of TLS; `protocol`: the peer broke the rules; `local`: we gave it up ourselves.
 */
export interface Loss {
  readonly cause: 'closed' | 'reset' | 'timeout' | 'protocol' | 'local';
  /** `ECONNRESET`, `ERR_SSL_…`, or a word of ours; for logs. */
  readonly code: string;
  /** One sentence without a full stop. */
  readonly detail: string;
}

/** Who waits for a reply: a step of the session or a transaction, which may wait for several. */
export interface ReplyTaker {
  /** For the reply that comes next; null waits without a limit of its own. Read when it is next. */
  readonly replyTimeoutMs: number | null;
  onReply(reply: Reply): void;
  /** Called once per reply that will not come. */
  onLoss(loss: Loss): void;
}

/** What the driver does for the core. */
export interface CoreHooks {
  transmit(chunks: readonly Buffer[]): void;
  /** A reply is waited for from now on, or (null) none. */
  onAwait(timeoutMs: number | null): void;
  onLoss(loss: Loss): void;
}

export class ClientCore {
  readonly #reader = new ReplyReader();
  readonly #takers: ReplyTaker[] = [];
  readonly #hooks: CoreHooks;
  #out: Buffer[] = [];
  #depth = 0;
  #loss: Loss | null = null;

  constructor(hooks: CoreHooks) {
    this.#hooks = hooks;
  }

  get loss(): Loss | null {
    return this.#loss;
  }

  /** Whether bytes of a reply wait that is not complete yet. */
  get hasUnreadBytes(): boolean {
    return this.#reader.hasPartial;
  }

  /** What `work` sends leaves together, in one flight. */
  batch(work: () => void): void {
    this.#depth++;
    try {
      work();
    } finally {
      this.#depth--;
      this.#flush();
    }
  }

  send(bytes: Buffer): void {
    if (this.#loss !== null) return;
    this.#out.push(bytes);
    this.#flush();
  }

  expect(taker: ReplyTaker): void {
    if (this.#loss !== null) {
      taker.onLoss(this.#loss);
      return;
    }
    this.#takers.push(taker);
    if (this.#takers.length === 1) this.rearm();
  }

  /** Starts the wait for the next reply anew, as after the last block of content. */
  rearm(): void {
    if (this.#loss === null) this.#hooks.onAwait(this.#takers[0]?.replyTimeoutMs ?? null);
  }

  receive(bytes: Buffer): void {
    if (this.#loss !== null) return;
    this.batch(() => {
      const replies = this.#reader.feed(bytes);
      for (const reply of replies) {
        if (this.#loss !== null) return;
        this.#deliver(reply);
      }
      if (this.#loss === null && this.#reader.problem !== null) {
        this.lose({ cause: 'protocol', code: 'BAD_REPLY', detail: this.#reader.problem });
      }
      // A reply that comes in drops has no more time than one that comes at once.
      if (replies.length > 0) this.rearm();
    });
  }

  #deliver(reply: Reply): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.onReply(reply);
    } else if (reply.code === 421) {
      this.lose({ cause: 'closed', code: 'REPLY_421', detail: 'the server closed the session' });
    } else {
      const detail = `the server sent a reply (${reply.code}) to no command`;
      this.lose({ cause: 'protocol', code: 'UNSOLICITED_REPLY', detail });
    }
  }

  /** Ends everything: whoever waits learns why. The first loss counts. */
  lose(loss: Loss): void {
    if (this.#loss !== null) return;
    this.#loss = loss;
    this.#out = [];
    this.#hooks.onAwait(null);
    const takers = this.#takers.splice(0);
    this.#hooks.onLoss(loss);
    for (const taker of takers) taker.onLoss(loss);
  }

  #flush(): void {
    if (this.#depth > 0 || this.#out.length === 0) return;
    const chunks = this.#out;
    this.#out = [];
    this.#hooks.transmit(chunks);
  }
}
