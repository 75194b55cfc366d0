/** The parts of one incoming message: one for each organization whose recipients it has. */
import type { Content } from '../mail/content.ts';
import { readContent } from '../content/read-content.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { SpoolWriter } from './services.ts';
import type { AcceptedDecision } from './transaction-start.ts';

/** `decisions` belong to `recipients` of the same index. Never empty. */
export interface MessagePart {
  readonly organization: string;
  readonly recipients: readonly Recipient[];
  readonly decisions: readonly AcceptedDecision[];
}

/** In the order in which the organizations were first named. */
export function partsByOrganization(
  recipients: readonly Recipient[],
  decisions: readonly AcceptedDecision[],
): readonly MessagePart[] {
  const places = decisions.map((_, place) => place);
  const byOrganization = Map.groupBy(places, (place) => decisions[place]!.organization);
  return Array.from(byOrganization, ([organization, own]) => ({
    organization,
    recipients: own.map((place) => recipients[place]!),
    decisions: own.map((place) => decisions[place]!),
  }));
}

/** The content as it was kept while it arrived, its header with the part that it was made for. */
export interface KeptContent {
  readonly content: Content;
  readonly headerBytes: number;
}

/** Contents that were written anew, so that they can be taken back. */
export interface RewrittenContent {
  readonly content: Content;
  /** Gives back what it took of the memory budget: once it is the queue's, or taken back. */
  release(): void;
  abandon(): Promise<void>;
}

/** Where such a content goes. */
export interface ContentRoom {
  readonly memory: MemoryBudget;
  readonly openSpool: () => Promise<SpoolWriter>;
}

/**
 * The same body under another header. A large one is in a spool file of its own, and so is a small one
 * that the memory for contents in flight has no room for: rules may make one for each recipient.
 */
export async function rewriteContent(
  { content, headerBytes }: KeptContent,
  header: readonly Buffer[],
  { memory, openSpool }: ContentRoom,
): Promise<RewrittenContent> {
  if (content.kind === 'memory') {
    const body = content.bytes.subarray(headerBytes);
    const size = header.reduce((sum, { length }) => sum + length, body.length);
    if (memory.tryReserveSpare(size)) {
      const bytes = Buffer.concat([...header, body], size);
      const release = (): void => memory.release(size);
      return { content: { kind: 'memory', bytes }, release, abandon: () => Promise.resolve() };
    }
  }
  const spool = await openSpool();
  try {
    for (const piece of header) await spool.write(piece);
    for await (const block of readContent(content, headerBytes)) await spool.write(block);
    const kept = await spool.finish();
    return { content: kept, release: () => undefined, abandon: () => spool.abandon() };
  } catch (error) {
    await spool.abandon().catch(() => undefined);
    throw error;
  }
}
