/** What the API takes and gives of the policy: objects, changes of them, revisions. */
import { z } from 'zod';
import { findNearest } from '../../config/nearest.ts';
import { kindOf, kindsInOrganization, kindsOfGateway } from '../../config/policy-object.ts';
import type { ObjectKind } from '../../config/policy-object.ts';
import { schemaKeys } from '../../config/schema-walk.ts';
import { configProblem, objectKeySchema } from './config-problem.ts';
import { time } from './time.ts';

const nameLengthMax = 320;

/** Letters of `inbound-connector` as a name of schemas and operations: `InboundConnector`. */
export function pascalCase(kind: ObjectKind): string {
  return kind.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The value of an object of this kind: what stands in the YAML file for it, without defaults. */
export function valueSchemaOf(kind: ObjectKind) {
  const { list, namedBy } = kindOf(kind);
  const holder = kindsOfGateway.some((each) => each.kind === kind) ? '' : 'organizations[].';
  const section = `${holder}${list}${namedBy === null ? '.<name>' : '[]'}`;
  const lists = new Set(kindsInOrganization.map((each) => each.list));
  const own = schemaKeys.filter(
    (key) => key.section === section && !(kind === 'organization' && lists.has(key.key)),
  );
  const shape = own.map(({ key, meta, fallback }) => {
    const { description, form, absent } = meta;
    const written = form === undefined ? '' : ` Form: ${form}.`;
    const left = absent === undefined ? '' : ` Left out: ${absent}.`;
    const known = fallback === undefined || fallback === null ? {} : { default: fallback };
    const about = { description: `${description}${written}${left}`, ...known };
    return [key, z.unknown().optional().meta(about)] as const;
  });
  const description = `${kindOf(kind).words}: the keys of docs/config.md under ${section}; unknown keys are refused`;
  const known = own.map(({ key }) => key);
  const error = (issue: z.core.$ZodRawIssue): string | undefined =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey(key, known)).join('; ')
      : undefined;
  return z
    .strictObject(Object.fromEntries(shape), { error })
    .meta({ id: pascalCase(kind), description });
}

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = findNearest(key, known);
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  return `unknown key ${JSON.stringify(key)}${hint}`;
}

const anyValue = z.record(z.string(), z.unknown());

/** One object as it is. `etag` goes into If-Match. */
export const objectViewSchema = z
  .object({
    ...objectKeySchema.shape,
    value: anyValue.meta({
      description: 'as in a file, without defaults; secrets as placeholders',
    }),
    place: z.int().min(0).meta({ description: 'among its like; rules act in this order' }),
    revision: z.int().min(1).meta({ description: 'that wrote it last' }),
    etag: z.string(),
    changedAt: time,
    changedBy: z.string(),
  })
  .meta({ id: 'PolicyObject' });
export type ObjectView = z.infer<typeof objectViewSchema>;

export const objectListSchema = z
  .object({
    formatVersion: z.literal(1),
    revision: z.int().min(0).meta({ description: 'of the policy; 0 before the first' }),
    objects: z.array(objectViewSchema),
    next: z.string().nullable().meta({ description: 'give it as after to go on; null is the end' }),
  })
  .meta({ id: 'PolicyObjectList' });
export type ObjectListView = z.infer<typeof objectListSchema>;

export const objectListQuerySchema = z.object({
  name: z.string().max(nameLengthMax).optional().meta({ description: 'part of the name' }),
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
  after: z
    .string()
    .max(30)
    .regex(/^-?\d+(\.\d+)?(e[-+]\d+)?$/, 'is no cursor of ours')
    .optional(),
});
export type ObjectListQuery = z.output<typeof objectListQuerySchema>;

const reason = z.string().trim().min(1).max(500).meta({
  description: 'why the policy is to ask for less; a change that does is refused without',
});
const place = z.int().min(0).max(100_000);

/** Of every route that changes the policy. */
export const changeQuerySchema = z.object({
  dryRun: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'only say what would change, what it would ask less, and what is wrong' }),
  reason: reason.optional(),
});

/** Also where the object is to stand. */
export const placedQuerySchema = changeQuerySchema.extend({
  place: z.coerce.number().pipe(place).optional().meta({
    description: 'from 0, among its like; else it stays, or is the last',
  }),
});

export const removalQuerySchema = changeQuerySchema.extend({
  withContents: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'of an organization: also everything in it' }),
});

/** `If-Match` holds etags or `*`; `If-None-Match: *` makes an object and changes none. */
export const preconditionHeaders = z.object({
  'if-match': z.string().max(500).optional(),
  'if-none-match': z.literal('*').optional(),
});

const expect = z
  .string()
  .max(100)
  .default('any')
  .meta({ description: '`any`, `absent`, `present`, or an etag' });

/** One of the changes of an order. */
export const objectChangeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['put', 'patch']),
    object: objectKeySchema,
    value: anyValue,
    place: place.nullable().default(null),
    expect,
  }),
  z.strictObject({
    kind: z.literal('remove'),
    object: objectKeySchema,
    withContents: z.boolean().default(false),
    expect,
  }),
]);

