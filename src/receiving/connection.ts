/**
 * The driver of one connection: joins its socket, its SMTP session, its clock and its mail.
 *
 * Feeds the session, gives each event to the policy and the queue, and writes one buffer per flight.
 * While something is awaited the client is not read beyond a few kilobytes.
 * @see RFC 5321 §3.8, RFC 3207 §4
 */
import { randomUUID } from 'node:crypto';
import type net from 'node:net';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { ServerEvent } from '../smtp/server-event.ts';
import { ServerSession } from '../smtp/server-session.ts';
import { Authentication } from './authentication.ts';
import type { Client } from './client-address.ts';
import { isProxyItself } from './client-address.ts';
import { MailDialogue, shuttingDown } from './mail-dialogue.ts';
import { reasonOfLastReply } from './refusal-reason.ts';
import { SessionClock } from './session-clock.ts';
import { takeHandshake } from './session-handshake.ts';
import type { SessionName, SessionPeer } from './session-peer.ts';
import { nameSession, newPeer } from './session-peer.ts';
import { SessionSocket } from './session-socket.ts';
import { SessionTally } from './session-tally.ts';
import { wireRulesOf } from './settings.ts';
import type { TransactionContext } from './transaction-start.ts';

const readyForTls = reply(220, '2.0.0', 'ready to start TLS');
const tooManyHandshakes = reply(421, '4.7.0', 'too many handshakes from your address, closing');
const internalError = reply(421, '4.3.0', 'internal error, closing');

/** Unread bytes of a client that are held while something is awaited. */
const heldBytesMax = 4096;

export class Connection {
  readonly #context: TransactionContext;
  readonly #onGone: () => void;
  readonly #session: ServerSession;
  readonly #socket: SessionSocket;
  readonly #clock: SessionClock;
  readonly #authentication: Authentication;
  readonly #mail: MailDialogue;
  readonly #tally: SessionTally;
  readonly #name: SessionName;
  #peer: SessionPeer;
  #greetingTimer: NodeJS.Timeout | undefined;
  #isGreeted = false;
  #isPumping = false;
  #isUpgrading = false;
  #isStopping = false;
  /** The client closed its side. */
  #hasEnded = false;
  #isEnding = false;
  #isGone = false;

