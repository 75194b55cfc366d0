/** `POST /v1/replay`: what another policy would have made of the mail of the last days. */
import { z } from 'zod';
import type { ReplaySummaryView } from '../../policy/replay-summary.ts';
import { undecidableTexts } from '../../policy/replayed.ts';
import type { ChangeKind, Undecidable } from '../../policy/replayed.ts';
import { checkedText } from './config.ts';
import { objectChangeSchema } from './policy-objects.ts';
import type { ReadSoFar } from './records.ts';
import { daysMax, ofOrganization, oldestAt } from './records.ts';
import { time } from './time.ts';

export const replayDays = 7;
/** Whoever may only look has so many composed and checked at most. */
const replayedChangesMax = 1000;

export const replayOrderSchema = z
  .strictObject({
    changes: z.array(objectChangeSchema).max(replayedChangesMax).nullable().default(null).meta({
      description:
        'as of `POST /v1/changes`: made to the policy in force, and put in force nowhere',
    }),
    config: checkedText.nullable().default(null).meta({
      description:
        'YAML in the place of the file of the gateway; takes the permission config.read. Without changes and config the policy in force judges',
    }),
    days: z.int().min(1).max(daysMax).default(replayDays),
    organization: ofOrganization,
  })
  .refine(({ changes, config }) => changes === null || config === null, {
    path: ['config'],
    message: 'stands for itself: leave changes away',
  })
  .meta({ id: 'ReplayOrder' });
export type ReplayOrder = z.output<typeof replayOrderSchema>;
export type ReplayOrderInput = z.input<typeof replayOrderSchema>;

const kinds = [
  'refused',
  'accepted',
  'attributed',
  'routed',
  'weaker',
  'stricter',
  'deferred',
  'passed',
  'returned',
] as const satisfies readonly ChangeKind[];

const count = z.int().min(0);
const cause = {
  kind: z.enum(kinds),
  direction: z.enum(['inbound', 'outbound']),
  partner: z.string().meta({ description: 'domain of the other side' }),
  because: z.string().meta({ description: 'equal for changes of one cause' }),
  reason: z.string(),
};
const whys = Object.keys(undecidableTexts) as [Undecidable, ...Undecidable[]];

export const replayedSchema = z
  .object({
    formatVersion: z.literal(1),
    policyRevision: z.string().meta({ description: 'that judged' }),
    days: z.int(),
    since: time,
    oldestAt,
    messages: count,
    refusals: count,
    changed: count.meta({ description: 'messages and refusals that would have gone otherwise' }),
    undecidedOnly: count.meta({ description: 'of which the record tells nothing' }),
    kinds: z.array(
      z.object({
        kind: cause.kind,
        direction: cause.direction,
        messages: count,
        partners: count,
      }),
    ),
    groups: z.array(z.object({ ...cause, messages: count, ids: z.array(z.string()) })),
    groupsLeftOut: count,
    undecided: z.array(
      z.object({
        why: z.enum(whys),
        messages: count,
        ids: z.array(z.string()),
        text: z.string(),
      }),
    ),
    changes: z.array(
      z.object({ id: z.string(), at: time, ...cause, recipient: z.string().nullable() }),
    ),
    changesLeftOut: count,
  })
  .meta({ id: 'Replayed' });
export type ReplayedView = z.infer<typeof replayedSchema>;

/** The same for the API and for `postern replay --json`. */
export function describeReplay(
  { kinds: byKind, groups, undecided, changes, ...rest }: ReplaySummaryView,
  { since, oldestAt: oldest, messages, refusals }: ReadSoFar,
  { policyRevision, days }: { readonly policyRevision: string; readonly days: number },
): ReplayedView {
  return {
    formatVersion: 1,
    policyRevision,
    days,
    since,
    oldestAt: oldest,
    messages,
    refusals,
    changed: rest.changed,
    undecidedOnly: rest.undecidedOnly,
    kinds: [...byKind],
    groups: groups.map((group) => ({ ...group, ids: [...group.ids] })),
    groupsLeftOut: rest.groupsLeftOut,
    undecided: undecided.map(({ ids, ...each }) => ({
      ...each,
      ids: [...ids],
      text: undecidableTexts[each.why],
    })),
    changes: [...changes],
    changesLeftOut: rest.changesLeftOut,
  };
}
