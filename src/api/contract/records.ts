/** The trace as it is stored, page by page: for programs that judge recorded mail again. */
import { z } from 'zod';
import { parseQueueId } from '../../mail/queue-id.ts';
import { askedTime, time } from './time.ts';

export const recordsMax = 1000;

/** The query of `GET /v1/records`; `after` is the `next` of the answer before. */
export const recordQuerySchema = z.strictObject({
  since: askedTime.meta({ description: 'only what came in since then' }),
  organization: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'only what is of this organization, by its id' }),
  limit: z.coerce.number().int().min(1).max(recordsMax).default(250),
  after: z
    .string()
    .max(64)
    .refine((text) => parseQueueId(text) !== null, 'is no cursor of ours')
    .optional(),
});
export type RecordQuery = z.output<typeof recordQuerySchema>;
export type RecordQueryInput = Omit<z.input<typeof recordQuerySchema>, 'limit'> & {
  readonly limit?: number;
};

export const recordPageSchema = z
  .object({
    traces: z.array(
      z.object({
        id: z.string(),
        at: time.meta({ description: 'when it came in' }),
        records: z.array(z.string()).meta({
          description: 'canonical JSON, one text for each event, which cites facts by hash',
        }),
      }),
    ),
    facts: z
      .array(z.object({ hash: z.string(), json: z.string() }))
      .meta({ description: 'decisions, evidence and clauses that these records cite' }),
    next: z.string().nullable().meta({
      description: 'give it as after to go on, also where traces is empty; null: the end',
    }),
  })
  .meta({ id: 'RecordPage' });
export type RecordPage = z.infer<typeof recordPageSchema>;

/** What was read for an answer about recorded mail; `oldestAt` null where nothing was. */
export interface ReadSoFar {
  readonly messages: number;
  readonly refusals: number;
  readonly since: string;
  readonly oldestAt: string | null;
}

/** Of such an answer. */
export const oldestAt = time.nullable().meta({ description: 'of the oldest record that was read' });

/** The query of answers about recorded mail: whose, and of how many days. */
export const ofOrganization = z
  .string()
  .max(64)
  .optional()
  .meta({ description: 'only what is of this organization, by its id' });
export const daysMax = 3650;
