/** What mail-flow rules do to a hypothetical message, for people: lines that are not yet wrapped. */
import type { ExplainAnswer } from '../api/contract.ts';

type Rules = NonNullable<ExplainAnswer['rules']>;
type Part = Rules['parts'][number];

/** Names of one reason that are shown; `--json` has all. */
const namesMax = 8;

export function describeRules(rules: Rules): string[] {
  const missed = Object.values(rules.notMatched).flat().length;
  const { length: count } = rules.concerned;
  const all = count + missed + rules.notReached.length;
  const verdict = { pass: '', reject: 'REJECTED, ', defer: 'WAITS, ' }[rules.result];
  return [
    `Rules of ${rules.organization}: ${verdict}${count} of ${all} that are on ${count === 1 ? 'concerns' : 'concern'} it`,
    ...rules.concerned.map((rule) => `  ${describeConcerned(rule)}`),
    ...(rules.reply === null ? [] : [`  answer after the content: ${rules.reply}`]),
    ...(rules.reason === null ? [] : [`  because ${rules.reason}`]),
    ...(rules.deletedBy.length === 0 ? [] : [`  deleted by ${quoteAll(rules.deletedBy)}`]),
    ...(rules.result === 'pass' && rules.parts.length === 0
      ? ['  nobody gets it: it is accepted with 250 and gone']
      : []),
    ...describeGroups('do not match, by what decides', rules.notMatched),
    ...describeGroups('do not act', rules.skipped),
    ...(rules.notReached.length === 0
      ? []
      : [`  not reached any more: ${quoteAll(rules.notReached)}`]),
  ];
}

function describeConcerned({
  rule,
  mode,
  result,
  why,
  actions,
}: Rules['concerned'][number]): string {
  const does = actions.length === 0 ? 'nothing' : actions.join(', ');
  const about = why === null ? '' : ` (${why})`;
  const verb = result === 'matched' ? 'matches' : 'is not sure to match';
  return mode === 'Audit'
    ? `"${rule}" ${verb}, and is in Audit: it would do ${does}${about}`
    : `"${rule}" ${verb}: ${does}${about}`;
}

function describeGroups(title: string, groups: Readonly<Record<string, string[]>>): string[] {
  const reasons = Object.entries(groups);
  if (reasons.length === 0) return [];
  return [`  ${title}:`, ...reasons.map(([why, names]) => `    ${why}: ${quoteAll(names)}`)];
}

/** What was done to one part of the message, before its ways are shown. */
export function describePart(part: Part): string[] {
  const { recipients, rule, connector, overrides, clauses, hold, headerEdits } = part;
  const demanding = [...new Set(clauses.map(({ origin }) => origin.name))];
  const free = overrides.length === 0 ? '' : `, past the clauses of ${quoteAll(overrides)}`;
  return [
    `For ${recipients.join(', ')}`,
    ...(hold === null
      ? []
      : [`  the rule "${hold}" puts it in quarantine: it waits until somebody releases it`]),
    ...(connector === null
      ? []
      : [`  the rule "${rule ?? ''}" routes it to the connector "${connector}"${free}`]),
    ...(demanding.length === 0 ? [] : [`  TLS is demanded by the rule ${quoteAll(demanding)}`]),
    ...headerEdits.map((edit) => `  in the header: ${edit}`),
  ];
}

function quoteAll(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).map((name) => `"${name}"`);
  const others = names.length - shown.length;
  return others === 0 ? shown.join(', ') : `${shown.join(', ')} and ${others} more`;
}
