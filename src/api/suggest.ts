/**
 * Suggestions over all recorded mail of the last days, read page by page in the gateway. Whoever wants
 * more days than the time allows reads the records himself, as the command line does: of half the
 * records nobody can say what a domain always did.
 */
import { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import { SuggestionSearch } from '../policy/suggestions/suggest.ts';
import { RecordedReader } from '../report/read-recorded.ts';
import type { RecordPage, RecordQuery } from './contract/records.ts';
import { recordsMax } from './contract/records.ts';
import type { SuggestQuery, SuggestionsView } from './contract/suggestions.ts';
import { describeSuggestions, optionsOf } from './contract/suggestions.ts';

export interface SuggestSources {
  readonly policy: Policy;
  readRecords(query: RecordQuery): Promise<RecordPage>;
  nowMs(): number;
  /** Milliseconds from any moment; a clock that is set does not change it. */
  steadyMs(): number;
}

/** Within the time of a request. */
export const suggestTimeMs = 20_000;
const dayMs = 24 * 3600_000;

/** Throws `api-timeout` where there is more to read than the time allows. */
export async function suggestConnectors(
  query: SuggestQuery,
  sources: SuggestSources,
): Promise<SuggestionsView> {
  const { policy } = sources;
  const { organization, minMessages, minDays } = query;
  const since = new Date(sources.nowMs() - query.days * dayMs).toISOString();
  const search = new SuggestionSearch(policy, optionsOf(query));
  const reader = new RecordedReader();
  const untilMs = sources.steadyMs() + suggestTimeMs;
  let [messages, oldestAt, after]: [number, string | null, string | undefined] = [
    0,
    null,
    undefined,
  ];
  do {
    if (sources.steadyMs() > untilMs) throw tooMuch(query);
    const page: RecordPage = await sources.readRecords({
      since,
      limit: recordsMax,
      ...(organization === undefined ? {} : { organization }),
      ...(after === undefined ? {} : { after }),
    });
    reader.takeFacts(page.facts);
    for (const trace of page.traces) {
      const recorded = reader.read(trace, Date.parse(trace.at));
      if (recorded.kind === 'message') messages++;
      search.add(recorded);
      if (oldestAt === null || trace.at < oldestAt) oldestAt = trace.at;
    }
    after = page.next ?? undefined;
  } while (after !== undefined);
  const { revision: policyRevision } = policy;
  const from = { policyRevision, since, oldestAt, messages, minMessages, minDays };
  return describeSuggestions(search.result(), from);
}

function tooMuch({ days }: SuggestQuery): Failure {
  const text = `the mail of ${days} days takes longer to read than ${suggestTimeMs / 1000} s: ask for fewer days or one organization, or use postern connector suggest, which reads it page by page`;
  return new Failure('api-timeout', text, { wireText: text });
}
