/** What has to be asked of a message's content before its rules can be decided; mostly nothing. */
import type { Organization, Policy } from '../policy.ts';
import { awakeRulesOf } from './awake-rules.ts';
import { openQuestionsOf } from './judge-rule.ts';
import { Look } from './look.ts';
import type { ContentQuestion, RuleMessage } from './rule-message.ts';

/**
 * Each once, in the order of the rules; empty where envelope and header decide every rule. The
 * content has to be read only where it is not empty.
 */
export function questionsOf(
  policy: Policy,
  organization: Organization,
  message: RuleMessage,
  nowMs: number,
): readonly ContentQuestion[] {
  if (organization.rules.length === 0) return [];
  const look = new Look(policy, organization, message, null);
  const questions = new Map<string, ContentQuestion>();
  for (const compiled of awakeRulesOf(organization, nowMs).index.concerning(look)) {
    for (const question of openQuestionsOf(compiled, look, message.recipients)) {
      questions.set(question.key, question);
    }
  }
  return [...questions.values()];
}
