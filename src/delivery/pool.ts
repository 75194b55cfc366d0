/**
 * Connections to keep and to share: few per destination, kept busy, judged anew by whoever uses them.
 *
 * A key names organization, source address, destination address and port, SNI, own certificate and the
 * groups offered, never a requirement: whether a connection is good enough is asked of each job by its
 * evidence.
 */
import type { ConnectFailure, ConnectResult, Target } from './connect.ts';
import {
  giveNext,
  keyOf,
  lostAtOnce,
  retireForOldest,
  start,
  turnAwaySuperseded,
} from './destination.ts';
import type { Connection, Destination, Job, JobResult, Waiter } from './destination.ts';

export interface PoolLimits {
  readonly connectionsPerDestinationMax: number;
  readonly connectionsMax: number;
  readonly transactionsPerConnectionMax: number;
  readonly idleMs: number;
  readonly waitersPerDestinationMax: number;
  readonly waitMs: number;
  readonly patienceMs: number;
}

/** Numbers for metrics. */
export interface PoolCounts {
  readonly connections: number;
  readonly idle: number;
  readonly dialling: number;
  readonly waiting: number;
  readonly destinations: number;
}

const sweepMs = 1_000;
/** How long a peer that refused one more connection is not asked for more. */
const fewerForMs = 60_000;

export class Pool {
  readonly #limits: PoolLimits;
  readonly #connect: (target: Target) => Promise<ConnectResult>;
  readonly #localAddress: string | null;
  readonly #destinations = new Map<string, Destination>();
  /** Those with waiters, and perhaps some without any more. */
  readonly #waiting = new Set<Destination>();
  #connectionsOpen = 0;
  #dialling = 0;
  #sweeper: NodeJS.Timeout | null = null;
  #isRetired = false;
  #isStopped = false;

  constructor(
    limits: PoolLimits & { readonly localAddress: string | null },
    connect: (target: Target) => Promise<ConnectResult>,
  ) {
    this.#limits = limits;
    this.#localAddress = limits.localAddress;
    this.#connect = connect;
  }

  /** Does the job on the first connection that is free and good enough. Never rejects. */
  run(target: Target, job: Job): Promise<JobResult> {
    const destination = this.#destinationOf(target);
    if (this.#isStopped || destination.waiters.length >= this.#limits.waitersPerDestinationMax) {
      this.#forgetIfEmpty(destination);
      const reason = this.#isStopped
        ? 'the gateway is stopping'
        : `too many messages wait for ${target.hostName}`;
      return Promise.resolve({ kind: 'overloaded', reason });
    }
    return new Promise((resolve) => {
      const sinceMs = performance.now();
      destination.waiters.push({ target, job, sinceMs, isDialling: false, resolve });
      this.#serve(destination);
      if (destination.waiters.length > 0) this.#waiting.add(destination);
    });
  }

  /** Ends connections that serve nothing now. */
  closeIdle(): void {
    for (const destination of this.#destinations.values()) {
      for (const connection of destination.connections) {
        if (connection.session.transactionsInFlight === 0) connection.session.quit();
      }
    }
  }

  /** Another pool has taken over: what waits by an order of before is turned away, the rest goes on. */
  retire(): void {
    this.#isRetired = true;
    for (const { waiters } of this.#destinations.values()) turnAwaySuperseded(waiters);
    this.closeIdle();
  }

  /** Takes no more jobs; those that wait are turned away. */
  stop(): void {
    this.#isStopped = true;
    for (const destination of this.#destinations.values()) {
      for (const waiter of destination.waiters.splice(0)) {
        waiter.resolve({ kind: 'overloaded', reason: 'the gateway is stopping' });
      }
    }
    this.closeIdle();
  }

  /** Cuts what is still open. */
  destroy(): void {
    this.stop();
    for (const destination of this.#destinations.values()) {
      for (const { session } of destination.connections) session.destroy('the gateway stops');
    }
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#sweeper = null;
  }

  counts(): PoolCounts {
    let idle = 0;
    let waiting = 0;
    for (const destination of this.#destinations.values()) {
      waiting += destination.waiters.length;
      for (const { session } of destination.connections) {
        if (session.transactionsInFlight === 0) idle++;
      }
    }
    return {
      connections: this.#connectionsOpen,
      idle,
      dialling: this.#dialling,
      waiting,
      destinations: this.#destinations.size,
    };
  }

  #destinationOf(target: Target): Destination {
    const key = keyOf(target, this.#localAddress);
    const known = this.#destinations.get(key);
    if (known !== undefined) return known;
    const destination: Destination = {
      key,
      connections: new Set(),
      waiters: [],
      dialling: 0,
      isServing: false,
      isServingAgain: false,
      connectionsMax: this.#limits.connectionsPerDestinationMax,
      fewerUntilMs: 0,
    };
    this.#destinations.set(key, destination);
    this.#startSweeping();
    return destination;
  }

  #forgetIfEmpty(destination: Destination): void {
    const isEmpty = destination.waiters.length === 0 && destination.connections.size === 0;
    if (!isEmpty || destination.dialling > 0) return;
    if (destination.fewerUntilMs > performance.now()) return;
    this.#destinations.delete(destination.key);
    this.#waiting.delete(destination);
  }

