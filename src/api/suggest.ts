/** Suggestions over all recorded mail of the last days. */
import type { Policy } from '../policy/policy.ts';
import { SuggestionSearch } from '../policy/suggestions/suggest.ts';
import type { SuggestQuery, SuggestionsView } from './contract/suggestions.ts';
import { describeSuggestions, optionsOf } from './contract/suggestions.ts';
import type { RecordedSources } from './read-recorded.ts';
import { readRecorded } from './read-recorded.ts';

export interface SuggestSources extends RecordedSources {
  readonly policy: Policy;
}

/** Throws `api-timeout` where there is more to read than the time allows. */
export async function suggestConnectors(
  query: SuggestQuery,
  sources: SuggestSources,
): Promise<SuggestionsView> {
  const { policy } = sources;
  const { days, organization, minMessages, minDays } = query;
  const search = new SuggestionSearch(policy, optionsOf(query));
  const span = { days, organization, command: 'postern connector suggest' };
  const read = await readRecorded(sources, span, (recorded) => search.add(recorded));
  const { since, oldestAt, messages } = read;
  const from = { policyRevision: policy.revision, since, oldestAt, messages, minMessages, minDays };
  return describeSuggestions(search.result(), from);
}
