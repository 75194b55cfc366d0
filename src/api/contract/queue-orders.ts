/** The queue in the API: which deliveries are meant, one message whole, and orders on them. */
import { z } from 'zod';
import { parseAddress } from '../../mail/address.ts';
import { parseDomain } from '../../mail/domain.ts';
import { parseQueueId } from '../../mail/queue-id.ts';
import type { QueueId } from '../../mail/queue-id.ts';
import { queueRowSchema, queueRowsDefault, queueRowsMax } from '../contract.ts';
import { askedTime } from './time.ts';

const domain = z
  .string()
  .max(253)
  .refine((text) => parseDomain(text) !== null, 'is not a domain name');

const queueId = z
  .string()
  .max(64)
  .refine((text) => parseQueueId(text) !== null, 'is no queue id: 12 letters and digits');

const sender = z
  .string()
  .max(320)
  .refine(isSender, 'is no address, domain or <>')
  .meta({ description: 'address, domain, or <> for the null reverse-path' });

function isSender(text: string): boolean {
  return text === '<>' || parseAddress(text) !== null || parseDomain(text) !== null;
}

const word = z.string().min(1).max(300);

/** Which deliveries are meant: every field that is there must hold. */
export const queueMatchShape = {
  id: queueId.optional(),
  state: z.enum(['queued', 'held']).optional(),
  domain: domain.optional().meta({ description: 'of a recipient' }),
  sender: sender.optional(),
  cause: word.optional().meta({ description: 'of the last attempt', examples: ['tls-refused'] }),
  connector: word.optional().meta({ description: 'outbound connector that it goes by' }),
  route: word.optional().meta({ description: 'routeKey of a row' }),
  organization: word.optional(),
  receivedBefore: askedTime.optional(),
};
const queueMatchSchema = z.strictObject(queueMatchShape).meta({ id: 'QueueMatch' });
export type QueueMatchQuery = z.infer<typeof queueMatchSchema>;

/** Behind which row a page begins. */
export interface QueueCursor extends QueueId {
  readonly ordinal: number;
}

/** `ID.ordinal`; null where the text is none. */
export function parseQueueCursor(text: string): QueueCursor | null {
  const [, id = '', ordinal = ''] = /^([0-9A-Za-z]{12})\.(\d{1,9})$/.exec(text) ?? [];
  const parsed = parseQueueId(id);
  return parsed === null ? null : { ...parsed, ordinal: Number(ordinal) };
}

/** The query of `GET /v1/queue`. */
export const queueQuerySchema = z.strictObject({
  ...queueMatchShape,
  limit: z.coerce.number().int().min(1).max(queueRowsMax).default(queueRowsDefault),
  after: z
    .string()
    .max(32)
    .refine((text) => parseQueueCursor(text) !== null, 'is no cursor of ours')
    .optional()
    .meta({ description: 'the `next` of the answer before' }),
});
/** The query of `GET /v1/queue/events`: each look reads so many rows again. */
export const queueEventsQuerySchema = z.strictObject({
  ...queueMatchShape,
  limit: z.coerce.number().int().min(1).max(500).default(queueRowsDefault),
});
export type QueueQuery = z.input<typeof queueQuerySchema> & { readonly limit?: number };

export const queueActionSchema = z.enum(['retry', 'hold', 'release', 'expire', 'delete']);
export type QueueActionName = z.infer<typeof queueActionSchema>;

/** One step of an order; `after` is the `next` of the step before. */
export const queueOrderSchema = z
  .strictObject({
    action: queueActionSchema,
    match: queueMatchSchema,
    all: z.boolean().default(false).meta({ description: 'needed where match is empty' }),
    dryRun: z.boolean().default(false).meta({ description: 'changes nothing, fills rows' }),
    acceptWeakerPolicy: z
      .boolean()
      .default(false)
      .meta({ description: 'releases also what goes out under less than it was accepted under' }),
    by: z.string().min(1).max(100).default('administrator (API)').meta({
      description: 'who asks, for the trace',
    }),
    after: z.string().max(64).nullable().default(null),
  })
  .meta({ id: 'QueueOrder' });
export type QueueOrderView = z.output<typeof queueOrderSchema>;
export type QueueOrderInput = z.input<typeof queueOrderSchema>;

/** What today's policy no longer demands, and what it still does, in words. */
export const weakerSchema = z
  .object({
    lost: z.array(z.string()),
    today: z.array(z.string()).meta({ description: 'empty: it may leave in clear' }),
    connector: z.string().nullable().meta({ description: 'null for the default one' }),
  })
  .meta({ id: 'WeakerPolicy' });
export type WeakerView = z.infer<typeof weakerSchema>;

export const queueOrderAnswerSchema = z
  .object({
    changed: z.int().min(0).meta({ description: 'deliveries; with dryRun those that would be' }),
    pending: z.int().min(0).meta({ description: 'under way, changed when the attempt has ended' }),
    unfit: z.int().min(0).meta({ description: 'matched, but the action does nothing to them' }),
    withheld: z
      .array(
        z.object({
          id: z.string(),
          ordinal: z.int(),
          recipients: z.array(z.string()),
          weaker: weakerSchema,
        }),
      )
      .meta({ description: 'not released: they would go out under a weaker policy' }),
    rows: z.array(queueRowSchema).meta({ description: 'what a dry run would touch' }),
    next: z.string().nullable().meta({ description: 'give it as after to go on; null is the end' }),
  })
  .meta({ id: 'QueueOrderAnswer' });
export type QueueOrderAnswer = z.infer<typeof queueOrderAnswerSchema>;

/** One message with all its deliveries. */
export const queuedMessageSchema = z
  .object({
    id: z.string(),
    header: z
      .string()
      .nullable()
      .meta({ description: 'null where it is longer than 64 KB or unreadable' }),
    bodyType: z.string(),
    deliveries: z.array(
      queueRowSchema.extend({
        floor: z.array(z.object({ demand: z.string(), origin: z.string() })),
        weaker: weakerSchema.nullable().meta({ description: 'what today no longer demands' }),
      }),
    ),
  })
  .meta({ id: 'QueuedMessage' });
export type QueuedMessageView = z.infer<typeof queuedMessageSchema>;
