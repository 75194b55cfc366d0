/** An inbound session as policy sees it, and what policy answers about one recipient. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { ReversePath } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import type { Reply } from '../mail/reply.ts';
import type { Considered } from './decision.ts';
import type { Evidence } from './evidence.ts';
import { isPublicSuffix } from './name-match.ts';
import type { ShadowOutcome } from './shadow.ts';

/**
 * `heloName` as the client gave it; `account` only after AUTH. `inside`: another organization of this
 * gateway hands over; then `clientAddress` is empty.
 */
export interface InboundSession {
  readonly listener: 'mx' | 'submission' | 'inside';
  readonly clientAddress: string;
  readonly heloName: string;
  readonly evidence: Evidence;
  readonly account: { readonly organization: string; readonly account: string } | null;
  readonly reversePath: ReversePath;
}

/**
 * Reads time for a decision. `firstRefusedAtMs` is when the same refusal (by its `temporaryKey`) was
 * first given; null where it never was.
 */
export interface InboundClock {
  readonly nowMs: number;
  firstRefusedAtMs(key: string): number | null;
}

/**
 * Whose the message is. `originating`: of an account, or of the organization's own server, by the
 * connector named; its recipients are anywhere. `incoming`: of anybody, to recipients of ours.
 */
export interface Origin {
  readonly kind: 'originating' | 'incoming';
  /** The OnPremises connector that knows the session; null where none does. */
  readonly connector: string | null;
  readonly by: 'account' | 'certificate' | 'address' | null;
}

/** `connectors` are those that were met. `reason` is for logs and the trace, the reply for the wire. */
export type InboundDecision =
  | {
      readonly kind: 'accept';
      readonly organization: string;
      readonly origin: Origin;
      readonly connectors: readonly string[];
      readonly considered: readonly Considered[];
      readonly shadow: readonly ShadowOutcome[];
      /** Nobody here knows whether the recipient exists: the server that keeps the mailbox is asked. */
      readonly mustVerify: boolean;
    }
  | {
      readonly kind: 'refuse';
      readonly reply: Reply;
      readonly reason: string;
      /** Whose policy refused; null where the domain is nobody's. */
      readonly organization: string | null;
      readonly connector: string | null;
      /** Remember when this key was first refused; null where the refusal does not change with time. */
      readonly temporaryKey: string | null;
      readonly considered: readonly Considered[];
    };

/**
 * The sender's domains that connectors look at: MAIL FROM's; for the null reverse-path the EHLO name
 * and the domains above it, which only restrict. A sender without a domain name is covered by `*`.
 */
export function senderDomainsOf(session: InboundSession): readonly string[] {
  if (session.reversePath !== null) return [session.reversePath.domain];
  const name = parseDomain(session.heloName);
  return name === null ? [sanitizePeerText(session.heloName)] : withParents(name);
}

function withParents(name: string): string[] {
  const names: string[] = [];
  for (let rest = name; rest.includes('.') && !isPublicSuffix(rest);) {
    names.push(rest);
    rest = rest.slice(rest.indexOf('.') + 1);
  }
  return names.length === 0 ? [name] : names;
}
