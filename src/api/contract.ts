/**
 * What the HTTP API takes and gives: one zod schema per body, from which types, validation and the
 * OpenAPI document come.
 *
 * For `server`, `client`, `cli` and `console`. Times are RFC 3339 in UTC with milliseconds; errors
 * are problem documents. Fields are added, never renamed, under /v1.
 * @see RFC 9457 §3 (problem details), RFC 3339 §5.6
 */
import { z } from 'zod';
import { parseAddress } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import type { MessageSource } from '../policy/delivery.ts';
import type { TraceView } from '../report/show-trace.ts';
import type { TraceEvent } from '../report/trace-event.ts';
import { mayBeAbsent } from './contract/absent-key.ts';
import { configProblem, objectKeySchema } from './contract/config-problem.ts';
import { explainedRulesSchema, messageQuestion } from './contract/explain-rules.ts';
import { time } from './contract/time.ts';
import { recipientStateSchema } from './contract/trace-search.ts';
import {
  consideredSchema,
  shadowOutcomeSchema,
  evidenceSchema,
  outboundDecisionSchema,
} from './decision-schema.ts';

/** Rows that `GET /v1/queue` gives at most, and without `limit`. */
export const queueRowsMax = 10_000;
export const queueRowsDefault = 100;
/** Recipients of one submitted message at most. */
export const submittedRecipientsMax = 1000;
/** Characters of a client certificate in PEM, with its intermediates, at most. */
export const certificatePemLengthMax = 131_072;

const address = z
  .string()
  .max(320)
  .refine((text) => parseAddress(text) !== null, 'is not a mail address')
  .meta({ description: 'local-part@domain', examples: ['user@example.test'] });

const reversePath = address
  .nullable()
  .meta({ description: 'the sender; null is the null reverse-path <>' });

/** An error of the API: `type` is about:blank, `code` tells programs what happened. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: 'stable; docs/errors.md lists them' }),
    whatToDo: z.string(),
    exitCode: z.int().meta({ description: 'what the CLI exits with; sysexits(3)' }),
    invalid: z
      .array(z.object({ path: z.string(), text: z.string() }))
      .optional()
      .meta({ description: 'each wrong field of the request' }),
    problems: z
      .array(configProblem)
      .optional()
      .meta({ description: 'of `config-refused` and `policy-refused`: everything that is wrong' }),
    weaker: z
      .array(z.string())
      .optional()
      .meta({ description: 'of `policy-asks-less`: what would be asked less, in words' }),
    dependents: z
      .array(objectKeySchema)
      .optional()
      .meta({ description: 'of `object-in-use`: what would be broken' }),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

/** Without a reason a configuration that asks for less than the one in force is refused. */
export const reloadOrderSchema = z
  .strictObject({
    reason: z.string().trim().min(1).max(500).nullable().default(null),
    overwritePolicy: z.boolean().default(false).meta({
      description: 'the policy in the file is meant, whatever was changed since it was read',
    }),
  })
  .meta({ id: 'ReloadOrder' });
export type ReloadOrderView = z.output<typeof reloadOrderSchema>;
export type ReloadOrderInput = z.input<typeof reloadOrderSchema>;

/** Another configuration is in force on every lane. */
export const reloadedSchema = z
  .object({
    configRevision: z.string(),
    policyRevision: z.string(),
    loadedAt: time,
    tookMs: z.int().min(0).meta({ description: 'from the first look into the file' }),
    warnings: z.array(configProblem),
  })
  .meta({ id: 'Reloaded' });
export type Reloaded = z.infer<typeof reloadedSchema>;

/** A port that the gateway listens on. `tls`: `implicit` from the first byte, or by STARTTLS. */
const listener = z.object({
  name: z.string(),
  address: z.string(),
  port: z.int().min(0).max(65_535),
  tls: z.enum(['starttls', 'implicit', 'none']),
});

/** The running gateway. `defaultSender` is what `send` uses without `--from`; null where no mailbox speaks for the gateway. */
export const statusSchema = z
  .object({
    version: z.string(),
    hostName: z.string(),
    processId: z.int(),
    startedAt: time,
    policyRevision: z.string(),
    configRevision: z.string().meta({ description: 'changes with anything in the configuration' }),
    configLoadedAt: time.meta({ description: 'when this configuration was put in force' }),
    warnings: z.array(z.string()).meta({
      description: 'what an administrator should see to, in words: certificates that expire',
    }),
    lastRefusedReload: z
      .object({ at: time, problems: z.array(configProblem) })
      .nullable()
      .meta({ description: 'why the file as it is was not put in force; null where it was' }),
    configFile: z
      .string()
      .nullable()
      .meta({ description: 'null where it runs on the embedded default' }),
    dataFolder: z
      .string()
      .nullable()
      .meta({ description: 'null, as the other things of the gateway, for whom they are not' }),
    defaultSender: z.string().nullable(),
    listeners: z.array(listener),
    queue: z.object({ queued: z.int().min(0), held: z.int().min(0) }).meta({
      description:
        'of the organizations that who asks may see; for those, at most 10000 are counted',
    }),
  })
  .meta({ id: 'Status' });
