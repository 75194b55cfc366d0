/**
 * The driver of one connection: its socket, its SMTP session, its clock.
 *
 * Feeds the session, gives each event to the policy and the queue, and writes one buffer per flight.
 * While something is awaited the client is not read beyond a few kilobytes.
 * @see RFC 5321 §4.5.3.2, §3.8, RFC 3207 §4
 */
import { randomUUID } from 'node:crypto';
import type net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Reply } from '../mail/reply.ts';
import { isPositive, reply } from '../mail/reply.ts';
import type { Evidence } from '../policy/evidence.ts';
import { wantedInboundPaths } from '../policy/inbound-paths.ts';
import type { Policy } from '../policy/policy.ts';
import type { ServerEvent } from '../smtp/server-session.ts';
import { ServerSession } from '../smtp/server-session.ts';
import type { AnchorRegistry } from '../tls/anchors.ts';
import { upgradeServer } from '../tls/handshake.ts';
import { clearTextEvidence } from './evidence-text.ts';
import type { Client } from './client-address.ts';
import { addressKey } from './client-address.ts';
import { isHandshakeOld } from './handshake-age.ts';
import type { RefusalReason } from './refusal-reason.ts';
import { reasonOfLastReply } from './refusal-reason.ts';
import type { Account } from './services.ts';
import type { TransactionContext } from './transaction.ts';
import { Transaction } from './transaction.ts';

const readyForTls = reply(220, '2.0.0', 'ready to start TLS');
const authOk = reply(235, '2.7.0', 'authentication successful');
const authFailed = reply(535, '5.7.8', 'authentication unsuccessful');
const authUnavailable = reply(454, '4.7.0', 'authentication is not possible now, try again later');
const tooManyAuthFailures = reply(421, '4.7.0', 'too many failed authentications, closing');
const guessing = reply(421, '4.7.0', 'too many failed authentications from your address, closing');
const tooManyHandshakes = reply(421, '4.7.0', 'too many handshakes from your address, closing');
const tooSlow = reply(421, '4.4.2', 'the content comes too slowly, closing');
const tooIdle = reply(421, '4.3.2', 'this server is busy and you were idle, closing');
const tooManyRefusals = reply(421, '4.7.0', 'too many refusals, closing');
const policyChanged = reply(421, '4.7.0', 'the policy for certificates changed, connect again');
const timedOut = reply(421, '4.4.2', 'timeout, closing');
const sessionTooLong = reply(421, '4.4.2', 'the session took too long, closing');
const shuttingDown = reply(421, '4.3.2', 'this server is going down, try again later');
const internalError = reply(421, '4.3.0', 'internal error, closing');

/** Unread bytes of a client that are held while something is awaited. */
const heldBytesMax = 4096;
/** How long a closed session waits for the client to close too. */
const lingerMs = 5000;

export class Connection {
  readonly #context: TransactionContext;
  readonly #onGone: () => void;
  readonly #session: ServerSession;
  readonly #client: Client;
  readonly #key: string;
  readonly #connectionId = randomUUID();
  #socket: net.Socket;
  #evidence: Evidence;
  /** With which the client's certificate was examined; null before a handshake. */
  #anchors: AnchorRegistry | null = null;
  #account: Account | null = null;
  #transaction: Transaction | null = null;
  #refusals = 0;
  #authFailures = 0;
  #isPumping = false;
  /** It is our turn, not the client's: nobody is timed. */
  #isWorking = false;
  #isUpgrading = false;
  #hasEnded = false;
  #isEnding = false;
  #isStopping = false;
  #isGone = false;
  #isGreeted = false;
  #greetingTimer: NodeJS.Timeout | undefined;
  #isNoted = false;
  #onDrained: (() => void) | null = null;
  #deadlineAtMs: number;
  readonly #sessionEndsAtMs: number;
  /** Since when it is the client's turn; null while it is ours. */
  #waitsSinceMs: number | null = null;
  /** Of the content under way: the octets before it, and how long we waited for its own. */
  #content = { fromOctets: 0, waitedMs: 0 };

