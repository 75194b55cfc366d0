/** What a TLS probe of a host or a domain saw, as plain data; made by `delivery/probe.ts`. */
import type { TlsAssessment } from './assess-tls.ts';
import type { Evidence } from './evidence.ts';
import type { DeliveryTarget } from './policy.ts';

/** How the session begins: in clear up to STARTTLS, or with TLS from the first byte on. */
export type ProbeMode = 'starttls' | 'implicit';

/** What is spoken: SMTP, or LMTP as to a server that keeps mailboxes. */
export type ProbeProtocol = DeliveryTarget['protocol'];

/** `problem` null where there are hosts to dial; `isAuthentic`: DNSSEC vouches for the MX records. */
export interface ProbeReport {
  readonly formatVersion: 1;
  readonly observedAt: string;
  /** As it was asked for, canonical. */
  readonly target: string;
  /** Null where a host was named, not a domain. */
  readonly mx: {
    readonly isAuthentic: boolean;
    readonly isImplicit: boolean;
    readonly ms: number;
  } | null;
  readonly problem: string | null;
  /** In the order in which mail would try them. */
  readonly addresses: readonly ProbedAddress[];
}

/** One address, or a host without any: `address` null, and `problem` says why. */
export interface ProbedAddress {
  readonly hostName: string;
  readonly preference: number | null;
  readonly address: string | null;
  readonly port: number;
  readonly protocol: ProbeProtocol;
  readonly mode: ProbeMode;
  /** Those that were done, in order. */
  readonly steps: readonly ProbeStep[];
  /** Why there is no session, a sentence without a full stop; null where one stood. */
  readonly problem: string | null;
  /** Null where the dialogue did not get as far as to tell. */
  readonly evidence: Evidence | null;
  /** `ECDSA P-256`, for each certificate of the chain. */
  readonly keyTypes: readonly string[];
  readonly versions: readonly VersionProbe[];
  /** Empty where there is no evidence. */
  readonly settings: readonly TlsAssessment[];
}

/** `lines` is what the server answered, sanitized. */
export interface ProbeStep {
  readonly step: string;
  readonly ms: number;
  readonly lines: readonly string[];
}

/**
 * `isTaken` null where the check itself failed; `detail` is the suite where it is true, else what
 * was seen. `isUsed`: mail may go by it; false for old versions and for suites without forward secrecy.
 */
export interface VersionProbe {
  readonly version: string;
  readonly isTaken: boolean | null;
  readonly isUsed: boolean;
  readonly detail: string;
}
