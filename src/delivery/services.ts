/**
 * What delivery is handed: the outside world as functions, and its bounds as numbers.
 *
 * `app` makes these; tests make their own.
 */
import type { Socket } from 'node:net';
import type { Resolver } from '../dns/resolver.ts';
import type { Policy } from '../policy/policy.ts';
import type { Log } from '../report/log.ts';
import { defaultClientTimeouts } from '../smtp/client-timeouts.ts';
import type { ClientTimeouts } from '../smtp/client-timeouts.ts';
import type { ClientTls } from '../tls/contexts.ts';
import type { ConnectWatch, WatchedPeer } from './connect-watch.ts';
import type { TakeInside } from './hand-inside.ts';

/** Connects to an IP address, or to a Unix socket by its path (port 0); rejects with the socket's error, `ETIMEDOUT` after the timeout. */
export type Dial = (
  address: string,
  port: number,
  localAddress: string | null,
  timeoutMs: number,
) => Promise<Socket>;

export interface DeliveryServices {
  /** The policy in force now. */
  policy(): Policy;
  readonly resolver: Resolver;
  readonly tls: ClientTls;
  readonly dial: Dial;
  /** The Maildir of a mailbox: an absolute path, made where it is missing. */
  mailboxPath(organization: string, account: string): string;
  newConnectionId(): string;
  /** Hands a message to another organization of this gateway. */
  readonly takeInside: TakeInside;
  readonly limits: DeliveryLimits;
  readonly guard: GuardSettings;
  /** Every address and port that we listen on, each address of the machine for a wildcard one. */
  ownAddresses(): readonly { readonly address: string; readonly port: number }[];
  readonly log: Log;
  now(): number;
  /** Milliseconds from any moment; a clock that is set does not change it. */
  steadyNow(): number;
  /** 0 <= x < 1. */
  random(): number;
  /** Hears each connection that is opened; absent for mail, there for validation. */
  watch?(peer: WatchedPeer): ConnectWatch;
}

/** What the address guard is told; see `policy/address-guard.ts`. */
export interface GuardSettings {
  readonly allow: readonly string[];
  readonly allowPorts: readonly number[];
  /** Who wrote the smart hosts: the static file, or an organization's administrator. */
  readonly smartHostsSetBy: 'organization' | 'gateway';
}

/** Counts are at least 1; times in milliseconds. */
export interface DeliveryLimits {
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly client: ClientTimeouts;
  /** Hosts that one attempt tries, and addresses of each. */
  readonly hostsMax: number;
  readonly addressesPerHostMax: number;
  /** Hosts at which an attempt gets as far as MAIL. */
  readonly transactionHostsMax: number;
  /** After this long an attempt turns to no further host. */
  readonly attemptMs: number;
  /** From the begin of one transaction to its end, however often the server shows life in it. */
  readonly transactionMs: number;
  readonly recipientsPerTransactionMax: number;
  readonly connectionsPerDestinationMax: number;
  readonly connectionsMax: number;
  readonly transactionsPerConnectionMax: number;
  /** Transactions on one connection whose content has left before the last one was answered. */
  readonly transactionsInFlightMax: number;
  readonly idleMs: number;
  /** Attempts that wait for a connection to one destination, and how long. */
  readonly waitersPerDestinationMax: number;
  readonly waitMs: number;
  /** How long one stands behind others for whom the open connections are good enough. */
  readonly patienceMs: number;
  /** How long a resolved and ordered list of hosts is used again; never above the records' TTL. */
  readonly planMs: number;
  /** The port of hosts found by MX. */
  readonly mxPort: number;
  /** The address that connections come from; null leaves it to the system. */
  readonly localAddress: string | null;
}

export const defaultDeliveryLimits: DeliveryLimits = {
  connectTimeoutMs: 30_000,
  handshakeTimeoutMs: 60_000,
  client: defaultClientTimeouts,
  hostsMax: 16,
  addressesPerHostMax: 3,
  transactionHostsMax: 3,
  attemptMs: 900_000,
  transactionMs: 3_600_000,
  recipientsPerTransactionMax: 100,
  connectionsPerDestinationMax: 5,
  connectionsMax: 200,
  transactionsPerConnectionMax: 1000,
  transactionsInFlightMax: 2,
  idleMs: 10_000,
  waitersPerDestinationMax: 2_000,
  waitMs: 300_000,
  patienceMs: 500,
  planMs: 30_000,
  mxPort: 25,
  localAddress: null,
};
