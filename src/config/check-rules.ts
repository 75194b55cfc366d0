/**
 * Checks of mail-flow rules between keys and against connectors: nothing set is silently ignored.
 *
 * @see New-TransportRule; Exchange Online's limits for rules
 */
import type { RuleAction } from '../policy/rules/rule.ts';
import { nameOfAction } from '../policy/rules/condition-name.ts';
import type { Located, Parts, Report } from './parts.ts';
import { checkRuleConnectors } from './check-rule-connectors.ts';
import { checkRuleHeaders } from './check-rule-headers.ts';
import type { ParsedConditions, ParsedRule } from './schema-rules.ts';
import { exceptionKey, exceptionsIn } from './schema-rules.ts';
import { toActions, toConditions } from './to-rules.ts';

const rulesMax = 300;
const ruleCharactersMax = 8 * 1024;
const patternCharactersMax = 20 * 1024;
const recipientsMax = 100;

export function checkRules(parts: Parts, report: Report): void {
  const names = new Set<string>();
  for (const rule of parts.rules) {
    const { value, path } = rule;
    if (names.has(value.name.toLowerCase())) {
      const text = `there is another rule "${value.name}" (case is ignored)`;
      report({ path: [...path, 'name'], at: 'value', text });
    }
    names.add(value.name.toLowerCase());
    checkConditions(rule, report);
    checkActions(rule, report);
    checkDates(rule, report);
    checkRuleHeaders(rule, report);
    checkRuleConnectors(parts, rule, report);
  }
  checkAmount(parts, report);
  warnOfHidden(parts, report);
}

function checkConditions({ value, path }: Located<ParsedRule>, report: Report): void {
  const sides = [
    { given: value, keyOf: (key: string) => key },
    { given: exceptionsIn(value), keyOf: exceptionKey },
  ];
  for (const { given, keyOf } of sides) {
    const refuse = (key: string, text: string): void =>
      report({ path: [...path, keyOf(key)], at: 'key', text });
    const pairs = [
      ['headerContainsMessageHeader', 'headerContainsWords'],
      ['headerMatchesMessageHeader', 'headerMatchesPatterns'],
    ] as const;
    for (const [header, what] of pairs) {
      const isNamed = given[header] !== null;
      if (isNamed && given[what].length === 0) {
        refuse(header, `needs ${keyOf(what)}: what to look for in that field`);
      }
      if (!isNamed && given[what].length > 0) {
        refuse(what, `needs ${keyOf(header)}: the field to look in`);
      }
    }
  }
  if (!value.hasNoClassification || value.hasClassification === null) return;
  const text = 'contradicts hasClassification: no message has one and none';
  report({ path: [...path, 'hasNoClassification'], at: 'key', text });
}

function checkActions({ value, path }: Located<ParsedRule>, report: Report): void {
  const refuse = (key: string, text: string): void =>
    report({ path: [...path, key], at: 'key', text });
  const actions = toActions(value);
  const setsHeader = value.setHeaderName !== null || value.setHeaderValue !== null;
  if (actions.length === 0 && !setsHeader && !value.stopRuleProcessing) {
    refuse('name', 'does nothing: give the rule an action, such as routeMessageOutboundRequireTls');
  }
  if (value.setHeaderName !== null && value.setHeaderValue === null) {
    refuse('setHeaderName', 'needs setHeaderValue: what the field shall hold');
  }
  if (value.setHeaderName === null && value.setHeaderValue !== null) {
    refuse('setHeaderValue', 'needs setHeaderName: the field that it is for');
  }
  for (const kind of ['reject', 'delete'] as const) refuseBeside(kind, actions, refuse);
  for (const key of ['redirectMessageTo', 'addToRecipients', 'blindCopyTo'] as const) {
    if (value[key].length <= recipientsMax) continue;
    refuse(key, `names more than ${recipientsMax} addresses, the most that a message may get`);
  }
}

/** After it nothing is left to do anything to. */
function refuseBeside(
  kind: 'reject' | 'delete',
  actions: readonly RuleAction[],
  refuse: (key: string, text: string) => void,
): void {
  if (!actions.some((action) => action.kind === kind)) return;
  const name = nameOfAction({ kind } as RuleAction);
  const what = kind === 'reject' ? 'a rejected message' : 'a deleted message';
  for (const other of actions) {
    if (other.kind === kind || (kind === 'delete' && other.kind === 'reject')) continue;
    refuse(nameOfAction(other), `has no effect on ${what} (${name}): keep one of the two`);
  }
}

function checkDates({ value, path }: Located<ParsedRule>, report: Report): void {
  const { activationDate, expiryDate } = value;
  if (activationDate === null || expiryDate === null || expiryDate > activationDate) return;
  const text = 'is not after activationDate: the rule would never act';
  report({ path: [...path, 'expiryDate'], at: 'value', text });
}

/** Exchange's limits: of rules, of one rule, and of all patterns together. */
function checkAmount(parts: Parts, report: Report): void {
  const [first] = parts.rules;
  if (first === undefined) return;
  if (parts.rules.length > rulesMax) {
    const text = `holds ${parts.rules.length} rules; at most ${rulesMax} are taken`;
    report({ path: first.path.slice(0, -1), at: 'key', text });
  }
  let characters = 0;
  for (const { value, path } of parts.rules) {
    const size = JSON.stringify([toConditions(value), toConditions(exceptionsIn(value))]).length;
    if (size + JSON.stringify(toActions(value)).length > ruleCharactersMax) {
      const text = `the rule is larger than ${ruleCharactersMax / 1024} KB; divide it`;
      report({ path: [...path, 'name'], at: 'value', text });
    }
    const before = characters;
    characters += patternCharactersOf(value) + patternCharactersOf(exceptionsIn(value));
    if (before > patternCharactersMax || characters <= patternCharactersMax) continue;
    const text = `with this rule the patterns of all rules are longer than ${patternCharactersMax / 1024} KB together`;
    report({ path: [...path, 'name'], at: 'value', text });
  }
}

function patternCharactersOf(given: ParsedConditions): number {
  return toConditions(given).reduce(
    (sum, condition) =>
      condition.kind === 'matches-patterns' ? sum + condition.patterns.join('').length : sum,
    0,
  );
}

/** Rules behind one that ends the rules for every message. */
function warnOfHidden(parts: Parts, report: Report): void {
  const hiding = parts.rules.find(
    ({ value }) => value.enabled && value.mode === 'Enforce' && meetsAll(value) && ends(value),
  );
  if (hiding === undefined) return;
  for (const { value, path } of parts.rules.slice(parts.rules.indexOf(hiding) + 1)) {
    if (!value.enabled) continue;
    const text = `sees no message: "${hiding.value.name}" before it meets every message and ends the rules`;
    report({ path: [...path, 'name'], at: 'value', text, severity: 'warning' });
  }
}

function meetsAll(rule: ParsedRule): boolean {
  const isAlways = rule.activationDate === null && rule.expiryDate === null;
  return (
    isAlways && toConditions(rule).length === 0 && toConditions(exceptionsIn(rule)).length === 0
  );
}

function ends(rule: ParsedRule): boolean {
  const isFinal = toActions(rule).some(({ kind }) => kind === 'reject' || kind === 'delete');
  return isFinal || rule.stopRuleProcessing;
}
