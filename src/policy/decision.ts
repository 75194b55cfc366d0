/**
 * Decision values: what was considered, what was chosen, and why the others lost.
 *
 * The SMTP server, the queue, `explain` and the trace all show these same values.
 */
import type { AnchorsName, DeliveryTarget, PostQuantum, Route } from './policy.ts';
import type { Requirement } from './tls-requirement.ts';

/** One connector that was looked at; `reason` is a sentence for people. */
export interface Considered {
  readonly connector: string;
  readonly result: 'chosen' | 'lost';
  readonly reason: string;
}

/** What a connector that only warns or observes would demand of the next hop. */
export interface ShadowDemand {
  readonly connector: string;
  readonly mode: 'warn' | 'observe';
  readonly requirement: Requirement;
}

/**
 * Where mail for one recipient goes, or that it stays in a mailbox. `hand-over` is the server that
 * keeps the mailbox, a hop with requirement and evidence. `organization`: another one of this gateway,
 * which takes it inside. `none` leads nowhere: permanently (no such mailbox), or until the
 * configuration is mended. `considered`: the connectors that might have been chosen; those that do not
 * cover the domain are left out.
 */
export interface OutboundDecision {
  readonly formatVersion: 1;
  readonly policyRevision: string;
  readonly organization: string;
  readonly recipientDomain: string;
  readonly considered: readonly Considered[];
  /** Name of the chosen outbound connector; null for the default connector and for mailboxes. */
  readonly connector: string | null;
  readonly destination:
    | Route
    | { readonly kind: 'mailbox' }
    | { readonly kind: 'hand-over'; readonly target: DeliveryTarget }
    | { readonly kind: 'organization'; readonly organization: string }
    | { readonly kind: 'none'; readonly reason: string; readonly isPermanent: boolean };
  readonly requirement: Requirement;
  readonly shadow: readonly ShadowDemand[];
  /** Trust anchors that the handshake is given; `bundled` where nothing asks for trust. */
  readonly anchors: AnchorsName;
  /** Key of the certificate that we present as client; null for none. */
  readonly clientCertificate: string | null;
  readonly clearTextAfterFailedTls: boolean;
  /** The chosen connector's; what the handshake then offers depends on the clauses too. */
  readonly postQuantum: PostQuantum;
  /** The organization's own header fields go along, under cross-premises names; else they stay here. */
  readonly cloudServicesMailEnabled: boolean;
  /** What `X-OriginatorOrg` states there: the organization's first proven domain; null states nothing. */
  readonly originatorOrg: string | null;
}

/**
 * Whether mail goes the same way under both, for all that the decisions say: of different policies only
 * the words about why may differ. Decisions are plain data, made by one function.
 */
export function isSameWay(one: OutboundDecision, other: OutboundDecision): boolean {
  const [a, b] = [one, other].map((decision) =>
    JSON.stringify({ ...decision, policyRevision: '', considered: [] }),
  );
  return a === b;
}
