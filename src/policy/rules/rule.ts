/**
 * A mail-flow rule as plain data: Exchange's conditions, exceptions and actions that matter here.
 *
 * Conditions are joined by and, the values inside one by or, exceptions by or; all actions apply.
 * @see New-TransportRule
 */
import type { Address } from '../../mail/address.ts';

/** `Enforce` acts; `Audit` only records what it would have done. */
export type RuleMode = 'Enforce' | 'Audit';

/** Which sender an address condition looks at: RFC5322.From, RFC5321.MailFrom, or either. */
export type SenderAddressLocation = 'Header' | 'Envelope' | 'HeaderOrEnvelope';

/** Rules act in the order of their organization's list. */
export interface MailFlowRule {
  /** Unique in the organization, at most 64 characters. */
  readonly name: string;
  readonly enabled: boolean;
  readonly comments: string;
  readonly mode: RuleMode;
  /** It acts from the first to the second (milliseconds since 1970, null: no limit). */
  readonly activationAtMs: number | null;
  readonly expiryAtMs: number | null;
  readonly senderAddressLocation: SenderAddressLocation;
  /** All must hold; none: every message. */
  readonly conditions: readonly RuleCondition[];
  /** None may hold. */
  readonly exceptions: readonly RuleCondition[];
  readonly actions: readonly RuleAction[];
  /** Later rules do not see a message that this one met. */
  readonly stopRuleProcessing: boolean;
  /** Outbound connectors past which the rule's route takes mail without their clauses. */
  readonly overrides: readonly string[];
}

export type Scope = 'InOrganization' | 'NotInOrganization';

/** Where words and patterns are looked for; `header` names one field, lower-case. */
export type TextPlace =
  | { readonly kind: 'subject' }
  | { readonly kind: 'subject-or-body' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'sender-address' }
  | { readonly kind: 'recipient-address' }
  | { readonly kind: 'attachment-name' };

/**
 * Patterns are in Exchange's language, as `pattern.ts` reads it. Domains hold their subdomains.
 * `message-size-over`: this many bytes or more. Extensions lower-case without the dot; types as
 * `application/pdf` or `image/*`. Ranges are canonical CIDR.
 */
export type RuleCondition =
  | { readonly kind: 'from-scope'; readonly scope: Scope }
  | { readonly kind: 'sent-to-scope'; readonly scope: Scope }
  | { readonly kind: 'from'; readonly addresses: readonly Address[] }
  | { readonly kind: 'sent-to'; readonly addresses: readonly Address[] }
  | { readonly kind: 'sender-domain-is'; readonly domains: readonly string[] }
  | { readonly kind: 'recipient-domain-is'; readonly domains: readonly string[] }
  | {
      readonly kind: 'contains-words';
      readonly place: TextPlace;
      readonly words: readonly string[];
    }
  | {
      readonly kind: 'matches-patterns';
      readonly place: TextPlace;
      readonly patterns: readonly string[];
    }
  | { readonly kind: 'message-size-over'; readonly bytes: number }
  | { readonly kind: 'attachment-extension-is'; readonly extensions: readonly string[] }
  | { readonly kind: 'attachment-type-is'; readonly types: readonly string[] }
  | { readonly kind: 'has-no-classification' }
  | { readonly kind: 'has-classification'; readonly classification: string }
  | { readonly kind: 'sender-ip-ranges'; readonly ranges: readonly string[] }
  | { readonly kind: 'received-over-tls'; readonly isOverTls: boolean };

export type RuleAction =
  | { readonly kind: 'route-to-connector'; readonly connector: string }
  | { readonly kind: 'require-tls' }
  | { readonly kind: 'reject'; readonly enhancedStatus: string; readonly text: string }
  | { readonly kind: 'redirect'; readonly to: readonly Address[] }
  | { readonly kind: 'add-recipients'; readonly to: readonly Address[] }
  | { readonly kind: 'blind-copy'; readonly to: readonly Address[] }
  | { readonly kind: 'set-header'; readonly name: string; readonly value: string }
  | { readonly kind: 'remove-header'; readonly name: string }
  | { readonly kind: 'prepend-subject'; readonly text: string }
  | { readonly kind: 'quarantine' }
  | { readonly kind: 'delete' };
