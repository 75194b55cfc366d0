/**
 * What rules would do to a message of which the content is not known, and why each of them does not
 * concern it: for `explain`, which names all.
 *
 * The decision is that of `applyRules` for a content that holds nothing that is asked for.
 */
import { actionNamesOf } from './condition-name.ts';
import type { Organization, Policy } from '../policy.ts';
import { awakeListOf, awakeRulesOf } from './awake-rules.ts';
import type { CompiledRule } from './compile-rules.ts';
import { applyRules } from './evaluate-rules.ts';
import { noEffects } from './fork.ts';
import { judgeRule, openTestsOf } from './judge-rule.ts';
import { Look } from './look.ts';
import { questionsOf } from './questions.ts';
import type { MessageFacts, RuleMessage } from './rule-message.ts';
import type { MetRule } from './rule-record.ts';
import { whyAsleep } from './rule-time.ts';
import type { RulesResult } from './run-rules.ts';

type Names = Readonly<Record<string, readonly string[]>>;

/** Every rule of the organization is in one of the lists. */
export interface ExplainedRules {
  readonly result: RulesResult;
  /** In their order; `unknown` also where the content decides, which `why` says. */
  readonly concerned: readonly MetRule[];
  /** By the condition that failed or the exception that held. */
  readonly notMatched: Names;
  readonly skipped: Names;
  /** Behind a rule that rejected the message, or made it wait. */
  readonly notReached: readonly string[];
  /** Whether anything depends on the content. */
  readonly asksContent: boolean;
}

/** Null where the organization has no rules. */
export function explainRules(
  policy: Policy,
  organization: Organization,
  message: RuleMessage,
  nowMs: number,
): ExplainedRules | null {
  const questions = questionsOf(policy, organization, message, nowMs);
  const facts: MessageFacts = new Map(questions.map(({ key }) => [key, { kind: 'no' }]));
  const result = applyRules(policy, organization, message, { facts, nowMs });
  if (result.record === null) return null;
  const open = openRulesOf(policy, organization, message, nowMs);
  const met = new Map(result.record.met.map((one) => [one.rule, one]));
  const missed = reasonsIn(result.record.notMatched);
  const concerned: MetRule[] = [];
  const notMatched: Record<string, string[]> = {};
  const notReached: string[] = [];
  const look = new Look(policy, organization, message, facts);
  const found = new Set(awakeRulesOf(organization, nowMs).index.concerning(look));
  for (const compiled of awakeListOf(organization, nowMs)) {
    const { name } = compiled.rule;
    const tests = open.get(name) ?? [];
    const one = met.get(name);
    const why = missed.get(name) ?? (found.has(compiled) ? null : whyNot(compiled, look, message));
    if (one !== undefined) concerned.push(tests.length === 0 ? one : unlessContent(one, tests));
    else if (why === null) notReached.push(name);
    else if (tests.includes(why)) concerned.push(ifContent(compiled, tests));
    else (notMatched[why] ??= []).push(name);
  }
  const skipped = skippedOf(organization, nowMs);
  return { result, concerned, notMatched, skipped, notReached, asksContent: open.size > 0 };
}

/** The names of conditions and exceptions that only the content decides, by the rule. */
function openRulesOf(
  policy: Policy,
  organization: Organization,
  message: RuleMessage,
  nowMs: number,
): ReadonlyMap<string, readonly string[]> {
  const look = new Look(policy, organization, message, null);
  const open = new Map<string, readonly string[]>();
  for (const compiled of awakeRulesOf(organization, nowMs).index.concerning(look)) {
    const tests = openTestsOf(compiled, look, message.recipients);
    if (tests.length > 0)
      open.set(
        compiled.rule.name,
        tests.map(({ name }) => name),
      );
  }
  return open;
}

function reasonsIn(names: Names): ReadonlyMap<string, string> {
  return new Map(Object.entries(names).flatMap(([why, all]) => all.map((name) => [name, why])));
}

/** Of a rule that the index left out. */
function whyNot(compiled: CompiledRule, look: Look, { recipients }: RuleMessage): string | null {
  const whole = [{ recipients, live: true, effects: noEffects }];
  const judgement = judgeRule(compiled, look, whole);
  return judgement.kind === 'missed' ? judgement.why : null;
}

/** Met as far as is known, whatever conditions hold: only an exception can still spare it. */
function unlessContent(met: MetRule, tests: readonly string[]): MetRule {
  const spared = tests.filter(isException);
  if (spared.length === 0) return met;
  const why = `the body is not given; this rule would not act where ${spared.join(' or ')} holds`;
  return { ...met, result: 'unknown', why };
}

function ifContent({ rule }: CompiledRule, tests: readonly string[]): MetRule {
  const wanted = tests.filter((name) => !isException(name));
  const spared = tests.filter(isException);
  const unless = spared.length === 0 ? '' : ` and ${spared.join(' or ')} does not`;
  const verb = wanted.length === 1 ? 'holds' : 'hold';
  return {
    rule: rule.name,
    mode: rule.mode,
    result: 'unknown',
    why: `the body is not given; this rule would act where ${wanted.join(' and ')} ${verb}${unless}`,
    recipients: null,
    actions: actionNamesOf(rule),
  };
}

function isException(name: string): boolean {
  return name.startsWith('exceptIf');
}

function skippedOf({ rules }: Organization, nowMs: number): Names {
  const skipped: Record<string, string[]> = {};
  for (const rule of rules) {
    const why = whyAsleep(rule, nowMs);
    if (why !== null) (skipped[why] ??= []).push(rule.name);
  }
  return skipped;
}
