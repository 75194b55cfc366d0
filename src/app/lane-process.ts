/**
 * One lane as the control process sees it: a child process that is started, asked, stopped, and
 * started again when it dies.
 *
 * A crash of a lane loses nothing that was accepted: its shard is on disk, and the next start resumes.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Failure } from '../mail/failure.ts';
import type { Log } from '../report/log.ts';
import type {
  Answer,
  Asked,
  EventOf,
  FromLane,
  LaneConfiguration,
  LaneRequestName,
  LaneStart,
  ListenerAddress,
  ToLane,
} from './messages.ts';
import type { AdjustableLog } from './log.ts';

export interface LaneProcess {
  readonly shard: number;
  /** Resolves when the lane listens; rejects with a Failure when its first start fails. */
  readonly ready: Promise<readonly ListenerAddress[]>;
  /** What every later start of this lane begins with. */
  adopt(configuration: LaneConfiguration): void;
  /**
   * Whether the running child took over what was adopted last. One that did not, be it slow, or
   * starting with what was in force before, is started again.
   */
  confirm(hasTakenOver: boolean): void;
  /** Rejects with a Failure when the lane says so, is down, or does not answer in time. */
  ask<Name extends LaneRequestName>(
    name: Name,
    asked: Asked<Name>,
    how?: AskOptions<Name>,
  ): Promise<Answer<Name>>;
  /** Resolves when the process has ended; it is killed when the grace is over. */
  stop(graceMs: number): Promise<void>;
}

/** `timeoutMs`: a minute where absent. `onEvent` is told what comes before the answer. */
export interface AskOptions<Name extends LaneRequestName> {
  readonly timeoutMs?: number;
  readonly onEvent?: (event: EventOf<Name>) => void;
}

export interface LaneEvents {
  /** The lane failed in a way that another start cannot mend. */
  onFinalFailure(failure: Failure): void;
}