  /** `raw` is paused and untouched; `onGone` is called once, when nothing of it is left. */
  constructor(raw: net.Socket, client: Client, context: TransactionContext, onGone: () => void) {
    const { settings, services } = context;
    const { limits } = settings;
    this.#context = context;
    this.#onGone = onGone;
    this.#socket = raw;
    this.#client = client;
    this.#key = addressKey(client.address);
    this.#evidence = clearTextEvidence(this.#connectionId, client, services.now());
    this.#session = new ServerSession({
      hostName: services.policy().hostName,
      isUnderTls: settings.tls === 'implicit',
      offersStartTls: settings.tls === 'starttls',
      offersAuth: settings.kind === 'submission',
      messageSizeBytesMax: limits.messageSizeBytesMax,
      bareLineBreaks: settings.bareLineBreaks,
      lineBytesMax: limits.lineBytesMax,
      recipientsMax: limits.recipientsMax,
      errorsMax: limits.errorsMax,
      commandsMax: limits.commandsMax,
    });
    const startedAtMs = performance.now();
    this.#deadlineAtMs = startedAtMs + limits.commandTimeoutMs;
    this.#sessionEndsAtMs = startedAtMs + limits.sessionMs;
  }

  start(): void {
    this.#watch(this.#socket);
    this.#begin().catch((error: unknown) => this.#crash(error));
  }

  /** Ends what waits for the client too long. `nowMs` is of `performance.now`. */
  checkTime(nowMs: number, isCrowded: boolean): void {
    if (this.#isGone || this.#isWorking) return;
    const last = this.#overdueReply(nowMs, isCrowded);
    if (last === null) return;
    // A client that does not even read its replies gets no further one.
    if (this.#isEnding || this.#isPumping) return void this.#socket.destroy();
    this.#noteEnd(last === tooSlow ? 'too-slow' : 'timeout');
    this.#closeWith(last);
  }

  #overdueReply(nowMs: number, isCrowded: boolean): Reply | null {
    if (nowMs >= this.#deadlineAtMs) return timedOut;
    if (nowMs >= this.#sessionEndsAtMs) return sessionTooLong;
    if (this.#waitsSinceMs === null || this.#isEnding) return null;
    const waitedMs = nowMs - this.#waitsSinceMs;
    const { contentBytesPerSecondMin, slowAfterMs, crowdedIdleMs } = this.#context.settings.limits;
    if (this.#session.isInContent) {
      const contentMs = this.#content.waitedMs + waitedMs;
      const leastBytes = (contentBytesPerSecondMin * contentMs) / 1000;
      const bytes = this.#session.contentOctets - this.#content.fromOctets;
      return contentMs > slowAfterMs && bytes < leastBytes ? tooSlow : null;
    }
    const isIdle = isCrowded && !this.#session.isInTransaction && waitedMs > crowdedIdleMs;
    return isIdle ? tooIdle : null;
  }

  /** Answers 421 once no transaction is open. */
  shutDown(): void {
    this.#isStopping = true;
    if (!this.#isPumping && !this.#isUpgrading) this.#closeIfStopping();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #begin(): Promise<void> {
    const { services, settings } = this.#context;
    if (services.opened !== undefined) await this.#working(services.opened);
    if (this.#isGone || this.#isEnding) return;
    await (settings.tls === 'implicit' ? this.#beginImplicit() : this.#beginClear());
  }

  async #beginClear(): Promise<void> {
    this.#attach(this.#socket);
    const { settings, services } = this.#context;
    const { greetingDelayMs } = settings.limits;
    if (greetingDelayMs > 0 && !services.clients.isKnown(this.#key)) {
      this.#greetingTimer = setTimeout(() => this.#greet(), greetingDelayMs);
      return;
    }
    // The second turn of the loop has read what was there before the greeting.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    this.#greet();
  }

  async #beginImplicit(): Promise<void> {
    if (!this.#mayHandshake()) return void this.#socket.destroy();
    if (await this.#upgrade('implicit')) this.#greet();
  }

  #greet(): void {
    if (this.#isGone || this.#isGreeted || this.#isEnding) return;
    this.#isGreeted = true;
    clearTimeout(this.#greetingTimer);
    const { name: listener } = this.#context.settings;
    this.#context.services.meter.count('sessionsOpened', { listener });
    this.#session.greet();
    this.#startPump();
  }

  #attach(socket: net.Socket): void {
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.resume();
  }

  #watch(socket: net.Socket): void {
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  /** Leaves the close of the raw socket to the handshake and to the TLS socket. */
  #detach(socket: net.Socket): void {
    socket.off('data', this.#onData);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.pause();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#session.feed(bytes);
    // Who speaks before the greeting is answered at once, and nothing more of it is read.
    if (!this.#isGreeted) return this.#greet();
    if (!this.#isPumping) this.#startPump();
    else if (this.#session.bufferedBytes > heldBytesMax) this.#socket.pause();
  };

  readonly #onDrain = (): void => {
    this.#onDrained?.();
    this.#onDrained = null;
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    if (!this.#isPumping) this.#end();
  };

  readonly #onError = (error: Error & { code?: string }): void => {
    this.#context.services.log.debug(
      { ...this.#who, code: error.code ?? error.name },
      'connection lost',
    );
  };

  readonly #onClose = (): void => {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#greetingTimer);
    this.#onDrain();
    // What is being accepted goes on without the client.
    if (!this.#isPumping) this.#leave();
  };

  #leave(): void {
    void this.#forgetTransaction().then(this.#onGone);
  }

  #startPump(): void {
    this.#pump().catch((error: unknown) => this.#crash(error));
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    this.#stopWaiting();
    const { steps } = this.#session;
    try {
      while (!this.#isGone) {
        const event = this.#session.next();
        const work = event === null ? undefined : this.#handle(event);
        const draining = event === null || work !== undefined ? this.#flush() : undefined;
        if (work !== undefined) await this.#working(work);
        if (draining !== undefined) await draining;
        if (event === null && draining === undefined) break;
        if (this.#socket.isPaused()) this.#socket.resume();
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
      this.#noteEnd(reasonOfLastReply(this.#session.lastReply));
      return this.#end();
    }
    this.#waitsSinceMs = performance.now();
    if (!this.#session.isInContent) {
      this.#content = { fromOctets: this.#session.contentOctets, waitedMs: 0 };
    }
    if (hasProgress) {
      const { commandTimeoutMs, dataTimeoutMs } = this.#context.settings.limits;
      const waitMs = this.#session.isInContent ? dataTimeoutMs : commandTimeoutMs;
      this.#deadlineAtMs = performance.now() + waitMs;
    }
    if (this.#isStopping) this.#closeIfStopping();
  }

  async #working(work: Promise<void>): Promise<void> {
    this.#isWorking = true;
    try {
      await work;
    } finally {
      this.#isWorking = false;
      this.#deadlineAtMs = performance.now() + this.#context.settings.limits.commandTimeoutMs;
    }
  }

  /** A promise where the client must read first. */
  #flush(): Promise<void> | undefined {
    const output = this.#session.takeOutput();
    if (output.length === 0 || !this.#socket.writable || this.#socket.write(output)) {
      return undefined;
    }
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  #handle(event: ServerEvent): Promise<void> | undefined {
    switch (event.kind) {
      case 'starttls':
        return this.#startTls();
      case 'auth':
        return this.#authenticate(event.username, event.password);
      case 'mail':
        this.#answer(this.#beginTransaction(event));
        return undefined;
      case 'recipient':
        return this.#answerRecipient(
          this.#transaction!.judgeRecipient(event.recipient, event.request),
        );
      case 'data':
        return this.#beginContent(this.#transaction!);
      case 'content':
        return this.#transaction!.push(event.bytes);
      case 'content-end':
        return this.#finishContent(this.#transaction!, event.problem);
      case 'reset':
        return this.#forgetTransaction();
    }
  }

  /** Counts refusals of senders and recipients: who only guesses addresses is sent away. */
  #answer(answer: Reply): void {
    this.#session.answer(answer);
    if (isPositive(answer)) return;
    this.#countRefused(answer);
    this.#refusals++;
    if (this.#refusals >= this.#context.settings.limits.refusalsMax) {
      this.#noteEnd('too-many-refusals');
      this.#session.close(tooManyRefusals);
    }
  }

  /** While a recipient is verified nothing more is read of the session, so replies keep their order. */
  #answerRecipient(answer: Reply | Promise<Reply>): Promise<void> | undefined {
    if (answer instanceof Promise) return answer.then((later) => this.#answer(later));
    this.#answer(answer);
    return undefined;
  }

  #beginTransaction(event: ServerEvent & { readonly kind: 'mail' }): Reply {
    if (this.#isStopping) return shuttingDown;
    const { services, settings } = this.#context;
    const policy = services.policy();
    if (this.#isHandshakeOld(policy)) return policyChanged;
    const transaction = new Transaction(this.#context, policy, {
      session: {
        listener: settings.kind,
        clientAddress: this.#client.address,
        heloName: this.#session.heloName!,
        evidence: this.#evidence,
        account: this.#account,
        reversePath: event.reversePath,
      },
      isExtended: this.#session.isExtended,
      parameters: event.parameters,
      declaredBytes: event.sizeBytes,
    });
    const answer = services.admit() ?? transaction.judgeSender();
    if (isPositive(answer)) this.#transaction = transaction;
    return answer;
  }

  #isHandshakeOld(policy: Policy): boolean {
    const old = this.#anchors;
    if (old === null) return false;
    const { anchors: current } = this.#context.services.serverTls();
    return isHandshakeOld(this.#evidence, policy, { old, current });
  }

  async #beginContent(transaction: Transaction): Promise<void> {
    const answer = await transaction.beginContent();
    if (!isPositive(answer)) this.#countRefused(answer);
    this.#session.answer(answer);
  }

  async #finishContent(transaction: Transaction, problem: Reply | null): Promise<void> {
    const answer = await transaction.finish(problem);
    this.#transaction = null;
    if (isPositive(answer)) {
      this.#refusals = 0;
      const { services, settings } = this.#context;
      services.clients.recordAccepted(this.#key);
      const encryption = this.#evidence.tls?.protocol ?? 'none';
      services.meter.count('messagesAccepted', { listener: settings.name, encryption });
    } else {
      this.#countRefused(answer);
    }
    this.#session.answer(answer);
  }

  async #forgetTransaction(): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = null;
    await transaction?.abandon();
  }

  async #authenticate(username: string, password: string): Promise<void> {
    const { services, settings } = this.#context;
    if (!services.clients.mayAuthenticate(this.#key)) {
      services.log.warn(this.#who, 'authentication refused: too many failures from the address');
      this.#noteEnd('auth-guessing');
      return this.#session.answer(guessing);
    }
    let account: Account | null;
    try {
      account = await services.authenticate(username, password);
    } catch (error) {
      services.log.warn({ err: error }, 'authentication not possible');
      return this.#session.answer(authUnavailable);
    }
    if (account !== null) {
      this.#account = account;
      return this.#session.answer(authOk);
    }
    this.#authFailures++;
    services.clients.recordAuthFailure(this.#key);
    services.log.warn(
      { ...this.#who, account: sanitizePeerText(username) },
      'authentication failed',
    );
    await delay(settings.limits.authFailureDelayMs);
    const isLast = this.#authFailures >= settings.limits.authFailuresMax;
    if (isLast) this.#noteEnd('auth-guessing');
    this.#session.answer(isLast ? tooManyAuthFailures : authFailed);
  }

  async #startTls(): Promise<void> {
    if (!this.#mayHandshake()) return this.#session.answer(tooManyHandshakes);
    this.#session.answer(readyForTls);
    await this.#flush();
    if (await this.#upgrade('starttls')) this.#session.secured();
  }

  /** False where the handshake failed: then the connection ends. */
  async #upgrade(mode: 'starttls' | 'implicit'): Promise<boolean> {
    const { services, settings } = this.#context;
    const raw = this.#socket;
    this.#detach(raw);
    this.#isUpgrading = true;
    this.#isWorking = true;
    const { upgrade = upgradeServer } = services;
    const tls = services.serverTls();
    this.#anchors = tls.anchors;
    const { socket, evidence } = await upgrade(raw, tls, {
      connectionId: this.#connectionId,
      mode,
      requestClientCertificate: settings.requestClientCertificate,
      wantedPaths: wantedInboundPaths(services.policy()),
      timeoutMs: settings.limits.handshakeTimeoutMs,
    });
    this.#isUpgrading = false;
    this.#isWorking = false;
    // The raw socket knows the proxy only.
    const { address, port } = this.#client;
    this.#evidence = { ...evidence, peer: { ...evidence.peer, address, port } };
    if (socket === null || socket.destroyed) {
      const { failure } = evidence;
      services.log.warn({ ...this.#who, mode, ...failure }, 'TLS handshake failed');
      this.#noteEnd('handshake-failed');
      raw.destroy();
      socket?.destroy();
      this.#onClose();
      return false;
    }
    this.#socket = socket;
    this.#watch(socket);
    this.#attach(socket);
    return true;
  }

  /** A refused handshake ends the session: a client must not go on in clear because of it. */
  #mayHandshake(): boolean {
    const isAllowed = this.#isProxyItself || this.#context.services.clients.mayHandshake(this.#key);
    if (!isAllowed) this.#noteEnd('handshake-rate');
    return isAllowed;
  }

  /** For each line of log. */
  get #who(): {
    readonly listener: string;
    readonly client: string;
    readonly proxy: string | null;
  } {
    const { address, proxy } = this.#client;
    return { listener: this.#context.settings.name, client: address, proxy };
  }

  get #isProxyItself(): boolean {
    return this.#client.proxy === this.#client.address;
  }

  /** Counts a session that a bound ended, once. */
  #noteEnd(reason: RefusalReason | null): void {
    if (reason === null || this.#isNoted) return;
    this.#isNoted = true;
    const { name: listener } = this.#context.settings;
    this.#context.services.meter.count('sessionsRefused', { listener, reason });
  }

  #countRefused({ code }: Reply): void {
    const { name: listener } = this.#context.settings;
    this.#context.services.meter.count('mailRefused', { listener, code: String(code) });
  }

  #stopWaiting(): void {
    if (this.#waitsSinceMs === null) return;
    if (this.#session.isInContent) {
      this.#content.waitedMs += performance.now() - this.#waitsSinceMs;
    }
    this.#waitsSinceMs = null;
  }

  #closeIfStopping(): void {
    if (!this.#session.isInTransaction && !this.#isEnding) this.#closeWith(shuttingDown);
  }

  #closeWith(last: Reply): void {
    // Before an implicit handshake there is no way to say anything.
    const { tls } = this.#context.settings;
    if (tls === 'implicit' && this.#evidence.tls === null) return void this.#socket.destroy();
    this.#session.close(last);
    void this.#flush();
    this.#end();
  }

  /** Ends our side, and for a while drops what the client still sends: a reset could eat the reply. */
  #end(): void {
    if (this.#isEnding || this.#isGone) return;
    this.#isEnding = true;
    this.#deadlineAtMs = performance.now() + lingerMs;
    this.#socket.end();
    this.#socket.resume();
    void this.#forgetTransaction();
  }

  #crash(error: unknown): void {
    this.#context.services.log.error({ err: error, ...this.#who }, 'session broke');
    this.#isWorking = false;
    if (this.#socket.writable) this.#closeWith(internalError);
    else this.#socket.destroy();
  }
}
