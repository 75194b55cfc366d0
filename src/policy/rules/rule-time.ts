/** Whether a rule acts at a time: rules have a first and a last day. */
import type { MailFlowRule } from './rule.ts';

/** Null where it acts, else why it does not. */
export function whyAsleep(rule: MailFlowRule, nowMs: number): string | null {
  if (!rule.enabled) return 'disabled';
  if (rule.activationAtMs !== null && nowMs < rule.activationAtMs) return 'not yet active';
  if (rule.expiryAtMs !== null && nowMs >= rule.expiryAtMs) return 'expired';
  return null;
}
