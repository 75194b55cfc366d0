/** The client's calls about what recorded mail says of connectors. */
import type { ReadinessAnswer, ReadinessQueryInput } from '../contract/readiness.ts';
import { readinessSchema } from '../contract/readiness.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

export interface RecordedMailClient {
  /** Throws `connector-unknown`, and `api-timeout` where there is more to read than the time allows. */
  readReadiness(query: ReadinessQueryInput): Promise<ReadinessAnswer>;
}

export function recordedMailClient({ ask }: Caller): RecordedMailClient {
  return {
    readReadiness: (query) =>
      ask({ method: 'GET', path: `/v1/readiness${formatQuery({ ...query })}` }, readinessSchema),
  };
}