  /** `raw` is paused and untouched; `onGone` is called once, when nothing of it is left. */
  constructor(raw: net.Socket, client: Client, context: TransactionContext, onGone: () => void) {
    const { settings, services } = context;
    this.#context = context;
    this.#onGone = onGone;
    this.#peer = newPeer(client, randomUUID(), services.now());
    this.#name = nameSession(context, client);
    this.#session = new ServerSession(wireRulesOf(settings, services.policy().hostName));
    this.#tally = new SessionTally(context);
    this.#authentication = new Authentication(context, this.#name, this.#peer.key);
    this.#mail = new MailDialogue(context, this.#session, this.#tally);
    this.#clock = new SessionClock(settings.limits, this.#session);
    this.#socket = new SessionSocket(raw, {
      onData: (bytes) => this.#take(bytes),
      onEnd: () => this.#noteClientsEnd(),
      onError: (error) => this.#noteLoss(error),
      onClose: () => this.#close(),
    });
  }

  start(): void {
    this.#begin().catch((error: unknown) => this.#crash(error));
  }

  /** Ends what waits for the client too long. `nowMs` is of `performance.now`. */
  checkTime(nowMs: number, isCrowded: boolean): void {
    const overdue = this.#isGone ? null : this.#clock.findOverdue(nowMs, isCrowded);
    if (overdue === null) return;
    // A client that does not even read its replies gets no further one.
    if (this.#isEnding || this.#isPumping) return this.#socket.destroy();
    this.#tally.countEnd(overdue.reason);
    this.#closeWith(overdue.reply);
  }

  /** Answers 421 once no transaction is open. */
  shutDown(): void {
    this.#isStopping = true;
    this.#mail.stop();
    if (!this.#isPumping && !this.#isUpgrading) this.#closeIfStopping();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #begin(): Promise<void> {
    const { services, settings } = this.#context;
    if (services.opened !== undefined) await this.#clock.stopDuring(services.opened);
    if (this.#isGone || this.#isEnding) return;
    await (settings.tls === 'implicit' ? this.#beginImplicit() : this.#beginClear());
  }

  async #beginClear(): Promise<void> {
    this.#socket.open();
    const { settings, services } = this.#context;
    const { greetingDelayMs } = settings.limits;
    if (greetingDelayMs > 0 && !services.clients.isKnown(this.#peer.key)) {
      this.#greetingTimer = setTimeout(() => this.#greet(), greetingDelayMs);
      return;
    }
    // The second turn of the loop has read what was there before the greeting.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    this.#greet();
  }

  async #beginImplicit(): Promise<void> {
    if (!this.#mayHandshake()) return this.#socket.destroy();
    if (await this.#upgrade('implicit')) this.#greet();
  }

  #greet(): void {
    if (this.#isGone || this.#isGreeted || this.#isEnding) return;
    this.#isGreeted = true;
    clearTimeout(this.#greetingTimer);
    this.#tally.countOpened();
    this.#session.greet();
    this.#startPump();
  }

  #take(bytes: Buffer): void {
    this.#session.feed(bytes);
    // Who speaks before the greeting is answered at once, and nothing more of it is read.
    if (!this.#isGreeted) return this.#greet();
    if (!this.#isPumping) this.#startPump();
    else if (this.#session.bufferedBytes > heldBytesMax) this.#socket.pause();
  }

  #noteClientsEnd(): void {
    this.#hasEnded = true;
    if (!this.#isPumping) this.#end();
  }

  #noteLoss(error: Error & { code?: string }): void {
    const code = error.code ?? error.name;
    this.#context.services.log.debug({ ...this.#name, code }, 'connection lost');
  }

  #close(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#greetingTimer);
    // What is being accepted goes on without the client.
    if (!this.#isPumping) this.#leave();
  }

  #leave(): void {
    void this.#mail.forget().then(this.#onGone);
  }

  #startPump(): void {
    this.#pump().catch((error: unknown) => this.#crash(error));
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    this.#clock.endTurn();
    const { steps } = this.#session;
    try {
      while (!this.#isGone) {
        const event = this.#session.next();
        const work = event === null ? undefined : this.#handle(event);
        const draining = event === null || work !== undefined ? this.#flush() : undefined;
        if (work !== undefined) await this.#clock.stopDuring(work);
        if (draining !== undefined) await draining;
        if (event === null && draining === undefined) break;
        this.#socket.resume();
      }
    } finally {
      this.#isPumping = false;
      if (this.#isGone) this.#leave();
    }
    if (!this.#isGone) this.#rest(this.#session.steps !== steps);
  }

  /** After the pump: the client's turn, unless the session is over. */
  #rest(hasProgress: boolean): void {
    if (this.#session.isClosed || this.#hasEnded) {
      this.#tally.countEnd(reasonOfLastReply(this.#session.lastReply));
      return this.#end();
    }
    this.#clock.beginTurn(hasProgress);
    if (this.#isStopping) this.#closeIfStopping();
  }

  /** A promise where the client must read first. */
  #flush(): Promise<void> | undefined {
    return this.#socket.write(this.#session.takeOutput());
  }

  #handle(event: ServerEvent): Promise<void> | undefined {
    switch (event.kind) {
      case 'starttls':
        return this.#startTls();
      case 'auth':
        return this.#authenticate(event.username, event.password);
      case 'mail':
        this.#mail.begin(event, this.#peer);
        return undefined;
      case 'recipient':
        return this.#mail.addRecipient(event);
      case 'data':
        return this.#mail.beginContent();
      case 'content':
        return this.#mail.push(event.bytes);
      case 'content-end':
        return this.#mail.finish(event.problem, this.#peer);
      case 'reset':
        return this.#mail.forget();
    }
  }

  async #authenticate(username: string, password: string): Promise<void> {
    const { reply, account, isGuessing } = await this.#authentication.signIn(username, password);
    if (account !== null) this.#peer = { ...this.#peer, account };
    if (isGuessing) this.#tally.countEnd('auth-guessing');
    this.#session.answer(reply);
  }

  async #startTls(): Promise<void> {
    if (!this.#mayHandshake()) return this.#session.answer(tooManyHandshakes);
    this.#session.answer(readyForTls);
    await this.#flush();
    if (await this.#upgrade('starttls')) this.#session.secured();
  }

  /** False where the handshake failed: then the connection ends. */
  async #upgrade(mode: 'starttls' | 'implicit'): Promise<boolean> {
    const raw = this.#socket.release();
    this.#isUpgrading = true;
    this.#clock.stop();
    const { socket, peer } = await takeHandshake(raw, this.#context, this.#peer, mode);
    this.#isUpgrading = false;
    this.#clock.resume();
    this.#peer = peer;
    if (socket === null) {
      this.#tally.countEnd('handshake-failed');
      raw.destroy();
      this.#close();
      return false;
    }
    this.#socket.replace(socket);
    return true;
  }

  /** A refused handshake ends the session: a client must not go on in clear because of it. */
  #mayHandshake(): boolean {
    const { client, key } = this.#peer;
    const isAllowed = isProxyItself(client) || this.#context.services.clients.mayHandshake(key);
    if (!isAllowed) this.#tally.countEnd('handshake-rate');
    return isAllowed;
  }

  #closeIfStopping(): void {
    if (!this.#session.isInTransaction && !this.#isEnding) this.#closeWith(shuttingDown);
  }

  #closeWith(last: Reply): void {
    // Before an implicit handshake there is no way to say anything.
    const { tls } = this.#context.settings;
    if (tls === 'implicit' && this.#peer.evidence.tls === null) return this.#socket.destroy();
    this.#session.close(last);
    void this.#flush();
    this.#end();
  }

  /** Ends our side, and for a while drops what the client still sends: a reset could eat the reply. */
  #end(): void {
    if (this.#isEnding || this.#isGone) return;
    this.#isEnding = true;
    this.#clock.linger();
    this.#socket.end();
    void this.#mail.forget();
  }

  #crash(error: unknown): void {
    this.#context.services.log.error({ err: error, ...this.#name }, 'session broke');
    this.#clock.resume();
    if (this.#socket.isWritable) this.#closeWith(internalError);
    else this.#socket.destroy();
  }
}
