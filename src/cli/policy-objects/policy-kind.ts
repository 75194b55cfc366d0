/** The kinds of policy objects that both spellings of the command line work on, and where their schema is. */
import type { z } from 'zod';
import {
  inboundConnectorSection,
  outboundConnectorSection,
} from '../../config/schema-connectors.ts';
import { acceptedDomainSection } from '../../config/schema-organization.ts';
import { ruleSection } from '../../config/schema-rules.ts';

export type PolicyKindName =
  'inbound-connector' | 'outbound-connector' | 'accepted-domain' | 'rule';

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

export const policyKinds: Readonly<Record<PolicyKindName, PolicyKind>> = {
  'inbound-connector': {
    kind: 'inbound-connector',
    section: 'organizations[].inboundConnectors[]',
    schema: inboundConnectorSection,
    nameKey: 'name',
    words: 'inbound connector',
    noun: 'InboundConnector',
    hasSwitch: true,
  },
  'outbound-connector': {
    kind: 'outbound-connector',
    section: 'organizations[].outboundConnectors[]',
    schema: outboundConnectorSection,
    nameKey: 'name',
    words: 'outbound connector',
    noun: 'OutboundConnector',
    hasSwitch: true,
  },
  'accepted-domain': {
    kind: 'accepted-domain',
    section: 'organizations[].acceptedDomains[]',
    schema: acceptedDomainSection,
    nameKey: 'domain',
    words: 'accepted domain',
    noun: 'AcceptedDomain',
    hasSwitch: false,
  },
  rule: {
    kind: 'rule',
    section: 'organizations[].rules[]',
    schema: ruleSection,
    nameKey: 'name',
    words: 'rule',
    noun: 'TransportRule',
    hasSwitch: true,
  },
};
