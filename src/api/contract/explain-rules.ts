/** What `explain` takes and answers about mail-flow rules, as schemas; for `contract.ts`. */
import { z } from 'zod';
import { clauseSchema, outboundDecisionSchema } from '../decision-schema.ts';

/** Header fields of a hypothetical message, and characters of each. */
export const explainHeadersMax = 64;
export const explainHeaderLengthMax = 2000;
/** Bytes of a hypothetical message at most. */
const sizeBytesMax = 1024 ** 4;

/** One field on one line, as it would be written; the value may have encoded words. */
export const headerLineSchema = z
  .string()
  .max(explainHeaderLengthMax)
  .regex(/^[!-9;-~]+[ \t]*:[^\r\n\0]*$/, 'is no header field on one line: Name: value')
  .meta({ examples: ['Subject: The quarterly report'] });

/** The parts of the question that only rules, and connectors that look at From, need. */
export const messageQuestion = {
  headers: z.array(headerLineSchema).max(explainHeadersMax).default([]).meta({
    description: 'header fields of the message; without From, the sender is supposed to be in it',
  }),
  sizeBytes: z
    .int()
    .min(0)
    .max(sizeBytesMax)
    .nullable()
    .default(null)
    .meta({ description: 'size of the whole message; null supposes a small one' }),
};

const namesByReason = z.record(z.string(), z.array(z.string()));

const concernedRule = z
  .object({
    rule: z.string(),
    mode: z.enum(['Enforce', 'Audit']),
    result: z.enum(['matched', 'unknown']),
    why: z.string().nullable().meta({ description: 'what is not known, and what it decides' }),
    actions: z
      .array(z.string())
      .meta({ description: "in Exchange's words; with `Audit` they are not done" }),
  })
  .meta({ id: 'ConcernedRule' });

const ruledPart = z
  .object({
    recipients: z.array(z.string()).meta({ description: 'who gets it, before aliases' }),
    connector: z.string().nullable().meta({ description: 'to which a rule routes it' }),
    rule: z.string().nullable().meta({ description: 'the rule that routes it' }),
    overrides: z.array(z.string()),
    clauses: z.array(clauseSchema).meta({ description: 'what rules demand of TLS' }),
    hold: z.string().nullable().meta({ description: 'the rule that puts it in quarantine' }),
    headerEdits: z.array(z.string()).meta({ description: 'changes to the header, in words' }),
    to: z
      .array(z.object({ address: z.string(), outbound: outboundDecisionSchema }))
      .meta({ description: 'each final recipient with its own decision' }),
  })
  .meta({ id: 'RuledPart' });

/** Every rule is in one of the lists; `parts` is what the rules made of the message. */
export const explainedRulesSchema = z
  .object({
    organization: z.string(),
    result: z.enum(['pass', 'reject', 'defer']),
    reply: z
      .string()
      .nullable()
      .meta({ description: 'the answer after the content, where not 250' }),
    reason: z.string().nullable(),
    concerned: z.array(concernedRule),
    notMatched: namesByReason.meta({
      description: 'by the condition that failed or the exception that held',
    }),
    skipped: namesByReason.meta({ description: 'off, not yet active, expired' }),
    notReached: z.array(z.string()),
    deletedBy: z.array(z.string()),
    parts: z.array(ruledPart),
  })
  .meta({ id: 'ExplainedRules' });
export type ExplainedRules = z.infer<typeof explainedRulesSchema>;
