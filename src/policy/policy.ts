/**
 * The policy value: everything an administrator configured that decides about mail, as plain data.
 *
 * One immutable snapshot per revision; it crosses process boundaries by structured clone. A
 * transaction keeps the snapshot that it had at MAIL FROM.
 * @see New-InboundConnector, New-OutboundConnector, New-AcceptedDomain for the Exchange names
 */
import type { Address } from '../mail/address.ts';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import type { MailFlowRule } from './rules/rule.ts';

/** `revision` names this snapshot in decision records: hex, derived from the configuration's text. */
export interface Policy {
  readonly formatVersion: 1;
  readonly revision: string;
  /** Our own name in EHLO, greeting, Received and as reporting MTA. */
  readonly hostName: string;
  readonly organizations: readonly Organization[];
}

/** A tenant: its domains, mailboxes and connectors. `id` is stable; `name` is for people. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly acceptedDomains: readonly AcceptedDomain[];
  readonly mailboxes: readonly Mailbox[];
  readonly aliases: readonly Alias[];
  readonly deliveryTargets: readonly DeliveryTarget[];
  /** What ends the local-part proper: with `+`, `ann+news@…` is `ann@…`; null where it has no meaning. */
  readonly addressExtension: string | null;
  readonly inboundConnectors: readonly InboundConnector[];
  readonly outboundConnectors: readonly OutboundConnector[];
  /** In the order in which they act. */
  readonly rules: readonly MailFlowRule[];
  readonly defaultConnector: DefaultConnector;
  /** From of DSNs that we write; null is postmaster@ of the first proven domain. */
  readonly postmaster: Address | null;
  /** Where other servers try how their mail reaches us: judged, answered, and kept by nobody; null: none. */
  readonly rehearsalAddress: Address | null;
  /** Refuse our own domain as MAIL FROM on the MX port where no connector matches (5.7.68). */
  readonly rejectDirectSend: boolean;
  readonly retry: RetrySchedule;
  readonly delayNotices: DelayNotices;
}

/** `authoritative`: unknown recipients refused. `internal-relay`: unknown ones go out by connector. */
export interface AcceptedDomain {
  readonly domain: string;
  /** Its owner showed by DNS that it is its, or nobody asks for that here; else no mail is taken for it. */
  readonly isProven: boolean;
  readonly type: 'authoritative' | 'internal-relay';
  /** Any subdomain is accepted too; only with `internal-relay`. */
  readonly matchSubDomains: boolean;
  /** Name of the delivery target that holds what is no mailbox of ours; null for none. */
  readonly deliveryTarget: string | null;
  /** How we know which recipients exist besides our mailboxes and aliases. */
  readonly recipients: KnownRecipients;
  /** Takes mail for recipients that do not exist; null refuses them. */
  readonly catchAll: Address | null;
}

/**
 * `none`: there are no others. `list`: these local-parts, lower-case. `verify`: the server that holds
 * them is asked by RCPT. `any`: nobody knows; whatever comes is taken, and may bounce later.
 */
export type KnownRecipients =
  | { readonly kind: 'none' | 'verify' | 'any' }
  | { readonly kind: 'list'; readonly localParts: readonly string[] };

/** `to` is never empty; addresses of ours or elsewhere. */
export interface Alias {
  readonly address: Address;
  readonly to: readonly Address[];
}

/**
 * The server that keeps mailboxes: a hop like any other, with requirement and evidence. Clear text
 * (`tlsSettings` null) only over a Unix socket or loopback, or with a written reason.
 */
export interface DeliveryTarget {
  /** Unique in the organization. */
  readonly name: string;
  readonly protocol: 'lmtp' | 'smtp';
  readonly address:
    | { readonly kind: 'unix'; readonly path: string }
    | { readonly kind: 'host'; readonly host: string; readonly port: number };
  readonly tlsSettings: TlsSettings;
  readonly tlsDomains: readonly DomainPattern[];
  readonly pins: readonly string[];
  readonly minVersion: TlsVersion;
  readonly anchors: AnchorsName;
  readonly clientCertificate: string | null;
  /** Why mail may cross a network in clear; null where it may not, or does not need to. */
  readonly clearTextReason: string | null;
}

/** A mailbox that we deliver to (Maildir) and from which its account submits. */
export interface Mailbox {
  /** The account's sign-in name; unique in the organization. */
  readonly account: string;
  /** The first is the primary address; MAIL FROM and From must be one of them. Never empty. */
  readonly addresses: readonly Address[];
}

/** All times in milliseconds. The n-th retry waits min(first · 2^(n-1), max); then comes expiry. */
export interface RetrySchedule {
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  readonly expiryMs: number;
}

/** When the sender is told that mail waits: because of TLS, or of anything else; 0 never. */
export interface DelayNotices {
  readonly tlsMs: number;
  readonly ordinaryMs: number;
}

/** The built-in default connector: mail that no connector claims goes by MX, opportunistic. */
export interface DefaultConnector {
  readonly clearTextAfterFailedTls: boolean;
}

/** Exchange's words; null is opportunistic. `Pinned` is ours: the pins alone decide. */
export type TlsSettings =
  null | 'EncryptionOnly' | 'CertificateValidation' | 'DomainValidation' | 'Pinned';

export type ConnectorType = 'Partner' | 'OnPremises';

/** Who made a connector, in Exchange's words; shown only. */
export type ConnectorSource = 'Default' | 'HybridWizard' | 'Migrated' | 'AdminUI';

/**
 * Whether what a connector *demands* binds. `warn` and `observe` judge it on the real session and
 * keep the result; its routes and certificates act in every mode.
 */
