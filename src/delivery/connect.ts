/**
 * From an address to a session that is ready for judgement: dial, greeting, EHLO, STARTTLS, EHLO.
 *
 * Clear text comes out of here in two ways only: this connection's EHLO reply had no STARTTLS, or the
 * target says that an offered STARTTLS is to be left unused (`goesClear`). A connection on which
 * STARTTLS was tried and failed is closed here.
 * @see RFC 3207 §4, RFC 8314 §3, RFC 8446 §4.4.2.4
 */
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { WireStage } from '../policy/classify.ts';
import type { Trouble } from '../policy/classify.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { PostQuantum } from '../policy/policy.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Loss } from '../smtp/client-core.ts';
import { ClientSession } from '../smtp/client-session.ts';
import type { ClientProtocol, StepResult } from '../smtp/client-session.ts';
import { upgradeClient } from '../tls/handshake.ts';
import type { ClientUpgrade, WantedPath } from '../tls/handshake.ts';
import { classifyEarlyClose, classifyTlsError, hintAtNoCertificate } from '../tls/tls-errors.ts';
import type { ConnectStep, ConnectWatch } from './connect-watch.ts';
import { isSocketPath } from './dial.ts';
import type { DeliveryServices } from './services.ts';

/** One address to connect to, and what the handshake there is asked for. */
export interface Target {
  readonly organization: string;
  readonly protocol: ClientProtocol;
  readonly hostName: string;
  /** An IP address, or the absolute path of a Unix socket; then `port` is 0. */
  readonly address: string;
  readonly port: number;
  readonly sni: string | null;
  readonly mode: 'starttls' | 'implicit';
  readonly anchors: string;
  readonly wantedPaths: readonly WantedPath[];
  readonly clientCertificate: string | null;
  /** Leave an offered STARTTLS unused; only under an allowance of `mayGoClear`. */
  readonly goesClear: boolean;
  readonly smallClientHello: boolean;
  /** Which groups the handshake offers. */
  readonly postQuantum: PostQuantum;
  /** Told of each step as it is done; for `probe.ts` and validation. */
  readonly watch?: ConnectWatch;
}

/** What a connection needs of delivery's services. */
export type ConnectServices = Pick<
  DeliveryServices,
  'policy' | 'tls' | 'dial' | 'newConnectionId' | 'limits' | 'now' | 'watch'
>;

/**
 * `not-encrypted`: STARTTLS or the handshake failed; the evidence says how. `isSilent`: no byte came
 * back after the ClientHello. `failed`: anything else; `isReached` once TCP stood.
 */
export type ConnectFailure =
  | { readonly kind: 'not-encrypted'; readonly evidence: Evidence; readonly isSilent: boolean }
  | { readonly kind: 'failed'; readonly trouble: Trouble; readonly isReached: boolean };

export type ConnectResult =
  | { readonly kind: 'connected'; readonly session: ClientSession; readonly evidence: Evidence }
  | { readonly kind: 'not-connected'; readonly failure: ConnectFailure };

/**
 * Never rejects. The session, if any, is the caller's to close; sockets not yet handed over are in
 * `underWay`, so that they can be cut.
 */
export async function connect(
  services: ConnectServices,
  wanted: Target,
  underWay: Set<Socket>,
): Promise<ConnectResult> {
  const { limits } = services;
  const watch = wanted.watch ?? services.watch?.(wanted);
  const target = watch === undefined ? wanted : { ...wanted, watch };
  let raw: Socket;
  try {
    const { address, port } = target;
    raw = await services.dial(address, port, limits.localAddress, limits.connectTimeoutMs);
  } catch (error) {
    return notConnected({ kind: 'failed', trouble: dialTrouble(error, target), isReached: false });
  }
  raw.setNoDelay(true);
  target.watch?.onStep('connect', []);
  underWay.add(raw);
  const attempt = new ConnectAttempt(services, target, raw);
  try {
    return await (target.mode === 'implicit' ? attempt.overImplicitTls() : attempt.overStartTls());
  } finally {
    underWay.delete(raw);
  }
}

