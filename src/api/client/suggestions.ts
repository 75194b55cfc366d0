/** The client's call about connectors that recorded mail suggests. */
import type { SuggestionsView, SuggestQueryInput } from '../contract/suggestions.ts';
import { suggestionsSchema } from '../contract/suggestions.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

export interface SuggestionsClient {
  suggestConnectors(query: SuggestQueryInput): Promise<SuggestionsView>;
}

export function suggestionsClient({ ask }: Caller): SuggestionsClient {
  return {
    suggestConnectors: (query) =>
      ask({ method: 'GET', path: `/v1/suggestions${formatQuery(query)}` }, suggestionsSchema),
  };
}
