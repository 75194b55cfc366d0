/** `POST …/outbound-connectors/{name}/probe`: the TLS of the hosts that a connector leads to. */
import { z } from 'zod';
import { parseDomain } from '../../mail/domain.ts';
import { tlsSettingNames } from '../../policy/assess-tls.ts';
import { time } from './time.ts';
import { findingSchema, hostVerdictSchema, seenCertificates } from './validation.ts';

export const probeOrderSchema = z
  .strictObject({
    domain: z
      .string()
      .max(253)
      .transform((text, issues) => {
        const domain = parseDomain(text);
        if (domain === null) issues.addIssue({ code: 'custom', message: 'is no domain' });
        return domain ?? '';
      })
      .nullable()
      .default(null)
      .meta({
        description:
          'a domain whose mail takes the connector; null: those that the connector names',
      }),
    by: z.string().min(1).max(100).default('administrator (API)'),
  })
  .meta({ id: 'ProbeOrder' });
export type ProbeOrderInput = z.input<typeof probeOrderSchema>;
export type ProbeOrderView = z.output<typeof probeOrderSchema>;

export const probeSchema = z
  .object({
    formatVersion: z.literal(1),
    organization: z.string(),
    connector: z.string(),
    policyRevision: z.string(),
    startedAt: time,
    endedAt: time,
    findings: z.array(findingSchema).meta({ description: 'against the demands of the connector' }),
    hosts: z.array(
      hostVerdictSchema.extend({
        settings: z
          .array(
            z.object({
              setting: z.enum(tlsSettingNames),
              isMet: z.boolean().nullable().meta({ description: 'null without a name or pin' }),
              problem: z.string().nullable(),
              reason: z.string(),
            }),
          )
          .meta({
            description:
              "what each setting alone would say; the connector's own minVersion, pins and postQuantum are in findings. Empty without TLS to judge",
          }),
      }),
    ),
    certificates: seenCertificates,
  })
  .meta({ id: 'Probe' });
export type ProbeAnswer = z.infer<typeof probeSchema>;
