/**
 * Mail-flow rules on one message: in their order, once, before it is accepted.
 *
 * Conditions are joined by and, values in one by or, exceptions by or, and all actions are done. What
 * the bounds keep from being seen is unknown: rules that only protect (require TLS, reject, hold)
 * then act, and for all others the message waits. See `docs/rules.md`.
 * @see New-TransportRule
 */
import type { Organization, Policy } from '../policy.ts';
import { awakeRulesOf } from './awake-rules.ts';
import { Look } from './look.ts';
import type { MessageFacts, RuleMessage } from './rule-message.ts';
import { RecordWriter } from './rule-record.ts';
import type { RulesResult } from './run-rules.ts';
import { runRules } from './run-rules.ts';

/** `facts` hold answers to what `questionsOf` asked; what is missing there is unknown. */
export function applyRules(
  policy: Policy,
  organization: Organization,
  message: RuleMessage,
  examined: { readonly facts: MessageFacts; readonly nowMs: number },
): RulesResult {
  if (organization.rules.length === 0) return untouched(message);
  const look = new Look(policy, organization, message, examined.facts);
  const { count, index, skipped } = awakeRulesOf(organization, examined.nowMs);
  const rules = index.concerning(look);
  const record = new RecordWriter({ notConcerned: count - rules.length, skipped });
  return runRules(rules, { look, message, hostName: policy.hostName, record });
}

const nothingRuled = { connector: null, rule: null, overrides: [], clauses: [] };

function untouched({ recipients }: RuleMessage): RulesResult {
  const fork = { recipients, ruling: nothingRuled, hold: null, headerEdits: [] };
  return { kind: 'pass', forks: [fork], record: null };
}
