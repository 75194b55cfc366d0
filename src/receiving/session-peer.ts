/** Who the client of a session is, as far as it has shown: address, handshake, account. */
import type { Evidence } from '../policy/evidence.ts';
import type { AnchorRegistry } from '../tls/anchors.ts';
import type { Client } from './client-address.ts';
import { addressKey } from './client-address.ts';
import { clearTextEvidence } from './evidence-text.ts';
import type { Account } from './services.ts';
import type { TransactionContext } from './transaction-start.ts';

export interface SessionPeer {
  readonly client: Client;
  /** Under which the bounds per address count it. */
  readonly key: string;
  readonly evidence: Evidence;
  /** With which the client's certificate was examined; null before a handshake. */
  readonly anchors: AnchorRegistry | null;
  /** Null before it has signed in. */
  readonly account: Account | null;
}

/** Before the client has said anything. `nowMs` since 1970. */
export function newPeer(client: Client, connectionId: string, nowMs: number): SessionPeer {
  const evidence = clearTextEvidence(connectionId, client, nowMs);
  return { client, key: addressKey(client.address), evidence, anchors: null, account: null };
}

/** For each line of log. */
export type SessionName = {
  readonly listener: string;
  readonly client: string;
  readonly proxy: string | null;
};

export function nameSession({ settings }: TransactionContext, client: Client): SessionName {
  return { listener: settings.name, client: client.address, proxy: client.proxy };
}
