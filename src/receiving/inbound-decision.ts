/**
 * The decision record of an accepted message: what was considered for whom.
 *
 * Equal decisions stand once, and without recipients where all share one, so that messages of one
 * kind share one record in the store.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Considered } from '../policy/decision.ts';
import type { InboundSession, Origin } from '../policy/inbound-session.ts';
import type { RulesRecord } from '../policy/rules/rule-record.ts';
import type { ShadowOutcome } from '../policy/shadow.ts';
import type { Policy } from '../policy/policy.ts';

interface Decided {
  readonly origin: Origin;
  readonly connectors: readonly string[];
  readonly considered: readonly Considered[];
  readonly shadow: readonly ShadowOutcome[];
}

/** `recipients` null where the one group holds all. Plain JSON data. */
export interface InboundDecisionRecord {
  readonly formatVersion: 1;
  readonly policyRevision: string;
  readonly listener: 'mx' | 'submission' | 'inside';
  readonly result: 'accepted';
  readonly heloName: string;
  readonly account: string | null;
  readonly groups: readonly (Decided & { readonly recipients: readonly string[] | null })[];
  /** Absent where the organization has no rules. */
  readonly rules?: RulesRecord;
}

/** Under which policy, of which session; `rules` null where the organization has none. */
export interface DecidedIn {
  readonly policy: Policy;
  readonly session: InboundSession;
  readonly rules: RulesRecord | null;
}

/** `decisions` belong to `recipients` of the same index. */
export function inboundDecisionOf(
  { policy, session, rules }: DecidedIn,
  recipients: readonly Address[],
  decisions: readonly Decided[],
): InboundDecisionRecord {
  const groups = new Map<string, Decided & { readonly recipients: string[] }>();
  for (const [i, { origin, connectors, considered, shadow }] of decisions.entries()) {
    const decided = { origin, connectors, considered, shadow };
    const key = decisions.length === 1 ? '' : JSON.stringify(decided);
    const group = groups.get(key) ?? { ...decided, recipients: [] };
    group.recipients.push(formatAddress(recipients[i]!));
    groups.set(key, group);
  }
  const isShared = groups.size === 1;
  return {
    formatVersion: 1,
    policyRevision: policy.revision,
    listener: session.listener,
    result: 'accepted',
    heloName: sanitizePeerText(session.heloName),
    account: session.account?.account ?? null,
    groups: [...groups.values()].map((group) =>
      isShared ? { ...group, recipients: null } : group,
    ),
    ...(rules === null ? {} : { rules }),
  };
}