const answerTimeoutMs = 60_000;
/** Of a child: behind standard input, output, error and IPC. */
const firstPassedFd = 4;
const requestsMax = 1000;
/** How often a lane is asked for a sign of life, and how many in a row it may owe. */
const beatEveryMs = 5000;
const beatsOwedMax = 6;
const restartFirstMs = 250;
const restartMaxMs = 30_000;
/** A lane that lived this long starts again without delay. */
const stableMs = 60_000;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Failure) => void;
  readonly onEvent: (value: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** How the control process gets a lane: a process of its own, or one inside for rehearsals. */
export type StartLane = (start: LaneStart, events: LaneEvents, log: AdjustableLog) => LaneProcess;

export function startLane(start: LaneStart, events: LaneEvents, log: Log): LaneProcess {
  const lane = new Lane(start, events, log);
  lane.spawn();
  return lane;
}

class Lane implements LaneProcess {
  readonly shard: number;
  readonly ready: Promise<readonly ListenerAddress[]>;
  #start: LaneStart;
  /** What the child was started with, or has taken over since. */
  #begunWith: LaneStart | null = null;
  readonly #events: LaneEvents;
  readonly #log: Log;
  readonly #pending = new Map<number, Pending>();
  readonly #readiness = Promise.withResolvers<readonly ListenerAddress[]>();
  #child: ChildProcess | null = null;
  #restartTimer: NodeJS.Timeout | null = null;
  #isStopping = false;
  #isReady = false;
  #hasBeenReady = false;
  #lastRequest = 0;
  #restartMs = restartFirstMs;
  #startedAtMs = 0;
  #beats: NodeJS.Timeout | null = null;
  #beatsOwed = 0;

  constructor(start: LaneStart, events: LaneEvents, log: Log) {
    this.shard = start.shard;
    this.#start = start;
    this.#events = events;
    this.#log = log;
    this.ready = this.#readiness.promise;
    this.ready.catch(() => undefined);
  }

  spawn(): void {
    this.#startedAtMs = performance.now();
    const child = fork(new URL('lane-main.ts', import.meta.url), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...this.#start.sockets.map(({ fd }) => fd)],
    });
    this.#child = child;
    child.on('message', (message) => this.#onMessage(message as FromLane));
    child.on('error', (error) =>
      this.#log.error({ lane: this.shard, error: error.message }, 'lane'),
    );
    child.on('exit', (code, signal) => this.#onExit(code, signal));
    this.#begunWith = this.#start;
    const sockets = this.#start.sockets.map(({ name }, place) => ({
      name,
      fd: firstPassedFd + place,
    }));
    this.#send({ ...this.#start, sockets });
  }

  adopt({ config, policy, files }: LaneConfiguration): void {
    this.#start = { ...this.#start, config, policy, files };
  }

  confirm(hasTakenOver: boolean): void {
    if (hasTakenOver) this.#begunWith = this.#start;
    else if (this.#isReady) this.#renew();
  }

  /** The child may have begun with what is no longer in force; its shard waits for the next one. */
  #renew(): boolean {
    if (this.#begunWith === this.#start) return false;
    this.#log.warn({ lane: this.shard }, 'the lane has an older configuration; it starts again');
    this.#isReady = false;
    this.#child?.kill('SIGKILL');
    return true;
  }

  ask<Name extends LaneRequestName>(
    name: Name,
    asked: Asked<Name>,
    how: AskOptions<Name> = {},
  ): Promise<Answer<Name>> {
    if (!this.#isReady || this.#pending.size >= requestsMax) {
      return Promise.reject(new Failure('lane-unavailable', `lane ${this.shard} is not ready`));
    }
    const requestId = ++this.#lastRequest;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { timeoutMs = answerTimeoutMs, onEvent } = how;
    const timer = setTimeout(() => this.#fail(requestId, 'did not answer in time'), timeoutMs);
    // Typed by LaneRequests at both ends, as the answer is.
    const tell = (value: unknown): void => onEvent?.(value as EventOf<Name>);
    this.#pending.set(requestId, { resolve, reject, onEvent: tell, timer });
    this.#send({ kind: 'request', requestId, name, asked });
    // Both ends are typed by LaneRequests; between them is a structured clone.
    return promise as Promise<Answer<Name>>;
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#endWatch();
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#send({ kind: 'stop', graceMs });
    const killer = setTimeout(() => child.kill('SIGKILL'), graceMs + 5000);
    await ended;
    clearTimeout(killer);
  }

  #send(message: ToLane): void {
    if (this.#child?.connected === true) this.#child.send(message);
  }

  #fail(requestId: number, what: string): void {
    this.#take(requestId)?.reject(
      new Failure('lane-unavailable', `lane ${this.shard} ${what}; the outcome is unknown`),
    );
  }

  #take(requestId: number): Pending | undefined {
    const pending = this.#pending.get(requestId);
    if (pending !== undefined) clearTimeout(pending.timer);
    this.#pending.delete(requestId);
    return pending;
  }

  #onMessage(message: FromLane): void {
    switch (message.kind) {
      case 'ready':
        if (this.#renew()) return;
        this.#isReady = true;
        this.#hasBeenReady = true;
        this.#readiness.resolve(message.listeners);
        this.#watch();
        return;
      case 'pong':
        this.#beatsOwed = 0;
        return;
      case 'failed':
        this.#onFailed(new Failure(message.code, message.text), message.isFinal);
        return;
      case 'event':
        this.#pending.get(message.requestId)?.onEvent(message.value);
        return;
      case 'answer':
        this.#take(message.requestId)?.resolve(message.value);
        return;
      case 'error': {
        const { code, text, wireText } = message;
        this.#take(message.requestId)?.reject(new Failure(code, text, { wireText }));
      }
    }
  }

  /**
   * A lane whose loop stands still carries no mail and looks alive. Beats are counted, not seconds:
   * when this process was stopped too, or the machine slept, the lane owes only one more.
   */
  #watch(): void {
    this.#beatsOwed = 0;
    this.#beats = setInterval(() => {
      if (this.#beatsOwed < beatsOwedMax) {
        this.#beatsOwed += 1;
        this.#send({ kind: 'ping' });
        return;
      }
      const silentSeconds = (beatsOwedMax * beatEveryMs) / 1000;
      const text = 'the lane gives no sign of life: it is ended, and starts again with its queue';
      this.#log.error({ lane: this.shard, silentSeconds }, text);
      this.#endWatch();
      this.#child?.kill('SIGKILL');
    }, beatEveryMs);
  }

  #endWatch(): void {
    if (this.#beats !== null) clearInterval(this.#beats);
    this.#beats = null;
  }

  #onFailed(failure: Failure, isFinal: boolean): void {
    this.#log.error({ lane: this.shard, code: failure.code }, failure.message);
    this.#readiness.reject(failure);
    // A lane that ran before is started again until it can: its port or the disk comes back.
    if (!this.#hasBeenReady || isFinal) {
      this.#isStopping = true;
      this.#events.onFinalFailure(failure);
    }
  }

  #onExit(code: number | null, signal: string | null): void {
    const wasReady = this.#isReady;
    this.#isReady = false;
    this.#endWatch();
    for (const requestId of this.#pending.keys()) this.#fail(requestId, 'died');
    if (this.#isStopping) return;
    const failure = new Failure('lane-died', `lane ${this.shard} ended (${signal ?? code ?? '?'})`);
    this.#readiness.reject(failure);
    const lived = performance.now() - this.#startedAtMs;
    this.#restartMs =
      lived > stableMs ? restartFirstMs : Math.min(this.#restartMs * 2, restartMaxMs);
    const fields = { lane: this.shard, code, signal, wasReady, restartInMs: this.#restartMs };
    this.#log.error(fields, 'lane died; it starts again and takes its queue back');
    this.#restartTimer = setTimeout(() => this.spawn(), this.#restartMs);
  }
}
