/** The client's calls about the trace. */
import type { TraceView } from '../contract.ts';
import { traceViewSchema } from '../contract.ts';
import type { RecordPage, RecordQueryInput } from '../contract/records.ts';
import { recordPageSchema } from '../contract/records.ts';
import type { TraceListView, TraceQueryInput } from '../contract/trace-search.ts';
import { traceListSchema } from '../contract/trace-search.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

export interface TracesClient {
  /** Throws `trace-unknown` where the gateway knows nothing of the id. */
  readTrace(id: string): Promise<TraceView>;
  searchTraces(query: TraceQueryInput): Promise<TraceListView>;
  readRecords(query: RecordQueryInput): Promise<RecordPage>;
}

export function tracesClient({ ask }: Caller): TracesClient {
  return {
    readTrace: (id) =>
      ask({ method: 'GET', path: `/v1/traces/${encodeURIComponent(id)}` }, traceViewSchema),
    searchTraces: (query) =>
      ask({ method: 'GET', path: `/v1/traces${formatQuery(query)}` }, traceListSchema),
    readRecords: (query) =>
      ask({ method: 'GET', path: `/v1/records${formatQuery(query)}` }, recordPageSchema),
  };
}
