/** API tokens: `/v1/tokens` for administrators, `/v1/account/tokens` for one's own. */
import { z } from 'zod';
import { isForTokens, permissions } from '../../identity/permissions.ts';
import { personName } from './people.ts';
import { time } from './time.ts';

export const tokenDaysMax = 366;
export const tokenDaysDefault = 90;

/** What a token may be given: accounts and tokens are made and changed by people alone. */
export const tokenPermissions = permissions.filter(isForTokens);

const tokenShape = {
  name: z.string().trim().min(1).max(100).meta({ description: 'what it is for' }),
  permissions: z
    .array(z.enum(tokenPermissions))
    .min(1)
    .meta({ description: 'what it may do at most, of what its person may' }),
  organization: z
    .string()
    .min(1)
    .max(64)
    .nullable()
    .default(null)
    .meta({ description: 'the only one that it reaches; null: whichever its person does' }),
  expiresInDays: z.int().min(1).max(tokenDaysMax).default(tokenDaysDefault),
};

export const ownTokenSchema = z.strictObject(tokenShape).meta({ id: 'OwnTokenAdd' });
export type OwnTokenAdd = z.output<typeof ownTokenSchema>;

export const tokenAddSchema = z
  .strictObject({ person: personName, ...tokenShape })
  .meta({ id: 'TokenAdd' });
export type TokenAdd = z.output<typeof tokenAddSchema>;
export type TokenAddInput = z.input<typeof tokenAddSchema>;

export const tokenSchema = z
  .object({
    id: z.string(),
    person: z.string(),
    name: z.string(),
    permissions: z.array(z.string()),
    organization: z.string().nullable(),
    createdAt: time,
    expiresAt: time,
    lastUsedAt: time.nullable().meta({ description: 'to the minute; null: never' }),
  })
  .meta({ id: 'Token' });
export type TokenView = z.infer<typeof tokenSchema>;

export const tokenListSchema = z
  .object({ formatVersion: z.literal(1), tokens: z.array(tokenSchema) })
  .meta({ id: 'TokenList' });
export type TokenListView = z.infer<typeof tokenListSchema>;

export const newTokenSchema = tokenSchema
  .extend({ secret: z.string().meta({ description: 'shown this once' }) })
  .meta({ id: 'NewToken' });
export type NewTokenView = z.infer<typeof newTokenSchema>;

export const tokenParamSchema = z.object({ id: z.string().max(64) });