function dialTrouble(error: unknown, target: Target): Trouble {
  const { code = 'ERROR', message } = error as NodeJS.ErrnoException;
  const where = describePlace(target);
  const detail =
    code === 'ETIMEDOUT'
      ? `no answer from ${where}`
      : `${where} (${code === 'ERROR' ? sanitizePeerText(message) : code})`;
  return { kind: 'connect', code, detail };
}

/** `mx.example [192.0.2.1]:25`, or the path of a Unix socket. */
export function describePlace({ hostName, address, port }: Target): string {
  return isSocketPath(address) ? address : `${hostName} [${address}]:${port}`;
}

function notConnected(failure: ConnectFailure): ConnectResult {
  return { kind: 'not-connected', failure };
}

class ConnectAttempt {
  readonly #services: ConnectServices;
  readonly #target: Target;
  readonly #raw: Socket;
  readonly #connectionId: string;
  #evidence: Evidence | null = null;
  #isSilent = false;

  constructor(services: ConnectServices, target: Target, raw: Socket) {
    this.#services = services;
    this.#target = target;
    this.#raw = raw;
    this.#connectionId = services.newConnectionId();
  }

  async overImplicitTls(): Promise<ConnectResult> {
    const stream = await this.#upgrade(this.#raw);
    if (stream === null) {
      this.#raw.destroy();
      return this.#notEncrypted();
    }
    const session = this.#openSession(stream);
    const greeting = await session.readGreeting();
    this.#tell('banner', greeting);
    if (greeting.kind !== 'done') return this.#giveUpInTls(session, 'greeting', greeting);
    const hello = await session.hello();
    this.#tell('tls-ehlo', hello);
    if (hello.kind !== 'done') return this.#giveUpInTls(session, 'ehlo', hello);
    return { kind: 'connected', session, evidence: this.#evidence! };
  }

  async overStartTls(): Promise<ConnectResult> {
    const session = this.#openSession(this.#raw);
    const greeting = await session.readGreeting();
    this.#tell('banner', greeting);
    if (greeting.kind !== 'done') return this.#giveUp(session, 'greeting', greeting);
    const hello = await session.hello();
    this.#tell('ehlo', hello);
    if (hello.kind !== 'done') return this.#giveUp(session, 'ehlo', hello);
    if (!session.capabilities.hasStartTls) return this.#inClear(session, 'not-offered');
    if (this.#target.goesClear) return this.#inClear(session, 'not-used');
    return this.#startTls(session);
  }

  async #startTls(session: ClientSession): Promise<ConnectResult> {
    const result = await session.startTls((stream) => {
      this.#target.watch?.onStep('starttls', []);
      return this.#upgrade(stream);
    });
    switch (result.kind) {
      case 'upgraded':
        this.#tell('tls-ehlo', result.hello);
        if (result.hello.kind !== 'done') return this.#giveUpInTls(session, 'ehlo', result.hello);
        return { kind: 'connected', session, evidence: this.#evidence! };
      case 'refused': {
        session.quit();
        this.#tell('starttls', result);
        const { code, lines } = result.reply;
        const text = `the server answered ${code} ${lines.join(' / ')}`;
        this.#evidence = this.#withoutTls('refused', { code: `REPLY_${code}`, text });
        return this.#notEncrypted();
      }
      case 'not-encrypted':
      case 'lost': {
        const { code, detail } = result.loss;
        const seen = this.#evidence;
        if (seen === null || seen.encryption === 'established') {
          this.#evidence = this.#withoutTls('failed', { code, text: detail });
        }
        return this.#notEncrypted();
      }
    }
  }

  /** The handshake; what was seen is kept. Resolves with null where it failed. */
  async #upgrade(stream: Duplex): Promise<Duplex | null> {
    const { target, raw } = { target: this.#target, raw: this.#raw };
    const bytesBefore = raw.bytesRead;
    const options: ClientUpgrade = {
      connectionId: this.#connectionId,
      sni: target.sni,
      anchors: target.anchors,
      wantedPaths: target.wantedPaths,
      clientCertificate: target.clientCertificate,
      mode: target.mode,
      peer: { address: target.address, port: target.port, hostName: target.hostName },
      timeoutMs: this.#services.limits.handshakeTimeoutMs,
      smallClientHello: target.smallClientHello,
      postQuantum: target.postQuantum,
      ...(target.watch === undefined ? {} : { onChain: target.watch.onChain }),
    };
    const { tls } = this.#services;
    const { socket, evidence } = await upgradeClient(stream as Socket, options, tls);
    if (socket !== null) {
      target.watch?.onStep('handshake', []);
      target.watch?.onTls(evidence);
    }
    this.#evidence = evidence;
    this.#isSilent = socket === null && raw.bytesRead === bytesBefore;
    return socket;
  }

  #tell(step: ConnectStep, result: StepResult): void {
    if (result.kind === 'lost') return;
    const { code, lines } = result.reply;
    this.#target.watch?.onStep(
      step,
      lines.map((line) => `${code} ${line}`),
    );
  }

