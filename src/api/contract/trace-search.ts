/** Searching the trace in the API. */
import { z } from 'zod';
import { parseAddress } from '../../mail/address.ts';
import { parseDomain } from '../../mail/domain.ts';
import { parseQueueId } from '../../mail/queue-id.ts';
import { askedTime } from './time.ts';

export const tracesMax = 1000;
export const tracesDefault = 100;

const who = z
  .string()
  .max(320)
  .refine(
    (text) => text === '<>' || parseAddress(text) !== null || parseDomain(text) !== null,
    'is no address, domain or <>',
  )
  .meta({ description: 'address, domain, or <>' });

export const recipientStatusSchema = z.enum([
  'queued',
  'deferred',
  'delivered',
  'bounced',
  'held',
  'refused',
]);
export type RecipientStatusName = z.infer<typeof recipientStatusSchema>;

/** What became of one recipient so far. */
export const recipientStateSchema = z
  .object({
    recipient: z.string(),
    aliasedFrom: z.string().nullable().meta({
      description: 'the alias or catch-all that led here; null where the sender named it',
    }),
    state: recipientStatusSchema,
    status: z.string().meta({ description: 'enhanced status code; empty before the first try' }),
    reason: z.string(),
    at: z.string(),
  })
  .meta({ id: 'RecipientState' });
export type RecipientStateView = z.infer<typeof recipientStateSchema>;

/** The query of `GET /v1/traces/events`. */
export const traceEventsQuerySchema = z.strictObject({
  from: who.optional(),
  to: who.optional(),
  status: recipientStatusSchema.optional(),
});

/** The query of `GET /v1/traces`; `before` is the `next` of the answer before. */
export const traceQuerySchema = z.strictObject({
  from: who.optional(),
  to: who.optional(),
  since: askedTime.optional(),
  until: askedTime.optional(),
  status: recipientStatusSchema.optional(),
  organization: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'only what is of this organization, by its id' }),
  limit: z.coerce.number().int().min(1).max(tracesMax).default(tracesDefault),
  before: z
    .string()
    .max(64)
    .refine((text) => parseQueueId(text) !== null, 'is no cursor of ours')
    .optional(),
});
export type TraceQuery = z.output<typeof traceQuerySchema>;
export type TraceQueryInput = Omit<z.input<typeof traceQuerySchema>, 'limit'> & {
  readonly limit?: number;
};

/** One message or refusal. `recipients` are those that fit the search, 100 at most. */
export const tracedSchema = z
  .object({
    id: z.string(),
    at: z.string(),
    from: z.string().nullable().meta({ description: 'empty: <>; null: refused before MAIL FROM' }),
    recipientCount: z.int().min(0),
    recipients: z.array(recipientStateSchema),
  })
  .meta({ id: 'Traced' });
export type TracedView = z.infer<typeof tracedSchema>;

export const traceListSchema = z
  .object({
    rows: z.array(tracedSchema).meta({ description: 'newest first' }),
    next: z
      .string()
      .nullable()
      .meta({ description: 'give it as before to go on, also where rows is empty; null: the end' }),
  })
  .meta({ id: 'TraceList' });
export type TraceListView = z.infer<typeof traceListSchema>;
