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
import type { ServerEvent } from '../smtp/server-session.ts';
import { ServerSession } from '../smtp/server-session.ts';
import { upgradeServer } from '../tls/handshake.ts';
import { clearTextEvidence } from './evidence-text.ts';
import { lacksPaths } from './handshake-age.ts';
import type { Account } from './services.ts';
import type { TransactionContext } from './transaction.ts';
import { Transaction } from './transaction.ts';

const readyForTls = reply(220, '2.0.0', 'ready to start TLS');
const authOk = reply(235, '2.7.0', 'authentication successful');
const authFailed = reply(535, '5.7.8', 'authentication unsuccessful');
const authUnavailable = reply(454, '4.7.0', 'authentication is not possible now, try again later');
const tooManyAuthFailures = reply(421, '4.7.0', 'too many failed authentications, closing');
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
  readonly #peer: { readonly address: string; readonly port: number };
  readonly #connectionId = randomUUID();
  #socket: net.Socket;
  #evidence: Evidence;
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
  #onDrained: (() => void) | null = null;
  #deadlineAtMs: number;
  readonly #sessionEndsAtMs: number;

  /** `raw` is paused and untouched; `onGone` is called once, when nothing of it is left. */
  constructor(raw: net.Socket, context: TransactionContext, onGone: () => void) {
    const { settings, services } = context;
    const { limits } = settings;
    this.#context = context;
    this.#onGone = onGone;
    this.#socket = raw;
    this.#peer = { address: clientAddressOf(raw), port: raw.remotePort ?? 0 };
    this.#evidence = clearTextEvidence(this.#connectionId, this.#peer, services.now());
    this.#session = new ServerSession({
      hostName: services.policy().hostName,
      isUnderTls: settings.tls === 'implicit',
      offersStartTls: settings.tls === 'starttls',
      offersAuth: settings.kind === 'submission',
      messageSizeBytesMax: limits.messageSizeBytesMax,
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
  checkTime(nowMs: number): void {
    if (this.#isGone || this.#isWorking) return;
    const isOverdue = nowMs >= this.#deadlineAtMs;
    if (!isOverdue && nowMs < this.#sessionEndsAtMs) return;
    // A client that does not even read its replies gets no further one.
    if (this.#isEnding || this.#isPumping) this.#socket.destroy();
    else this.#closeWith(isOverdue ? timedOut : sessionTooLong);
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
    const { greetingDelayMs } = this.#context.settings.limits;
    if (greetingDelayMs > 0) await delay(greetingDelayMs);
    // The second turn of the loop has read what was there before the greeting.
    else await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    this.#greet();
  }

  async #beginImplicit(): Promise<void> {
    if (await this.#upgrade('implicit')) this.#greet();
  }

  #greet(): void {
    if (this.#isGone) return;
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
      { client: this.#peer.address, code: error.code ?? error.name },
      'connection lost',
    );
  };

  readonly #onClose = (): void => {
    if (this.#isGone) return;
    this.#isGone = true;
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
    if (this.#session.isClosed || this.#hasEnded) return this.#end();
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
        return this.#answerRecipient(this.#transaction!.judgeRecipient(event.recipient));
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
    this.#refusals++;
    if (this.#refusals >= this.#context.settings.limits.refusalsMax) {
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
    if (lacksPaths(this.#evidence, policy)) return policyChanged;
    const transaction = new Transaction(this.#context, policy, {
      session: {
        listener: settings.kind,
        clientAddress: this.#peer.address,
        heloName: this.#session.heloName!,
        evidence: this.#evidence,
        account: this.#account,
        reversePath: event.reversePath,
      },
      isExtended: this.#session.isExtended,
      bodyType: event.bodyType,
      declaredBytes: event.sizeBytes,
    });
    const answer = services.admit() ?? transaction.judgeSender();
    if (isPositive(answer)) this.#transaction = transaction;
    return answer;
  }

  async #beginContent(transaction: Transaction): Promise<void> {
    this.#session.answer(await transaction.beginContent());
  }

  async #finishContent(transaction: Transaction, problem: Reply | null): Promise<void> {
    const answer = await transaction.finish(problem);
    this.#transaction = null;
    if (isPositive(answer)) this.#refusals = 0;
    this.#session.answer(answer);
  }

  async #forgetTransaction(): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = null;
    await transaction?.abandon();
  }

  async #authenticate(username: string, password: string): Promise<void> {
    const { services, settings } = this.#context;
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
    services.log.warn(
      {
        listener: settings.name,
        client: this.#peer.address,
        account: sanitizePeerText(username),
      },
      'authentication failed',
    );
    await delay(settings.limits.authFailureDelayMs);
    const isLast = this.#authFailures >= settings.limits.authFailuresMax;
    this.#session.answer(isLast ? tooManyAuthFailures : authFailed);
  }

  async #startTls(): Promise<void> {
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
    const { socket, evidence } = await upgrade(raw, services.serverTls(), {
      connectionId: this.#connectionId,
      mode,
      requestClientCertificate: settings.requestClientCertificate,
      wantedPaths: wantedInboundPaths(services.policy()),
      timeoutMs: settings.limits.handshakeTimeoutMs,
    });
    this.#isUpgrading = false;
    this.#isWorking = false;
    this.#evidence = evidence;
    if (socket === null || socket.destroyed) {
      const { failure } = evidence;
      services.log.warn(
        { listener: settings.name, client: this.#peer.address, mode, ...failure },
        'TLS handshake failed',
      );
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
    this.#context.services.log.error({ err: error, client: this.#peer.address }, 'session broke');
    this.#isWorking = false;
    if (this.#socket.writable) this.#closeWith(internalError);
    else this.#socket.destroy();
  }
}

/** An IPv4 client of a socket for both families shows its IPv4 address. */
export function clientAddressOf(socket: net.Socket): string {
  const address = socket.remoteAddress ?? '';
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return mapped ?? address;
}