  /** Gives waiters to connections, and dials where there are too few. Safe to call from within. */
  #serve(destination: Destination): void {
    if (destination.isServing) {
      destination.isServingAgain = true;
      return;
    }
    destination.isServing = true;
    do {
      destination.isServingAgain = false;
      this.#serveOnce(destination);
    } while (destination.isServingAgain);
    destination.isServing = false;
  }

  #serveOnce(destination: Destination): void {
    if (destination.waiters.length === 0) return;
    for (const connection of destination.connections) {
      if (destination.waiters.length === 0) return;
      if (connection.session.transactionsInFlight === 0) giveNext(destination, connection);
    }
    this.#dialForWaiters(destination);
    if (this.#mayDial(destination)) return;
    retireForOldest(destination, this.#limits.patienceMs);
    // No more connections to be had: what waits may leave behind a transaction in flight.
    for (const connection of destination.connections) {
      if (destination.waiters.length === 0) return;
      giveNext(destination, connection);
    }
  }

  #dialForWaiters(destination: Destination): void {
    for (const waiter of destination.waiters) {
      if (waiter.isDialling) continue;
      if (!this.#mayDial(destination) && !this.#makeRoom(destination)) return;
      waiter.isDialling = true;
      void this.#dialFor(destination, waiter);
    }
  }

  #mayDial(destination: Destination): boolean {
    if (destination.fewerUntilMs !== 0 && destination.fewerUntilMs <= performance.now()) {
      destination.fewerUntilMs = 0;
      destination.connectionsMax = this.#limits.connectionsPerDestinationMax;
    }
    const inUse = destination.connections.size + destination.dialling;
    if (inUse >= destination.connectionsMax) return false;
    return this.#connectionsOpen + this.#dialling < this.#limits.connectionsMax;
  }

  /** Ends an idle connection that no waiter here can use, or one of another destination. */
  #makeRoom(destination: Destination): boolean {
    const inUse = destination.connections.size + destination.dialling;
    if (inUse >= destination.connectionsMax) {
      const idle = [...destination.connections].find(
        ({ session }) => session.transactionsInFlight === 0 && !session.isClosed,
      );
      if (idle === undefined) return false;
      this.#remove(destination, idle);
      idle.session.quit();
      return this.#mayDial(destination);
    }
    for (const other of this.#destinations.values()) {
      if (other === destination || other.waiters.length > 0) continue;
      for (const connection of other.connections) {
        if (connection.session.transactionsInFlight > 0) continue;
        this.#remove(other, connection);
        connection.session.quit();
        return this.#mayDial(destination);
      }
    }
    return false;
  }

  async #dialFor(destination: Destination, waiter: Waiter): Promise<void> {
    destination.dialling++;
    this.#dialling++;
    const result = await this.#connect(waiter.target);
    destination.dialling--;
    this.#dialling--;
    waiter.isDialling = false;
    if (result.kind === 'connected') this.#onConnected(destination, waiter, result);
    else this.#onNotConnected(destination, waiter, result.failure);
    this.#serve(destination);
    this.#serveOthers(destination);
    this.#forgetIfEmpty(destination);
  }

  #onConnected(
    destination: Destination,
    waiter: Waiter,
    { session, evidence }: ConnectResult & { readonly kind: 'connected' },
  ): void {
    const connection: Connection = {
      session,
      evidence,
      transactionsMax: waiter.target.goesClear ? 1 : this.#limits.transactionsPerConnectionMax,
      idleSinceMs: performance.now(),
      isRetiring: false,
    };
    this.#connectionsOpen++;
    destination.connections.add(connection);
    session.onChange = () => this.#onChange(destination, connection);
    if (session.isClosed) this.#onChange(destination, connection);
    const place = destination.waiters.indexOf(waiter);
    if (this.#isStopped) session.quit();
    if (place === -1) return this.#offer(destination, connection);
    if (!session.mayBegin) {
      destination.waiters.splice(place, 1);
      waiter.resolve({ kind: 'not-connected', failure: lostAtOnce(session) });
      return;
    }
    destination.waiters.splice(place, 1);
    if (waiter.job.isSuperseded()) {
      waiter.resolve({ kind: 'superseded' });
      return this.#offer(destination, connection);
    }
    const verdict = waiter.job.judge(evidence);
    if (verdict.kind === 'proceed') {
      start(connection, waiter, verdict);
      return;
    }
    waiter.resolve({ kind: 'refused', evidence, verdict });
    giveNext(destination, connection);
    if (session.transactionsInFlight === 0) session.quit();
  }

  /** A connection whose waiter is gone, to the others. Later than the reload none is kept for nothing. */
  #offer(destination: Destination, connection: Connection): void {
    giveNext(destination, connection);
    const { session } = connection;
    if (this.#isRetired && session.transactionsInFlight === 0) session.quit();
  }

  #onNotConnected(destination: Destination, waiter: Waiter, failure: ConnectFailure): void {
    const isAlone = destination.connections.size === 0;
    if (!isAlone) {
      // The peer serves us on other connections: it takes no more of them, and those are waited for.
      destination.connectionsMax = destination.connections.size;
      destination.fewerUntilMs = performance.now() + fewerForMs;
      const { job } = waiter;
      for (const { evidence } of destination.connections) {
        if (job.judge(evidence).kind === 'proceed') return;
      }
    }
    const place = destination.waiters.indexOf(waiter);
    if (place !== -1) {
      destination.waiters.splice(place, 1);
      waiter.resolve({ kind: 'not-connected', failure });
    }
    if (!isAlone || destination.dialling > 0) return;
    // What happened to one happens to all that wait for this destination.
    for (const other of destination.waiters.splice(0)) {
      other.resolve({ kind: 'not-connected', failure });
    }
  }

  #onChange(destination: Destination, connection: Connection): void {
    const { session } = connection;
    if (session.isClosed) {
      if (!this.#remove(destination, connection)) return;
      this.#serve(destination);
      this.#serveOthers(destination);
      this.#forgetIfEmpty(destination);
      return;
    }
    const isIdle = session.transactionsInFlight === 0;
    if (isIdle) {
      connection.idleSinceMs = performance.now();
      if (connection.isRetiring || session.transactionsBegun >= connection.transactionsMax) {
        this.#remove(destination, connection);
        session.quit();
      }
    }
    if (destination.waiters.length > 0) this.#serve(destination);
    if (isIdle && this.#waiting.size > 0) this.#serveOthers(destination);
  }

  #remove(destination: Destination, connection: Connection): boolean {
    if (!destination.connections.delete(connection)) return false;
    this.#connectionsOpen--;
    return true;
  }

  /** A connection became idle or ended: somebody elsewhere may wait for room. */
  #serveOthers(than: Destination): void {
    for (const destination of this.#waiting) {
      if (destination.waiters.length === 0) this.#waiting.delete(destination);
      else if (destination !== than && !this.#isFedUp(destination)) this.#serve(destination);
    }
  }

  /** Whether it has all the connections that it may have. */
  #isFedUp({ connections, dialling, connectionsMax }: Destination): boolean {
    return connections.size + dialling >= connectionsMax;
  }

  /** Where others hold every connection there may be, the one with the most gives one up. */
  #retireForStarving({ waiters, connections, dialling }: Destination, nowMs: number): void {
    const [oldest] = waiters;
    if (oldest === undefined || connections.size + dialling > 0) return;
    if (nowMs - oldest.sinceMs < this.#limits.patienceMs) return;
    let most: Destination | null = null;
    for (const other of this.#destinations.values()) {
      if (most === null || other.connections.size > most.connections.size) most = other;
    }
    for (const connection of most?.connections ?? []) {
      if (connection.isRetiring) continue;
      connection.isRetiring = true;
      return;
    }
  }

  #startSweeping(): void {
    if (this.#sweeper !== null || this.#isStopped) return;
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(sweepMs, this.#limits.idleMs));
    this.#sweeper.unref();
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const destination of this.#destinations.values()) {
      for (const { session, idleSinceMs } of destination.connections) {
        const isIdle = session.transactionsInFlight === 0;
        if (isIdle && nowMs - idleSinceMs >= this.#limits.idleMs) session.quit();
      }
      const { waiters } = destination;
      while (waiters.length > 0 && nowMs - waiters[0]!.sinceMs >= this.#limits.waitMs) {
        const waiter = waiters.shift()!;
        const reason = `no connection to ${waiter.target.hostName} became free in time`;
        waiter.resolve({ kind: 'overloaded', reason });
      }
      this.#retireForStarving(destination, nowMs);
      this.#forgetIfEmpty(destination);
    }
    if (this.#destinations.size > 0 || this.#sweeper === null) return;
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }
}