  #openSession(stream: Duplex): ClientSession {
    const { limits } = this.#services;
    const tap = this.#target.watch?.tap;
    return new ClientSession(stream, {
      protocol: this.#target.protocol,
      connectionId: this.#connectionId,
      ownName: this.#services.policy().hostName,
      timeouts: limits.client,
      transactionsInFlightMax: limits.transactionsInFlightMax,
      ...(tap === undefined ? {} : { tap }),
    });
  }

  #inClear(session: ClientSession, encryption: 'not-offered' | 'not-used'): ConnectResult {
    return { kind: 'connected', session, evidence: this.#withoutTls(encryption, null) };
  }

  #withoutTls(encryption: Evidence['encryption'], failure: Evidence['failure']): Evidence {
    const { address, port, hostName } = this.#target;
    return {
      formatVersion: 1,
      connectionId: this.#connectionId,
      observedAt: new Date(this.#services.now()).toISOString(),
      role: 'client',
      peer: { address, port, hostName },
      encryption,
      failure: failure === null ? null : { ...failure, text: sanitizePeerText(failure.text) },
      tls: null,
    };
  }

  #notEncrypted(): ConnectResult {
    const evidence = this.#evidence!;
    return notConnected({ kind: 'not-encrypted', evidence, isSilent: this.#isSilent });
  }

  #giveUp(
    session: ClientSession,
    stage: WireStage,
    result: Exclude<StepResult, { kind: 'done' }>,
  ): ConnectResult {
    if (result.kind === 'lost') {
      const { loss } = result;
      const trouble = { kind: 'lost', stage, loss: clean(loss), mayHaveArrived: false } as const;
      return notConnected({ kind: 'failed', trouble, isReached: true });
    }
    session.quit();
    const isEncrypted = this.#evidence !== null;
    const trouble = { kind: 'reply', stage, reply: result.reply, isEncrypted } as const;
    return notConnected({ kind: 'failed', trouble, isReached: true });
  }

  /**
   * In TLS 1.3 a server's refusal of our certificate (or of our having none) comes after the client
   * has finished, as an alert or as a plain close: that is a failed handshake, not a lost connection.
   */
  #giveUpInTls(
    session: ClientSession,
    stage: WireStage,
    result: Exclude<StepResult, { kind: 'done' }>,
  ): ConnectResult {
    const loss = result.kind === 'lost' ? result.loss : null;
    const fault = loss === null ? null : lateRefusal(loss, this.#evidence!);
    if (fault === null) return this.#giveUp(session, stage, result);
    this.#evidence = this.#withoutTls('failed', fault);
    return this.#notEncrypted();
  }
}

/** Null where the loss has nothing to do with the handshake. */
function lateRefusal(loss: Loss, evidence: Evidence): Evidence['failure'] {
  if (loss.code.startsWith('ERR_SSL')) {
    const fault = classifyTlsError(Object.assign(new Error(loss.detail), { code: loss.code }));
    return evidence.tls?.ownCertificate === null ? hintAtNoCertificate(fault) : fault;
  }
  const isCut = loss.cause === 'closed' || loss.cause === 'reset';
  return isCut ? classifyEarlyClose(evidence) : null;
}

function clean(loss: Loss): Loss {
  return { ...loss, detail: sanitizePeerText(loss.detail) };
}
