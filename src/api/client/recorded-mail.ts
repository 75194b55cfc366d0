/** The client's calls about what recorded mail says of connectors. */
import type { ReadinessAnswer, ReadinessQueryInput } from '../contract/readiness.ts';
import { readinessSchema } from '../contract/readiness.ts';
import type { ReplayedView, ReplayOrderInput } from '../contract/replay.ts';
import { replayedSchema } from '../contract/replay.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

export interface RecordedMailClient {
  /** Throws `policy-refused`, `config-refused`, `object-unknown`, and `api-timeout` as the next one. */
  replay(order: ReplayOrderInput): Promise<ReplayedView>;
  /** Throws `connector-unknown`, and `api-timeout` where there is more to read than the time allows. */
  readReadiness(query: ReadinessQueryInput): Promise<ReadinessAnswer>;
}

export function recordedMailClient({ ask }: Caller): RecordedMailClient {
  return {
    replay: (body) => ask({ method: 'POST', path: '/v1/replay', body }, replayedSchema),
    readReadiness: (query) =>
      ask({ method: 'GET', path: `/v1/readiness${formatQuery({ ...query })}` }, readinessSchema),
  };
}
