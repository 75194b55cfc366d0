/** Goes through all recorded mail of the last days, of the running gateway or of a data folder. */
import { dirname, resolve } from 'node:path';
import type { ReadSoFar, RecordPage, RecordQueryInput } from '../api/contract/records.ts';
import { daysMax } from '../api/contract/records.ts';
import { createApiClient } from '../api/client.ts';
import { Failure } from '../mail/failure.ts';
import type { Recorded } from '../policy/recorded.ts';
import type { CommandContext } from './command-context.ts';
import { connectGateway, profileOf } from './command-context.ts';
import { findSocket } from './find-gateway.ts';
import { withReports } from './progress-line.ts';

/** Where the records are; `data` is a folder, `config` the file that names it. */
export interface RecordPlace {
  readonly profile?: string | undefined;
  readonly socket?: string | undefined;
  readonly data?: string | undefined;
  readonly config?: string | undefined;
}

export interface RecordedSpan {
  readonly days: number;
  readonly organization?: string | undefined;
  readonly isQuiet: boolean;
}

interface Source {
  readRecords(query: RecordQueryInput): Promise<RecordPage>;
  close(): Promise<void>;
}

const dayMs = 24 * 3600_000;

/** Hands each to `take`, and says on standard error how far it is. */
export async function readRecordedMail(
  context: CommandContext,
  place: RecordPlace,
  span: RecordedSpan,
  take: (recorded: Recorded) => void,
): Promise<ReadSoFar> {
  const since = new Date(context.nowMs() - span.days * dayMs).toISOString();
  const source = await openSource(context, place);
  try {
    return await withReports(context, span.isQuiet, (say) =>
      readPages(context, source, { since, organization: span.organization, take, say }),
    );
  } finally {
    await source.close();
  }
}

interface Reading {
  readonly since: string;
  readonly organization: string | undefined;
  readonly take: (recorded: Recorded) => void;
  readonly say: (text: string) => void;
}

async function readPages(
  { offline }: CommandContext,
  source: Source,
  { since, organization, take, say }: Reading,
): Promise<ReadSoFar> {
  const read = offline.records.createReader();
  let [messages, refusals] = [0, 0];
  let oldestAt: string | null = null;
  const fetchPage = (after: string | null): Promise<RecordPage> =>
    source.readRecords({
      since,
      ...(organization === undefined ? {} : { organization }),
      ...(after === null ? {} : { after }),
    });
  let coming: Promise<RecordPage> | null = fetchPage(null);
  while (coming !== null) {
    const page: RecordPage = await coming;
    // The gateway reads the next one while this one is judged.
    coming = page.next === null ? null : fetchPage(page.next);
    coming?.catch(() => undefined);
    for (const recorded of read(page)) {
      if (recorded.kind === 'refusal') refusals++;
      else messages++;
      take(recorded);
    }
    const last = page.traces.at(-1)?.at ?? null;
    if (last !== null && (oldestAt === null || last < oldestAt)) oldestAt = last;
    const day = last === null ? '' : `, now at ${last.slice(0, 10)}`;
    say(`read ${formatCount(messages)} messages and ${formatCount(refusals)} refusals${day}`);
  }
  return { messages, refusals, since, oldestAt };
}

/** The gateway that runs; where none does, the data folder that it would have. */
async function openSource(context: CommandContext, place: RecordPlace): Promise<Source> {
  const { offline, surroundings } = context;
  if (place.data !== undefined) {
    return offline.records.open(resolve(surroundings.workingFolder, place.data));
  }
  const { socket, config } = place;
  if (profileOf(place, surroundings) !== null) {
    const client = await connectGateway(context, place);
    return { readRecords: (query) => client.readRecords(query), close: async () => undefined };
  }
  const socketPath = await findSocket(
    { ...(socket === undefined ? {} : { socket }), ...(config === undefined ? {} : { config }) },
    surroundings,
  );
  const client = createApiClient({ socketPath });
  try {
    await client.status();
    return { readRecords: (query) => client.readRecords(query), close: async () => undefined };
  } catch (error) {
    const isDown = error instanceof Failure && error.code === 'gateway-not-running';
    if (!isDown || socket !== undefined) throw error;
    return openFolder(context, dirname(dirname(socketPath)), error);
  }
}

/** Where there is no data either, what is missing is the gateway. */
async function openFolder(
  { offline }: CommandContext,
  folder: string,
  absent: Failure,
): Promise<Source> {
  try {
    return await offline.records.open(folder);
  } catch (error) {
    const isMissing = error instanceof Failure && error.code === 'data-folder-missing';
    throw isMissing ? absent : error;
  }
}

const format = new Intl.NumberFormat('en-US');

/** `12,345`. */
export function formatCount(count: number): string {
  return format.format(count);
}

/** `1 message`, `12 messages`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** For `--days`. */
export function readDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= daysMax) return days;
  throw new Failure('option-wrong', `--days: "${text}" is no whole number from 1 to ${daysMax}`);
}
