/** Connections and waiters of one destination of the pool, and who gets which. */
import type { Permit } from '../mail/permit.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { TlsVerdict } from '../policy/tls-verdict.ts';
import type { ClientSession } from '../smtp/client-session.ts';
import type { TransactionResult } from '../smtp/client-transaction.ts';
import type { ConnectFailure, Target } from './connect.ts';
import { isWornOut } from './recipient-result.ts';

/** One transaction to be done on some connection to a target. */
export interface Job {
  /** Whether the policy in force now decides otherwise than the one under which the job was made. */
  isSuperseded(): boolean;
  judge(evidence: Evidence): TlsVerdict;
  /** Begins the transaction before it returns. */
  begin(session: ClientSession, permit: Permit): Promise<TransactionResult>;
}

/**
 * `refused`: a connection that was opened for this job did not meet what it requires. `overloaded`:
 * too many wait for this destination already, or the wait was too long. `superseded`: nothing was sent.
 */
export type JobResult =
  | {
      readonly kind: 'done';
      readonly evidence: Evidence;
      readonly met: readonly string[];
      readonly result: TransactionResult;
      /** Whether the connection had served other transactions before. */
      readonly isReused: boolean;
    }
  | {
      readonly kind: 'refused';
      readonly evidence: Evidence;
      readonly verdict: TlsVerdict & { readonly kind: 'refuse' };
    }
  | { readonly kind: 'not-connected'; readonly failure: ConnectFailure }
  | { readonly kind: 'overloaded'; readonly reason: string }
  | { readonly kind: 'superseded' };

/** An open session, and what was seen when it was opened. */
export interface Connection {
  readonly session: ClientSession;
  readonly evidence: Evidence;
  readonly transactionsMax: number;
  idleSinceMs: number;
  /** Takes no further transaction, so that room comes for another. */
  isRetiring: boolean;
}

/** A job on its way to a connection. */
export interface Waiter {
  readonly target: Target;
  readonly job: Job;
  readonly sinceMs: number;
  isDialling: boolean;
  readonly resolve: (result: JobResult) => void;
}

/** All that share a key. */
export interface Destination {
  readonly key: string;
  readonly connections: Set<Connection>;
  readonly waiters: Waiter[];
  dialling: number;
  isServing: boolean;
  isServingAgain: boolean;
  /** Fewer than the setting while the peer takes no more; until `fewerUntilMs`. */
  connectionsMax: number;
  fewerUntilMs: number;
}

/** What connections are shared by; see `pool.ts`. */
export function keyOf(target: Target, localAddress: string | null): string {
  const { organization, protocol, address, port, sni, clientCertificate } = target;
  const { goesClear, postQuantum } = target;
  const own = clientCertificate === null ? '' : `certificate ${clientCertificate}`;
  return `${organization}\n${localAddress ?? ''}\n${protocol} ${address} ${port}\n${sni ?? ''}\n${own}\n${goesClear} ${postQuantum}`;
}

/** Where no open connection is good enough for the oldest waiter, one of them makes room in time. */
export function retireForOldest({ waiters, connections }: Destination, patienceMs: number): void {
  const oldest = waiters[0];
  if (oldest === undefined || oldest.isDialling) return;
  if (performance.now() - oldest.sinceMs < patienceMs) return;
  for (const { isRetiring, evidence } of connections) {
    if (isRetiring || oldest.job.judge(evidence).kind === 'proceed') return;
  }
  for (const connection of connections) {
    connection.isRetiring = true;
    return;
  }
}

/** For a session that ended before anybody could use it. */
export function lostAtOnce(session: ClientSession): ConnectFailure {
  const loss = session.core.loss ?? {
    cause: 'closed',
    code: 'CLOSED',
    detail: 'the server closed the connection',
  };
  const trouble = { kind: 'lost', stage: 'mail', loss, mayHaveArrived: false } as const;
  return { kind: 'failed', trouble, isReached: true };
}

/** Jobs of before a reload; in their place nothing is sent. */
export function turnAwaySuperseded(waiters: Waiter[]): void {
  for (const waiter of waiters.filter(({ job }) => job.isSuperseded())) {
    waiters.splice(waiters.indexOf(waiter), 1);
    waiter.resolve({ kind: 'superseded' });
  }
}

/** Gives the connection the first waiter for whom it is good enough. */
export function giveNext(destination: Destination, connection: Connection): void {
  const { session, evidence } = connection;
  if (!session.mayBegin || connection.isRetiring) return;
  if (session.transactionsBegun >= connection.transactionsMax) return;
  const { waiters } = destination;
  let place = 0;
  while (place < waiters.length) {
    const waiter = waiters[place]!;
    if (waiter.job.isSuperseded()) {
      waiters.splice(place, 1);
      waiter.resolve({ kind: 'superseded' });
      continue;
    }
    const verdict = waiter.job.judge(evidence);
    if (verdict.kind === 'refuse') {
      place++;
      continue;
    }
    waiters.splice(place, 1);
    start(connection, waiter, verdict);
    return;
  }
}

/** The verdict was on this very connection; its permit is spent by the transaction. */
export function start(
  connection: Connection,
  waiter: Waiter,
  { permit, met }: TlsVerdict & { readonly kind: 'proceed' },
): void {
  const { session, evidence } = connection;
  const isReused = session.transactionsBegun > 0;
  void waiter.job.begin(session, permit).then((result) => {
    if (isWornOut({ result, isReused })) {
      connection.isRetiring = true;
      if (session.transactionsInFlight === 0) session.quit();
    }
    waiter.resolve({ kind: 'done', evidence, met, result, isReused });
  });
}
