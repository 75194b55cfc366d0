/** Validation of outbound connectors in the API: what is asked, what is told live, what is kept; and alarms. */
import { z } from 'zod';
import { parseAddress } from '../../mail/address.ts';
import { mends } from '../../policy/validation/causes.ts';
import type { ValidationCause } from '../../policy/validation/causes.ts';
import { validationRecipientsMax } from '../../policy/validation/run.ts';
import type { ValidationRun, ValidationStep } from '../../policy/validation/run.ts';
import { evidenceSchema } from '../decision-schema.ts';
import { time } from './time.ts';

const address = z
  .string()
  .max(320)
  .refine((text) => parseAddress(text) !== null, 'is no address')
  .meta({ description: 'local-part@domain' });

const reversePath = z
  .string()
  .max(320)
  .refine((text) => text === '<>' || parseAddress(text) !== null, 'is no address, nor <>');

/** A connector of an organization, as paths name it. */
export const connectorParamSchema = z.object({
  organization: z.string().min(1).max(64),
  name: z.string().min(1).max(64),
});

/** `id` is a run's. */
export const validationParamSchema = connectorParamSchema.extend({ id: z.string().max(64) });

/** What `POST …/validate` takes; everything may be left out. */
export const validationOrderSchema = z
  .strictObject({
    recipients: z.array(address).max(validationRecipientsMax).optional().meta({
      description:
        "addresses to test with; absent: the connector's validationRecipients; none: only up to TLS, and nothing is sent",
    }),
    draft: z.record(z.string(), z.unknown()).nullable().default(null).meta({
      description:
        'a value of the connector as it would be put in force; null: the one in force. Nothing is changed',
    }),
    from: address.nullable().default(null).meta({
      description:
        "sender in the header, in a domain of the organization; null: Exchange's O365ConnectorValidation@ the first domain",
    }),
    reversePath: reversePath
      .default('<>')
      .meta({ description: 'sender of the envelope, in a domain of the organization, or <>' }),
    subject: z
      .string()
      .min(1)
      .max(200)
      .nullable()
      .default(null)
      .meta({ description: "null: Exchange's" }),
    stopBefore: z
      .enum(['data'])
      .nullable()
      .default(null)
      .meta({ description: '`data`: MAIL and RCPT, and no message' }),
    by: z.string().min(1).max(100).default('administrator (API)'),
  })
  .meta({ id: 'ValidationOrder' });
export type ValidationOrderInput = z.input<typeof validationOrderSchema>;
export type ValidationOrderView = z.output<typeof validationOrderSchema>;

const family = z.enum(['IPv4', 'IPv6']);
const state = z.enum(['succeeded', 'failed', 'skipped']);
const result = z.enum(['succeeded', 'partial', 'failed']).meta({
  description: '`partial`: mail would pass, by some of the hosts',
});
const scope = z.enum(['connection', 'recipients', 'message']).meta({
  description: 'how far it was to go: TLS alone, RCPT, or the test message',
});

const stepNames = [
  'cover',
  'resolve',
  'connect',
  'banner',
  'ehlo',
  'starttls',
  'handshake',
  'chain',
  'expiry',
  'revocation',
  'pin',
  'name',
  'tls-ehlo',
  'verdict',
  'mail',
  'rcpt',
  'message',
] as const;

/** One step, told live and kept. */
export const validationStepSchema: z.ZodType<ValidationStep> = z
  .object({
    kind: z.literal('step'),
    host: z.string().nullable(),
    address: z.string().nullable(),
    family: family.nullable(),
    recipient: z.string().nullable(),
    step: z.enum(stepNames),
    state,
    startedAt: time,
    tookMs: z.number(),
    text: z.string(),
  })
  .meta({ id: 'ValidationStep' });

const causes = Object.keys(mends) as [ValidationCause, ...ValidationCause[]];

/** Something that stands in the way. */
export const findingSchema = z
  .object({
    cause: z.enum(causes),
    host: z.string().nullable(),
    address: z.string().nullable(),
    recipient: z.string().nullable(),
    status: z.string().nullable(),
    what: z.string(),
    mend: z.string(),
    exchangeText: z.string().nullable(),
  })
  .meta({ id: 'ValidationFinding' });

/** One host at one of its addresses. */
export const hostVerdictSchema = z.object({
  host: z.string(),
  address: z.string().nullable(),
  family: family.nullable(),
  port: z.int(),
  state,
  met: z.array(z.string()),
  text: z.string(),
  evidence: z.union([evidenceSchema, z.null()]),
  chain: z.array(z.string()),
});

/** Each once, whatever host showed it. */
export const seenCertificates = z.array(z.object({ fingerprint256: z.string(), pem: z.string() }));

/** A whole run. */
export const validationRunSchema: z.ZodType<ValidationRun> = z
  .object({
    formatVersion: z.literal(1),
    id: z.string(),
    organization: z.string(),
    connector: z.string(),
    isDraft: z.boolean(),
    policyRevision: z.string(),
    startedAt: time,
    endedAt: time,
    asked: z.object({
      scope,
      recipients: z.array(z.string()),
      reversePath: z.string().nullable(),
      from: z.string().nullable(),
      subject: z.string().nullable(),
    }),
    result,
    summary: z.string(),
    findings: z.array(findingSchema),
    steps: z.array(validationStepSchema),
    hosts: z.array(hostVerdictSchema),
    transcripts: z.array(
      z.object({
        host: z.string(),
        address: z.string(),
        port: z.int(),
        purpose: z.enum(['check', 'message']),
        lines: z.array(z.string()),
      }),
    ),
    certificates: seenCertificates,
  })
  .meta({ id: 'ValidationRun' });

/** The query of `GET …/validations`; `before` is the `next` of the answer before. */
export const validationQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  before: z.string().max(64).optional(),
});
export type ValidationQueryInput = z.input<typeof validationQuerySchema>;
export type ValidationQuery = z.output<typeof validationQuerySchema>;

/** `isValidated` and the time are of what is in force: a change of routing, TLS or names clears them. */
export const validationListSchema = z
  .object({
    formatVersion: z.literal(1),
    organization: z.string(),
    connector: z.string(),
    isValidated: z.boolean(),
    lastValidationTimestamp: time.nullable(),
    validationRecipients: z.array(z.string()),
    runs: z.array(
      z.object({
        id: z.string(),
        isDraft: z.boolean(),
        trigger: z.enum(['order', 'schedule']),
        orderedBy: z.string(),
        startedAt: time,
        endedAt: time,
        policyRevision: z.string(),
        scope,
        recipients: z.array(z.string()),
        result,
        summary: z.string(),
      }),
    ),
    next: z.string().nullable().meta({ description: 'null where there are no more' }),
  })
  .meta({ id: 'ValidationList' });
export type ValidationListView = z.infer<typeof validationListSchema>;

/** The query of `GET /v1/alarms`. */
export const alarmQuerySchema = z.object({ organization: z.string().max(64).optional() });
export type AlarmQuery = z.output<typeof alarmQuerySchema>;

/** What is wrong now and nobody may have noticed; oldest first. */
export const alarmListSchema = z
  .object({
    formatVersion: z.literal(1),
    alarms: z.array(
      z.object({
        code: z.enum(['connector-validation-failed', 'connector-certificate-changed']),
        organization: z.string(),
        object: z.string().meta({ description: '`outbound-connector/` and its name' }),
        since: time,
        text: z.string(),
        whatToDo: z.string(),
      }),
    ),
  })
  .meta({ id: 'AlarmList' });
export type AlarmListView = z.infer<typeof alarmListSchema>;
