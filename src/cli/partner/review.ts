/** What a change for a partner would do, asked of the gateway, and its answers in the words of the options. */
import type { ApiClient } from '../../api/client.ts';
import type { ChangedView, ObjectDifference } from '../../api/contract/policy-objects.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { countDifferences, formatDifferences } from '../difference-text.ts';
import { explainRefusal } from '../explain-refusal.ts';
import type { Naming } from '../policy-objects/compose-value.ts';
import { describeFinding } from '../policy-objects/describe-finding.ts';
import type { PolicyKind } from '../policy-objects/policy-kind.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import type { Spelling } from '../policy-objects/spelling.ts';
import { kebabSpelling } from '../policy-objects/spelling.ts';
import { printable } from '../printable.ts';
import type { Draft } from './drafts.ts';
import { changesOf } from './drafts.ts';
import { questions } from './questions.ts';

/** The options of `partner add`, by the keys that they become. */
export const partnerSpelling: Spelling = {
  ...kebabSpelling,
  nameOf: (kind, key) => {
    const own = optionOf(kind, key);
    return own === undefined ? kebabSpelling.nameOf(kind, key) : `--${own}`;
  },
};

function optionOf({ kind }: PolicyKind, key: string): string | undefined {
  if (key === 'restrictDomainsToCertificate') return 'sender-proof';
  if (key === 'restrictDomainsToIPAddresses') return 'ip';
  return questions.find(({ field }) => field?.kind === kind && field.key === key)?.option;
}

function namingOf({ place }: Draft): Naming {
  return { kind: policyKinds[place.kind], spelling: partnerSpelling };
}

/** All of them in one change. Throws what the gateway refuses, with each mistake on a line. */
export async function changeAll(
  client: ApiClient,
  drafts: readonly Draft[],
  options: { readonly dryRun: boolean; readonly reason: string | null },
): Promise<ChangedView> {
  try {
    return await client.changePolicy({ ...options, changes: changesOf(drafts) });
  } catch (error) {
    const describe = (problem: ConfigProblem): string => describeFor(problem, drafts);
    throw explainRefusal(error, { reason: partnerSpelling.reason, describe });
  }
}

/** In the words of the options of the connector that it is about. */
function describeFor(problem: ConfigProblem, drafts: readonly Draft[]): string {
  const draft = drafts.find(({ place }) => place.kind === problem.object?.kind) ?? drafts[0]!;
  return describeFinding(problem, draft.place, namingOf(draft));
}

/**
 * What would change besides the connectors that are shown; then what is asked less, and what the gateway
 * warns of.
 */
export function formatPlan(
  { differences, weaker, warnings }: ChangedView,
  drafts: readonly Draft[],
): string {
  const isDraft = ({ object, kind }: ObjectDifference): boolean =>
    kind === 'added' &&
    drafts.some(({ place }) => place.kind === object.kind && place.name === object.name);
  const others = differences.filter((each) => !isDraft(each));
  const rest = others.length === 0 ? '; nothing else changes' : ':';
  const warned = warnings.map((warning) => `warning: ${describeFor(warning, drafts)}`);
  const lines = [...weaker.map((each) => `asks for less: ${each}`), ...warned];
  const notes = lines.map((line) => `${printable(line)}\n`).join('');
  return `${countDifferences(differences)}${rest}\n${formatDifferences(others)}${notes}`;
}
