/** What is in a certificate of the policy; never a key, nor where it lies. */
import { z } from 'zod';
import { certificateFacts } from '../decision-schema.ts';

export const certificateContentsSchema = z
  .object({
    formatVersion: z.literal(1),
    name: z.string(),
    problem: z
      .string()
      .nullable()
      .meta({ description: 'why it cannot be read; null where it can' }),
    certificates: z
      .array(
        z.object({
          ...certificateFacts.shape,
          keyType: z.string().meta({ description: '`ECDSA P-256`' }),
        }),
      )
      .meta({ description: 'in the order of the file: ours first' }),
    keyFits: z.boolean().nullable(),
    trustedBy: z.string().nullable().meta({
      description: 'a known root that the chain leads to, `bundled` or `system`',
    }),
    trustDetail: z.string().meta({ description: 'why it leads to none' }),
    usedBy: z
      .array(z.string())
      .meta({ description: '`listener mx`, `outbound connector partner`' }),
  })
  .meta({ id: 'CertificateContents' });
export type CertificateContentsView = z.infer<typeof certificateContentsSchema>;