export type StatusView = z.infer<typeof statusSchema>;

const cameForced = mayBeAbsent(z.boolean()).meta({
  description: 'it came under TLS that was demanded; absent in mail from before that was recorded',
});

const source: z.ZodType<MessageSource> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('mx'),
    inboundConnectors: z.array(z.string()),
    ownServer: mayBeAbsent(z.string()),
    isForced: cameForced,
  }),
  z.object({
    kind: z.literal('organization'),
    organization: z.string(),
    inboundConnectors: z.array(z.string()),
    isForced: cameForced,
  }),
  z.object({ kind: z.literal('submission'), account: z.string() }),
  z.object({
    kind: z.literal('dsn'),
    about: z.string(),
    isRehearsal: mayBeAbsent(z.literal(true)).meta({ description: 'the answer to a rehearsal' }),
  }),
]);

const outcomeView = z
  .object({
    kind: z.enum(['delivered', 'deferred', 'bounced', 'held']),
    cause: z.string().nullable(),
    status: z.string().meta({ description: 'enhanced status code', examples: ['4.7.5'] }),
    reason: z.string(),
    reply: z.string().nullable().meta({ description: 'what the other server answered' }),
    remoteMta: z
      .object({ hostName: z.string(), address: z.string().nullable(), port: z.int() })
      .nullable(),
    at: time,
  })
  .meta({ id: 'Outcome' });

/** One delivery of a queued message: the recipients that share a next hop. */
export const queueRowSchema = z
  .object({
    id: z.string().meta({ description: 'queue id; `postern trace` takes it' }),
    ordinal: z.int().min(0),
    organization: z.string(),
    state: z.enum(['queued', 'held']),
    from: reversePath,
    recipients: z.array(z.string()),
    source,
    sizeBytes: z.int().min(0),
    receivedAt: time,
    dueAt: time.nullable().meta({ description: 'next attempt; null while held' }),
    attempts: z.int().min(0),
    routeKey: z.string(),
    clauses: z
      .array(z.string())
      .meta({ description: 'what TLS must be, in words; empty where nothing is forced' }),
    lastOutcome: outcomeView.nullable(),
  })
  .meta({ id: 'QueueRow' });
export type QueueRowView = z.infer<typeof queueRowSchema>;

export const queueListSchema = z
  .object({
    rows: z.array(queueRowSchema),
    limit: z.int(),
    next: z.string().nullable().meta({ description: 'give it as after to go on; null: the end' }),
  })
  .meta({ id: 'QueueList' });
export type QueueListView = z.infer<typeof queueListSchema>;

/** `content` is the whole message, header and body, CRLF line ends, in base64. */
export const submitSchema = z
  .strictObject({
    from: reversePath,
    to: z.array(address).max(submittedRecipientsMax),
    recipientsFromHeader: z
      .boolean()
      .optional()
      .meta({ description: 'To, Cc and Bcc of the message name recipients too' }),
    defaultDomain: z
      .string()
      .max(255)
      .refine((text) => parseDomain(text) === text, 'is not a domain in lower-case A-labels')
      .optional()
      .meta({
        description:
          'of recipients in the header without a domain, as in "To: root"; without it they are refused',
      }),
    notify: z
      .array(z.enum(['success', 'failure', 'delay']))
      .optional()
      .meta({ description: 'which DSNs are wanted; empty for none' }),
    dsn: z
      .strictObject({
        ret: z.enum(['full', 'headers']).nullable(),
        envelopeId: z.string().max(100).nullable(),
      })
      .optional(),
    content: z.base64().meta({ description: 'the message as in RFC 5322, in base64' }),
  })
  .refine(({ to, recipientsFromHeader }) => to.length > 0 || recipientsFromHeader === true, {
    path: ['to'],
    message: 'names no recipient',
  })
  .meta({ id: 'Submission' });
export type Submission = z.infer<typeof submitSchema>;

