/** What `/v1/domains` gives: accepted domains, whose they are proven to be, and what to publish. */
import { z } from 'zod';
import { parseDomain } from '../../mail/domain.ts';
import { time } from './time.ts';

const look = z.object({
  at: time,
  result: z.enum(['proven', 'absent', 'other-token', 'no-such-domain', 'no-answer']),
  text: z.string().meta({ description: 'what was found, in words' }),
});

/** `not-needed`: nobody asks for a proof, by the configuration or by the name itself. */
export const domainSchema = z
  .object({
    domain: z.string(),
    organization: z.string(),
    type: z.enum(['Authoritative', 'InternalRelay']),
    state: z.enum(['proven', 'unproven', 'not-needed']).meta({
      description: 'mail for `unproven` domains is put off with 450',
    }),
    text: z.string().meta({ description: 'the state and its reason, in words' }),
    provenAt: time.nullable(),
    record: z
      .object({ name: z.string(), type: z.literal('TXT'), text: z.string() })
      .nullable()
      .meta({ description: 'what proves it; null where nothing is to be published' }),
    lastLook: look.nullable().meta({ description: 'since the start or the last reload' }),
    nextLookAt: time.nullable(),
    whatToDo: z.string().nullable(),
  })
  .meta({ id: 'Domain' });
export type DomainView = z.infer<typeof domainSchema>;

/** In the order of the configuration. */
export const domainListSchema = z
  .object({
    formatVersion: z.literal(1),
    domainVerification: z.enum(['txt', 'off']),
    domains: z.array(domainSchema),
  })
  .meta({ id: 'DomainList' });
export type DomainListView = z.infer<typeof domainListSchema>;

/** A domain in any spelling. */
export const domainParamSchema = z.object({
  domain: z
    .string()
    .max(255)
    .refine((text) => parseDomain(text) !== null, 'is no domain name'),
});