/** Many changes, all or none, in their order. */
export const changesOrderSchema = z
  .strictObject({
    changes: z.array(objectChangeSchema).max(20_000),
    atRevision: z.int().min(0).nullable().default(null).meta({
      description: 'what the policy was when they were worked out: refused where it is another',
    }),
    reason: reason.nullable().default(null),
    dryRun: z.boolean().default(false),
  })
  .meta({ id: 'PolicyChanges' });
export type ChangesOrder = z.output<typeof changesOrderSchema>;
export type ChangesOrderInput = z.input<typeof changesOrderSchema>;

/** What is different in one object. */
export const objectDifferenceSchema = z
  .object({
    object: objectKeySchema,
    kind: z.enum(['added', 'changed', 'moved', 'removed']),
    keys: z
      .array(
        z.object({
          key: z.string(),
          before: z.unknown().optional(),
          after: z.unknown().optional(),
        }),
      )
      .meta({ description: 'the keys that differ; absent where it is not set' }),
  })
  .meta({ id: 'ObjectDifference' });
export type ObjectDifference = z.infer<typeof objectDifferenceSchema>;

/** What a change did, or would do. */
export const changedSchema = z
  .object({
    formatVersion: z.literal(1),
    kind: z.enum(['changed', 'would-change', 'unchanged']),
    revision: z.int().min(0).meta({ description: 'of the policy in force now' }),
    policyRevision: z.string().meta({
      description: 'as decision records name the policy; of a dry run: that there would be',
    }),
    differences: z.array(objectDifferenceSchema),
    weaker: z.array(z.string()).meta({ description: 'what it asks less than before, in words' }),
    warnings: z.array(configProblem),
    object: objectViewSchema
      .nullable()
      .meta({ description: 'as it is now; null for many, a removal, or a dry run' }),
  })
  .meta({ id: 'PolicyChanged' });
export type ChangedView = z.infer<typeof changedSchema>;

/** One revision: who changed the policy, when, how and why. */
export const revisionSchema = z
  .object({
    revision: z.int().min(1),
    at: time,
    by: z.string(),
    origin: z.enum(['file', 'change', 'rollback']),
    reason: z.string().nullable(),
  })
  .meta({ id: 'Revision' });
export type RevisionView = z.infer<typeof revisionSchema>;

export const revisionListQuerySchema = z.object({
  before: z.coerce.number().int().min(1).optional().meta({ description: 'only older ones' }),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
});

export const revisionListSchema = z
  .object({ formatVersion: z.literal(1), revisions: z.array(revisionSchema) })
  .meta({ id: 'RevisionList' });
export type RevisionListView = z.infer<typeof revisionListSchema>;

export const revisionDetailSchema = revisionSchema
  .extend({ formatVersion: z.literal(1), differences: z.array(objectDifferenceSchema) })
  .meta({ id: 'RevisionDetail' });
export type RevisionDetail = z.infer<typeof revisionDetailSchema>;

export const diffQuerySchema = z.object({
  from: z.coerce.number().int().min(0),
  to: z.coerce.number().int().min(0).optional().meta({ description: 'the newest where absent' }),
});

export const diffSchema = z
  .object({
    formatVersion: z.literal(1),
    from: z.int(),
    to: z.int(),
    differences: z.array(objectDifferenceSchema),
  })
  .meta({ id: 'PolicyDiff' });
export type DiffView = z.infer<typeof diffSchema>;

/** `objects` null: everything as it was then. */
export const rollbackOrderSchema = z
  .strictObject({
    objects: z.array(objectKeySchema).min(1).max(1000).nullable().default(null),
    reason: reason.nullable().default(null),
    dryRun: z.boolean().default(false),
  })
  .meta({ id: 'Rollback' });
export type RollbackOrder = z.output<typeof rollbackOrderSchema>;

/** Since when decisions named a policy so, and of which revision it was. */
export const inForceListSchema = z
  .object({
    formatVersion: z.literal(1),
    policyRevision: z.string(),
    inForce: z.array(z.object({ since: time, revision: z.int().min(0) })),
  })
  .meta({ id: 'InForce' });
export type InForceList = z.infer<typeof inForceListSchema>;

/** The whole policy in the words of a file, secrets left out. */
export const policyDocumentSchema = z
  .object({
    formatVersion: z.literal(1),
    revision: z.int().min(0),
    policy: z.object({
      certificates: z.record(z.string(), anyValue).optional(),
      organizations: z.array(anyValue),
    }),
  })
  .meta({ id: 'PolicyDocument' });
export type PolicyDocument = z.infer<typeof policyDocumentSchema>;

export const organizationParam = z.object({ organization: z.string().min(1).max(63) });
export const objectParam = organizationParam.extend({
  name: z.string().min(1).max(nameLengthMax),
});
export const nameParam = z.object({ name: z.string().min(1).max(nameLengthMax) });
export const revisionParam = z.object({ revision: z.coerce.number().int().min(1) });
