/** The readiness of a connector, by the recorded mail of the last days. */
import type { Policy } from '../policy/policy.ts';
import { ReadinessSummary } from '../policy/readiness-summary.ts';
import type { ReadinessAnswer, ReadinessQuery } from './contract/readiness.ts';
import { connectorNamesOf, describeReadiness, viewsOf } from './contract/readiness.ts';
import type { RecordedSources } from './read-recorded.ts';
import { readRecorded } from './read-recorded.ts';
import type { Organizations } from './services.ts';

export interface ReadinessSources extends RecordedSources {
  /** In force; of it only connectors of `organizations` are known. */
  readonly policy: Policy;
  readonly organizations: Organizations;
}

/** Throws `connector-unknown`, and `api-timeout` where there is more to read than the time allows. */
export async function answerReadiness(
  query: ReadinessQuery,
  sources: ReadinessSources,
): Promise<ReadinessAnswer> {
  const { policy, organizations } = sources;
  const { name, days, direction, organization } = query;
  const summary = new ReadinessSummary(name, direction === undefined ? undefined : [direction]);
  const span = { days, organization, command: 'postern connector readiness' };
  const read = await readRecorded(sources, span, (recorded) => summary.add(recorded));
  const known = connectorNamesOf(policy).filter(
    (each) => organizations === null || organizations.includes(each.organization),
  );
  return describeReadiness(query, viewsOf(summary, query, known), read);
}
