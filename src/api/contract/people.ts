/** People, their roles, and how they are invited: what `/v1/people` and `/v1/invitations` take and give. */
import { z } from 'zod';
import { judgeGrant, roles } from '../../identity/permissions.ts';
import { time } from './time.ts';

/** What is signed in with: in lower case, so that two people do not differ by a capital alone. */
export const personName = z
  .string()
  .max(128)
  .transform((text) => text.toLowerCase())
  .pipe(z.string().regex(/^[a-z0-9][a-z0-9._@+-]*$/, 'is no name: letters, digits and . _ @ + -'))
  .meta({ examples: ['ada@contoso.com'] });

export const grantSchema = z
  .strictObject({
    role: z.enum(roles),
    organization: z.string().min(1).max(64).nullable().meta({
      description: 'the id of the organization that it is for; null: the whole gateway',
    }),
  })
  .superRefine((grant, context) => {
    const problem = judgeGrant(grant);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({ id: 'Grant' });
export type GrantView = z.output<typeof grantSchema>;

const grants = z.array(grantSchema).max(200);
const displayName = z.string().trim().min(1).max(200).nullable();
const subject = z
  .string()
  .min(1)
  .max(255)
  .nullable()
  .meta({ description: "the person's `sub` at the provider of OpenID Connect; null: none" });
const reason = z.string().trim().min(1).max(500).nullable().default(null);

export const personSchema = z
  .object({
    name: z.string(),
    displayName: z.string().nullable(),
    isEnabled: z.boolean(),
    grants: z.array(z.object({ role: z.string(), organization: z.string().nullable() })),
    hasPassword: z.boolean(),
    hasSecondFactor: z.boolean(),
    recoveryCodesLeft: z.int().min(0),
    oidc: z.object({ issuer: z.string(), subject: z.string() }).nullable(),
    createdAt: time,
    lastSignedInAt: time.nullable(),
    sessions: z.int().min(0).meta({ description: 'that are open now' }),
  })
  .meta({ id: 'Person' });
export type PersonView = z.infer<typeof personSchema>;

export const peopleSchema = z
  .object({ formatVersion: z.literal(1), people: z.array(personSchema) })
  .meta({ id: 'People' });
export type PeopleView = z.infer<typeof peopleSchema>;

export const personParamSchema = z.object({ name: personName });

export const personAddSchema = z
  .strictObject({
    name: personName,
    displayName: displayName.default(null),
    grants: grants.default([]),
    oidcSubject: subject.default(null),
    reason,
  })
  .meta({ id: 'PersonAdd' });
export type PersonAdd = z.output<typeof personAddSchema>;
export type PersonAddInput = z.input<typeof personAddSchema>;

/** What is absent stays as it is. */
export const personChangeSchema = z
  .strictObject({
    displayName: displayName.optional(),
    isEnabled: z.boolean().optional(),
    grants: grants.optional().meta({ description: 'in the place of those before' }),
    oidcSubject: subject.optional(),
    secondFactor: z
      .literal(null)
      .optional()
      .meta({ description: 'null takes the authenticator and the recovery codes away' }),
    password: z.string().max(1024).nullable().optional().meta({
      description: 'null: there is none, and no signing in with one',
    }),
    reason,
  })
  .meta({ id: 'PersonChange' });
export type PersonChangeOrder = z.output<typeof personChangeSchema>;
export type PersonChangeInput = z.input<typeof personChangeSchema>;

/** `person` null: whoever accepts it becomes the first administrator, while there is nobody. */
export const inviteSchema = z
  .strictObject({ person: personName.nullable() })
  .meta({ id: 'Invite' });
export type Invite = z.output<typeof inviteSchema>;

export const invitationSchema = z
  .object({
    person: z.string().nullable(),
    secret: z.string().meta({ description: 'shown this once; an earlier one no longer counts' }),
    url: z.string().nullable().meta({ description: 'null where there is no HTTPS listener' }),
    expiresAt: time,
  })
  .meta({ id: 'Invitation' });
export type InvitationView = z.infer<typeof invitationSchema>;

export const acceptanceSchema = z
  .strictObject({
    secret: z.string().max(100),
    name: personName.nullable().default(null).meta({
      description: 'of the first administrator; null for everybody else, whose name is known',
    }),
    password: z.string().max(1024),
  })
  .meta({ id: 'Acceptance' });
export type Acceptance = z.output<typeof acceptanceSchema>;

export const acceptedSchema = z.object({ name: z.string() }).meta({ id: 'Accepted' });