export const submittedSchema = z.object({ id: z.string() }).meta({ id: 'Submitted' });
export type Submitted = z.infer<typeof submittedSchema>;

/**
 * A hypothetical message. Without `clientAddress` a client that no connector names is supposed,
 * without `heloName` one that greets with the sender's domain.
 */
export const explainQuestionSchema = z
  .strictObject({
    from: reversePath,
    to: address,
    clientAddress: z
      .union([z.ipv4().meta({ format: 'ipv4' }), z.ipv6().meta({ format: 'ipv6' })])
      .nullable()
      .default(null),
    heloName: z.string().min(1).max(255).nullable().default(null),
    encryption: z.enum(['none', 'TLSv1.2', 'TLSv1.3']).default('TLSv1.3'),
    clientCertificate: z
      .string()
      .max(certificatePemLengthMax)
      .nullable()
      .default(null)
      .meta({ description: 'PEM, the leaf first, then intermediates; null shows none' }),
    ...messageQuestion,
  })
  .meta({ id: 'ExplainQuestion' });
export type ExplainQuestion = z.output<typeof explainQuestionSchema>;

/** What an inbound session is answered; `reply` null where it is accepted. */
const inboundAnswer = z
  .object({
    kind: z.enum(['accept', 'refuse']),
    organization: z.string().nullable(),
    origin: z
      .object({
        kind: z.enum(['originating', 'incoming']),
        connector: z.string().nullable(),
        by: z.enum(['account', 'certificate', 'address']).nullable(),
      })
      .nullable()
      .meta({ description: 'whose the session is; null where it is refused' }),
    connectors: z.array(z.string()).meta({ description: 'connectors that were met' }),
    shadow: z
      .array(shadowOutcomeSchema)
      .meta({ description: 'what connectors that warn or observe would have said' }),
    reply: z.string().nullable(),
    repliedAt: z
      .enum(['rcpt', 'content'])
      .nullable()
      .meta({ description: 'to what the reply is: RCPT, or the content for what From says' }),
    reason: z.string().nullable(),
    considered: z.array(consideredSchema),
    evidence: evidenceSchema,
    existence: z
      .enum(['mailbox', 'alias', 'listed', 'postmaster', 'any', 'verify', 'unknown', 'not-ours'])
      .meta({
        description:
          'what the recipient is; `verify`: the server that keeps it is asked, which explain does not do',
      }),
  })
  .meta({ id: 'InboundAnswer' });

/** What an alias, the catch-all or postmaster becomes: each final recipient with its own decision. */
const expansion = z
  .object({
    via: z.enum(['alias', 'catch-all', 'postmaster']),
    name: z.string(),
    to: z.array(z.object({ address: z.string(), outbound: outboundDecisionSchema })),
  })
  .meta({ id: 'Expansion' });

/**
 * `inbound` is null for mail that leaves; `outbound` null for mail that is refused, and for aliases,
 * where `expansion` says what each final recipient gets. `rules` null where there are none, or none
 * are asked; whom they sent the message to besides is in their `parts`.
 */
export const explainAnswerSchema = z
  .object({
    formatVersion: z.literal(1),
    policyRevision: z.string(),
    question: z.object({
      from: z.string().nullable(),
      to: z.string(),
      clientAddress: z.string(),
      heloName: z.string(),
      encryption: z.enum(['none', 'TLSv1.2', 'TLSv1.3']),
      headers: z.array(z.string()),
      sizeBytes: z.int().nullable(),
    }),
    direction: z.enum(['inbound', 'outbound']),
    inbound: inboundAnswer.nullable(),
    rules: explainedRulesSchema.nullable(),
    outbound: z.union([outboundDecisionSchema, z.null()]),
    expansion: expansion.nullable(),
    notes: z.array(z.string()),
  })
  .meta({ id: 'ExplainAnswer' });
export type ExplainAnswer = z.infer<typeof explainAnswerSchema>;

/** One event of a trace. Its other fields depend on `kind`; `report/trace-event.ts` has them all. */
const traceEvent = z.looseObject({
  formatVersion: z.literal(1),
  kind: z.string(),
  id: z.string(),
  at: z.string(),
}) as unknown as z.ZodType<TraceEvent>;

/** The trace of one message or refusal, its events in order of time. */
export const traceViewSchema: z.ZodType<TraceView> = z
  .object({
    formatVersion: z.literal(1),
    id: z.string().nullable(),
    events: z.array(traceEvent),
    recipients: z.array(recipientStateSchema),
  })
  .meta({ id: 'Trace' });
export type { TraceView };