export type ConnectorMode = 'enforce' | 'warn' | 'observe';

/** Key exchange with post-quantum groups: never offered, offered first, or demanded. */
export type PostQuantum = 'off' | 'prefer' | 'require';

/** What every connector has. `name` is unique in its direction and organization, at most 64 characters. */
interface ConnectorBase {
  readonly name: string;
  readonly enabled: boolean;
  readonly comment: string;
  readonly connectorType: ConnectorType;
  readonly connectorSource: ConnectorSource;
  readonly mode: ConnectorMode;
  /** Who answers for it, and when it is to be looked at again (`2027-03-31`); null for nobody, never. */
  readonly owner: string | null;
  readonly reviewDate: string | null;
  readonly pins: readonly string[];
  readonly minVersion: TlsVersion;
  readonly postQuantum: PostQuantum;
  readonly anchors: AnchorsName;
  /** Keep `X-MS-Exchange-Organization-*` between the two sides of a hybrid. */
  readonly cloudServicesMailEnabled: boolean;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** The name of a set of trust anchors: `bundled`, `system`, or `file:` and an absolute path. */
export type AnchorsName = string;

/** `pins`: SHA-256 of SubjectPublicKeyInfo in base64. With `Pinned` at least one; else demanded besides. */
export interface OutboundConnector extends ConnectorBase {
  readonly recipientDomains: readonly DomainPattern[];
  /** Used for recipients in any accepted domain; only OnPremises. */
  readonly allAcceptedDomains: boolean;
  /** Chosen by a rule only, never by domain. */
  readonly isTransportRuleScoped: boolean;
  /** All mail to the outside goes here first (centralized mail transport); only OnPremises. */
  readonly routeAllMessagesViaOnPremises: boolean;
  readonly route: Route;
  readonly tlsSettings: TlsSettings;
  /**
   * Names one of which the certificate must carry under DomainValidation: `mail.contoso.com` or
   * `*.contoso.com` (any subdomain and the apex). Empty: with MX the recipient's domain or a name
   * under it; with smart hosts refused at load.
   */
  readonly tlsDomains: readonly DomainPattern[];
  /** Organizations of this gateway that need to show no certificate where mail is handed over inside. */
  readonly trustedOrganizations: readonly string[];
  /** Key of the configuration's certificates that we present as client; null presents none. */
  readonly clientCertificate: string | null;
  /** Only without TLS clauses: clear text after two failed handshakes 15 minutes apart. */
  readonly clearTextAfterFailedTls: boolean;
  /**
   * The result of the last validation as it was recorded, the addresses to validate with, and how often
   * that is done by itself; `everyMs` null for never.
   */
  readonly validation: {
    readonly isValidated: boolean;
    readonly lastValidationTimestamp: string | null;
    readonly validationRecipients: readonly Address[];
    readonly everyMs: number | null;
  };
}

/** Where a connector sends to. Smart hosts are tried in the order given. */
export type Route =
  { readonly kind: 'mx' } | { readonly kind: 'smart-hosts'; readonly hosts: readonly SmartHost[] };

/**
 * `host` a domain name or IP address without brackets; `port` 25 where the text named none. `setBy`: an
 * administrator of the organization named it, whose word reaches no inner network.
 */
export interface SmartHost {
  readonly host: string;
  readonly port: number;
  readonly setBy?: 'organization';
}

/** `pins`: with pins one of them must be the client certificate's key, in place of CA and name. */
export interface InboundConnector extends ConnectorBase {
  /** Scope of a Partner connector, compared with the domain of MAIL FROM. Never empty. */
  readonly senderDomains: readonly DomainPattern[];
  /** Domains that the connector does not cover although `senderDomains` does. */
  readonly exceptDomains: readonly DomainPattern[];
  /** Also compared with the domains of RFC5322.From, which then restrict as MAIL FROM does. */
  readonly alsoHeaderFrom: boolean;
  /**
   * Canonical CIDR, IPv4 or IPv6. Partner: see `restrictDomainsToIPAddresses`. OnPremises: the
   * organization's own servers.
   */
  readonly senderIPAddresses: readonly string[];
  /**
   * True: mail of the sender domains from any other address is refused. False with addresses given:
   * they narrow a Partner connector's scope to sessions from these addresses.
   */
  readonly restrictDomainsToIPAddresses: boolean;
  readonly requireTls: boolean;
  readonly restrictDomainsToCertificate: boolean;
  /** One must be on the client's certificate: exact, or `*.contoso.com` (apex and below). */
  readonly tlsSenderCertificateNames: readonly DomainPattern[];
  /** Also accept a client certificate whose extended key usage is serverAuth only. */
  readonly acceptServerAuthOnly: boolean;
  /** Only recipients in these accepted domains; empty is all of the organization. */
  readonly associatedAcceptedDomains: readonly string[];
  /** How long an unmet RequireTls is answered 454 before it becomes 550; 0 is 550 at once. */
  readonly requireTlsTemporaryMs: number;
  /** Organizations of this gateway whose mail, handed over inside, needs no certificate and no address. */
  readonly trustedOrganizations: readonly string[];
  /** Mail of our own domains through this connector counts as internal; only OnPremises. */
  readonly treatMessagesAsInternal: boolean;
  readonly enhancedFiltering: EnhancedFiltering;
}

/**
 * Skip listing: whom SPF and reports see as the source. `skipLastIP`: who was before the last hop.
 * `skipIPs`: CIDR of hops that are passed over; empty and false is off. `users` empty is everybody.
 */
export interface EnhancedFiltering {
  readonly skipLastIP: boolean;
  readonly skipIPs: readonly string[];
  readonly users: readonly Address[];
}
