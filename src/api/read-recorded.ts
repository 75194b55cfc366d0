/**
 * All recorded mail of the last days, page by page in the gateway, within the time of a request. Of
 * half the records nothing can be said: whoever wants more days than the time allows reads the records
 * himself, as the command line does.
 */
import { Failure } from '../mail/failure.ts';
import type { Recorded } from '../policy/recorded.ts';
import { RecordedReader } from '../report/read-recorded.ts';
import type { ReadSoFar, RecordPage, RecordQuery } from './contract/records.ts';

export interface RecordedSources {
  readRecords(query: RecordQuery): Promise<RecordPage>;
  nowMs(): number;
  /** Milliseconds from any moment; a clock that is set does not change it. */
  steadyMs(): number;
}

export interface RecordedSpan {
  readonly days: number;
  readonly organization?: string | undefined;
  /** The command that reads the same without a limit of time. */
  readonly command: string;
}

/** Within the time of a request. */
export const readingTimeMs = 20_000;
/** Records in a page: what is judged at one go, while nothing else is answered. */
const pageRecords = 100;
const dayMs = 24 * 3600_000;

/** Hands each to `take`. Throws `api-timeout` where there is more to read than the time allows. */
export async function readRecorded(
  sources: RecordedSources,
  span: RecordedSpan,
  take: (recorded: Recorded) => void,
): Promise<ReadSoFar> {
  const since = new Date(sources.nowMs() - span.days * dayMs).toISOString();
  const { organization } = span;
  const reader = new RecordedReader();
  const untilMs = sources.steadyMs() + readingTimeMs;
  let [messages, refusals] = [0, 0];
  let oldestAt: string | null = null;
  let after: string | undefined;
  do {
    if (sources.steadyMs() > untilMs) throw tooMuch(span);
    const page: RecordPage = await sources.readRecords({
      since,
      limit: pageRecords,
      ...(organization === undefined ? {} : { organization }),
      ...(after === undefined ? {} : { after }),
    });
    reader.takeFacts(page.facts);
    for (const trace of page.traces) {
      const recorded = reader.read(trace, Date.parse(trace.at));
      if (recorded.kind === 'refusal') refusals++;
      else messages++;
      take(recorded);
      if (oldestAt === null || trace.at < oldestAt) oldestAt = trace.at;
    }
    after = page.next ?? undefined;
  } while (after !== undefined);
  return { messages, refusals, since, oldestAt };
}

function tooMuch({ days, command }: RecordedSpan): Failure {
  const text = `the mail of ${days} days takes longer to read than ${readingTimeMs / 1000} s: ask for fewer days or one organization, or use ${command}, which reads it page by page`;
  return new Failure('api-timeout', text, { wireText: text });
}
