/** The kinds of policy objects that both spellings of the command line work on, and where their schema is. */
import type { z } from 'zod';
import type { ObjectKind } from '../../config/policy-object.ts';
import { kindOf } from '../../config/policy-object.ts';
import {
  inboundConnectorSection,
  outboundConnectorSection,
} from '../../config/schema-connectors.ts';
import { acceptedDomainSection } from '../../config/schema-organization.ts';
import { ruleSection } from '../../config/schema-rules.ts';

export type PolicyKindName = ObjectKind &
  ('inbound-connector' | 'outbound-connector' | 'accepted-domain' | 'rule');

export interface PolicyKind {
  readonly kind: PolicyKindName;
  /** As `schemaKeys` names it. */
  readonly section: string;
  readonly schema: z.ZodType;
  /** The key of the value that names the object. */
  readonly nameKey: string;
  /** In sentences. */
  readonly words: string;
  /** Exchange's noun in cmdlets. */
  readonly noun: string;
  /** Whether it has `enabled`. */
  readonly hasSwitch: boolean;
}

function describe(
  kind: PolicyKindName,
  rest: Pick<PolicyKind, 'schema' | 'noun' | 'hasSwitch'>,
): PolicyKind {
  const { list, namedBy, words } = kindOf(kind);
  return { kind, section: `organizations[].${list}[]`, nameKey: namedBy!, words, ...rest };
}

export const policyKinds: Readonly<Record<PolicyKindName, PolicyKind>> = {
  'inbound-connector': describe('inbound-connector', {
    schema: inboundConnectorSection,
    noun: 'InboundConnector',
    hasSwitch: true,
  }),
  'outbound-connector': describe('outbound-connector', {
    schema: outboundConnectorSection,
    noun: 'OutboundConnector',
    hasSwitch: true,
  }),
  'accepted-domain': describe('accepted-domain', {
    schema: acceptedDomainSection,
    noun: 'AcceptedDomain',
    hasSwitch: false,
  }),
  rule: describe('rule', { schema: ruleSection, noun: 'TransportRule', hasSwitch: true }),
};
