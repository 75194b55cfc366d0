/** What rules make of the parts of a message: the messages that are to be queued, or one answer. */
import type { RulesRecord } from '../policy/rules/rule-record.ts';
import type { MessagePart } from './message-part.ts';
import type { Ruled, RuledPart } from './rule-parts.ts';

/** A message that is about to be queued: for whom it came, and what rules made of it. */
export interface QueuedPart {
  readonly part: MessagePart;
  /** The place of its part; the header of the content as it was kept is the first part's. */
  readonly place: number;
  readonly ruled: RuledPart;
  readonly record: RulesRecord | null;
}

/** Rules deleted it for all recipients of the organization. */
export interface DeletedPart {
  readonly organization: string;
  readonly record: RulesRecord | null;
}

type RuledRefusal = Ruled & { readonly kind: 'refused' };

/** `deleted`: no message is left. `disagreed`: some organizations refuse it, others do not. */
export type JoinedRuling =
  | {
      readonly kind: 'ruled';
      readonly parts: readonly QueuedPart[];
      readonly deleted: readonly DeletedPart[];
    }
  | { readonly kind: 'deleted'; readonly deleted: readonly DeletedPart[] }
  | { readonly kind: 'refused'; readonly by: RuledRefusal }
  | { readonly kind: 'disagreed' };

/** `results` belong to `parts` of the same index. One that keeps its header comes first, if any does. */
export function joinRuled(parts: readonly MessagePart[], results: readonly Ruled[]): JoinedRuling {
  const refused = results.filter((result): result is RuledRefusal => result.kind === 'refused');
  const [by] = refused;
  if (by !== undefined) {
    return refused.length < results.length ? { kind: 'disagreed' } : { kind: 'refused', by };
  }
  const queued = results
    .flatMap((result, place) => queuedOf(parts[place]!, place, result))
    .toSorted((a, b) => Number(hasKeptHeader(b)) - Number(hasKeptHeader(a)));
  const deleted = results.flatMap((result, place) =>
    result.kind === 'ruled' && result.parts.length === 0
      ? [{ organization: parts[place]!.organization, record: result.record }]
      : [],
  );
  if (queued.length > 0) return { kind: 'ruled', parts: queued, deleted };
  return { kind: 'deleted', deleted };
}

function queuedOf(part: MessagePart, place: number, result: Ruled): QueuedPart[] {
  if (result.kind === 'refused') return [];
  const { parts, record } = result;
  return parts.map((ruled) => ({ part, place, ruled, record }));
}

/** Of the first part, and no rule changed its header. */
function hasKeptHeader({ place, ruled }: QueuedPart): boolean {
  return place === 0 && ruled.headerEdits.length === 0;
}

/** Whether it has the content as it was kept; `order` is its place among those to be queued. */
export function isAsKept(queued: QueuedPart, order: number): boolean {
  return order === 0 && hasKeptHeader(queued);
}
