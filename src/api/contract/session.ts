/** Signing in, who somebody is, and the own account: `/v1/sign-in`, `/v1/session`, `/v1/account`. */
import { z } from 'zod';
import { permissions } from '../../identity/permissions.ts';
import { time } from './time.ts';

const password = z.string().max(1024);
const code = z
  .string()
  .max(64)
  .meta({ description: 'six digits of the authenticator, or a recovery code' });

export const signInSchema = z
  .strictObject({ name: z.string().max(320), password, code: code.nullable().default(null) })
  .meta({ id: 'SignIn' });
export type SignInOrder = z.output<typeof signInSchema>;

export const signInWaysSchema = z
  .object({
    password: z.literal(true),
    oidc: z
      .object({ label: z.string() })
      .nullable()
      .meta({ description: 'null where no provider is configured' }),
  })
  .meta({ id: 'SignInWays' });
export type SignInWays = z.infer<typeof signInWaysSchema>;

export const sessionSchema = z
  .object({
    kind: z.enum(['socket', 'session', 'token']),
    name: z.string().nullable().meta({ description: 'null over the socket' }),
    displayName: z.string().nullable(),
    grants: z.array(z.object({ role: z.string(), organization: z.string().nullable() })),
    permissions: z
      .array(
        z.object({
          permission: z.enum(permissions),
          organizations: z
            .array(z.string())
            .nullable()
            .meta({ description: 'where; null: everywhere' }),
        }),
      )
      .meta({ description: 'what may be done; what is not here may not' }),
    hasSecondFactor: z.boolean(),
    expiresAt: time.nullable().meta({ description: 'however it is used; null over the socket' }),
  })
  .meta({ id: 'Session' });
export type SessionView = z.infer<typeof sessionSchema>;

export const passwordChangeSchema = z
  .strictObject({ current: password, password })
  .meta({ id: 'PasswordChange' });
export type PasswordChange = z.output<typeof passwordChangeSchema>;

export const totpStartSchema = z.strictObject({ password }).meta({ id: 'TotpStart' });

/** Counts only when a code of it was given to `confirm`. */
export const totpOfferSchema = z
  .object({
    secret: z.string().meta({ description: 'base 32, to be typed into an app' }),
    uri: z.string().meta({ description: 'the same, for a QR code' }),
  })
  .meta({ id: 'TotpOffer' });
export type TotpOffer = z.infer<typeof totpOfferSchema>;

export const totpConfirmSchema = z.strictObject({ code }).meta({ id: 'TotpConfirm' });

export const recoveryCodesSchema = z
  .object({ recoveryCodes: z.array(z.string()) })
  .meta({ id: 'RecoveryCodes', description: 'shown this once; each is good for one sign-in' });
export type RecoveryCodes = z.infer<typeof recoveryCodesSchema>;

export const totpRemoveSchema = z.strictObject({ password, code }).meta({ id: 'TotpRemove' });
export type TotpRemove = z.output<typeof totpRemoveSchema>;
