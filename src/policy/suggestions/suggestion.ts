/** What a search for connectors that might be made comes to. */
import type { InboundConnector, OutboundConnector } from '../policy.ts';
import type { Direction, Problem } from './observation.ts';

/** `minDays`: different days (UTC) on which mail was seen. */
export interface SuggestOptions {
  readonly directions: readonly Direction[];
  readonly minMessages: number;
  readonly minDays: number;
}

/** What was seen of one domain by one organization. Lists are bounded; `…LeftOut` says what is not shown. */
export interface SeenOfDomain {
  readonly direction: Direction;
  readonly organization: string;
  readonly domain: string;
  /** Delivered, or accepted. */
  readonly messages: number;
  readonly days: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Servers' names, or the names that clients greeted with. */
  readonly hosts: readonly string[];
  readonly hostsLeftOut: number;
  readonly versions: readonly string[];
  readonly certificates: readonly SeenCertificate[];
}

export interface SeenCertificate {
  readonly fingerprint256: string;
  /** As presented, at most 20. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly notAfter: string;
}

/** A connector that every message of the domain would have met. `remarks`: what to know before it is used. */
export type Suggestion = SeenOfDomain & { readonly remarks: readonly string[] } & (
    | { readonly direction: 'outbound'; readonly connector: OutboundConnector }
    | { readonly direction: 'inbound'; readonly connector: InboundConnector }
  );

/** `id`, `atMs`: of the first message that was read with this problem. */
export interface Missing extends Problem {
  readonly messages: number;
  readonly id: string;
  readonly atMs: number;
}

/** Nearly: `tooFew` in words, or null; `missing` what spoke against it, the most frequent first. */
export interface NearMiss extends SeenOfDomain {
  readonly met: number;
  readonly tooFew: string | null;
  readonly missing: readonly Missing[];
}

/** The most mail first. `covered`: domains that a connector of today covers; `others`: not even nearly. */
export interface Suggestions {
  readonly suggestions: readonly Suggestion[];
  readonly near: readonly NearMiss[];
  readonly nearLeftOut: number;
  readonly covered: number;
  readonly others: number;
  /** Beyond what can be kept; nothing is said of them. */
  readonly domainsLeftOut: number;
}
