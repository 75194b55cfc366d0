/** What is told of a connection while it is opened, to whoever looks on: `probe.ts` and validation. */
import type { Evidence } from '../policy/evidence.ts';
import type { SessionTap } from '../smtp/client-session.ts';
import type { PresentedChain } from '../tls/presented-chain.ts';

/** In the order of a STARTTLS session; implicit TLS begins with the handshake. */
export type ConnectStep = 'connect' | 'handshake' | 'banner' | 'ehlo' | 'starttls' | 'tls-ehlo';

/** `lines` is what the server said, not sanitized; empty where a step has no reply. */
export interface ConnectWatch {
  readonly onStep: (step: ConnectStep, lines: readonly string[]) => void;
  /** Of a handshake that came about, whatever becomes of the session. */
  readonly onTls: (evidence: Evidence) => void;
  readonly onChain: (chain: PresentedChain) => void;
  /** Absent where nobody wants the dialogue. */
  readonly tap?: SessionTap;
}

/** Which connection it is. */
export interface WatchedPeer {
  readonly hostName: string;
  readonly address: string;
  readonly port: number;
}
