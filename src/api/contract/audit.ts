/** The audit log: searched by `/v1/audit`, handed out whole as a chain by `/v1/audit/chain`. */
import { z } from 'zod';
import { askedTime, time } from './time.ts';

export const auditRowsMax = 1000;
const word = z.string().min(1).max(300);

export const auditQuerySchema = z.strictObject({
  since: askedTime.optional(),
  until: askedTime.optional().meta({ description: 'before then' }),
  action: word.optional().meta({
    description: 'beginning with this',
    examples: ['sign-in', 'person.added'],
  }),
  person: word.optional().meta({ description: 'who did it' }),
  organization: word.optional().meta({ description: 'whose it was' }),
  kind: word.optional().meta({ description: 'of what it was done to', examples: ['person'] }),
  name: word.optional().meta({ description: 'of what it was done to' }),
  limit: z.coerce.number().int().min(1).max(auditRowsMax).default(100),
  before: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .meta({ description: 'the `next` of the answer before' }),
});
export type AuditQuery = z.output<typeof auditQuerySchema>;
export type AuditQueryInput = Omit<z.input<typeof auditQuerySchema>, 'limit' | 'before'> & {
  readonly limit?: number;
  readonly before?: number;
};

export const auditEntrySchema = z
  .object({
    formatVersion: z.literal(1),
    number: z.int().min(1),
    at: time,
    actor: z.object({
      kind: z.enum(['socket', 'session', 'token', 'nobody', 'gateway']),
      person: z.string().nullable(),
      credential: z.string().nullable().meta({ description: 'the id of session or token' }),
      address: z.string().nullable(),
    }),
    action: z.string(),
    organization: z.string().nullable().meta({ description: 'null: of the whole gateway' }),
    object: z.object({ kind: z.string(), name: z.string() }).nullable(),
    reason: z.string().nullable(),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
    previous: z.string().meta({ description: 'the hash of the entry before; empty in the first' }),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntryView = z.infer<typeof auditEntrySchema>;

export const auditPageSchema = z
  .object({
    formatVersion: z.literal(1),
    entries: z.array(auditEntrySchema).meta({ description: 'newest first' }),
    next: z.int().nullable().meta({ description: 'give it as before to go on; null: the end' }),
  })
  .meta({ id: 'AuditPage' });
export type AuditPage = z.infer<typeof auditPageSchema>;

export const chainQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(auditRowsMax).default(auditRowsMax),
});
export type ChainQuery = z.output<typeof chainQuerySchema>;

/** `json` is the entry's canonical text, over which `hash` is SHA-256 in base64url. */
export const auditChainSchema = z
  .object({
    links: z
      .array(z.object({ number: z.int().min(1), hash: z.string(), json: z.string() }))
      .meta({ description: 'oldest first' }),
    next: z.int().nullable().meta({ description: 'give it as after to go on; null: the end' }),
  })
  .meta({ id: 'AuditChain' });
export type AuditChain = z.infer<typeof auditChainSchema>;
