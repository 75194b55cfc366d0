/** From the validated configuration to the policy value, and its revision. */
import { hash } from 'node:crypto';
import type {
  AcceptedDomain,
  DeliveryTarget,
  KnownRecipients,
  Organization,
  Policy,
  RetrySchedule,
} from '../policy/policy.ts';
import { isInside } from '../policy/delivery-target.ts';
import { canonicalJson } from '../standards/canonical-json/canonical-json.ts';
import { resolveAnchors, toInbound, toOutbound } from './connectors-to-policy.ts';
import { withoutProof } from './domain-verification.ts';
import type { ParsedConfig } from './schema.ts';
import { withScope } from './schema-connectors.ts';
import type { ParsedAcceptedDomain, ParsedOrganization } from './schema-organization.ts';
import type { ParsedDeliveryTarget } from './schema-recipients.ts';
import { toRule } from './to-rules.ts';

/** `folder` is where relative paths of anchors start. */
export function toPolicy(parsed: ParsedConfig, folder: string): Policy {
  const { retryFirst, retryMax, expiry } = parsed.queue;
  const retry = { firstRetryMs: retryFirst, maxRetryMs: retryMax, expiryMs: expiry };
  const organizations = withoutProof(
    parsed.organizations.map((organization) =>
      toOrganization(organization, retryOf(organization, retry), folder),
    ),
    parsed.domainVerification,
  );
  const content = { formatVersion: 1, hostName: parsed.hostName, organizations } as const;
  return { ...content, revision: revisionOf(content) };
}

/** An organization may keep its mail for longer or shorter than the others. */
function retryOf({ expiry }: ParsedOrganization, retry: RetrySchedule): RetrySchedule {
  return expiry === null ? retry : { ...retry, expiryMs: expiry };
}

/** 12 hex digits of SHA-256 over the canonical form: equal policies have equal revisions. */
export function revisionOf(content: unknown): string {
  return hash('sha256', canonicalJson(content)).slice(0, 12);
}

function toOrganization(
  parsed: ParsedOrganization,
  retry: RetrySchedule,
  folder: string,
): Organization {
  return {
    id: parsed.id,
    name: parsed.name ?? parsed.id,
    acceptedDomains: parsed.acceptedDomains.map(toAcceptedDomain),
    mailboxes: parsed.mailboxes.map(({ account, addresses }) => ({ account, addresses })),
    aliases: parsed.aliases,
    deliveryTargets: parsed.deliveryTargets.map((target) => toDeliveryTarget(target, folder)),
    addressExtension: parsed.addressExtension,
    inboundConnectors: parsed.inboundConnectors.map((each) => toInbound(withScope(each), folder)),
    outboundConnectors: parsed.outboundConnectors.map((each) => toOutbound(each, folder)),
    rules: parsed.rules.map(toRule),
    postmaster: parsed.postmaster,
    rehearsalAddress: parsed.rehearsalAddress,
    defaultConnector: { clearTextAfterFailedTls: parsed.clearTextAfterFailedTls },
    rejectDirectSend: parsed.rejectDirectSend,
    retry,
    delayNotices: {
      tlsMs: parsed.delayNotices.tls,
      ordinaryMs: parsed.delayNotices.ordinary,
    },
  };
}

function toAcceptedDomain(parsed: ParsedAcceptedDomain): AcceptedDomain {
  return {
    domain: parsed.domain,
    isProven: true,
    type: parsed.type === 'Authoritative' ? 'authoritative' : 'internal-relay',
    matchSubDomains: parsed.matchSubDomains,
    deliveryTarget: parsed.deliveryTarget,
    recipients: toKnownRecipients(parsed),
    catchAll: parsed.catchAll,
  };
}

/** Unless it is said, the server that keeps the recipients is asked. */
function toKnownRecipients({
  recipients,
  deliveryTarget,
  type,
}: ParsedAcceptedDomain): KnownRecipients {
  if (recipients === null) {
    return { kind: deliveryTarget !== null || type === 'InternalRelay' ? 'verify' : 'none' };
  }
  if (recipients.kind !== 'list') return recipients;
  return { kind: 'list', localParts: recipients.localParts };
}

/** A port that is not written is the protocol's own. */
function toDeliveryTarget(parsed: ParsedDeliveryTarget, folder: string): DeliveryTarget {
  const { protocol, address } = parsed;
  const settings = tlsSettingsOf(parsed);
  return {
    name: parsed.name,
    protocol,
    address:
      address.kind === 'unix'
        ? address
        : { ...address, port: address.port ?? (protocol === 'lmtp' ? 24 : 25) },
    tlsSettings: settings === 'Opportunistic' ? null : settings,
    tlsDomains: parsed.tlsDomain,
    pins: parsed.pins,
    minVersion: parsed.minVersion,
    anchors: resolveAnchors(parsed.anchors, folder),
    clientCertificate: parsed.clientCertificate,
    clearTextReason: parsed.clearTextReason,
  };
}

/** What is written, or the default of the place where the server is. */
export function tlsSettingsOf(
  target: Pick<ParsedDeliveryTarget, 'address' | 'tlsSettings'>,
): NonNullable<ParsedDeliveryTarget['tlsSettings']> {
  return target.tlsSettings ?? (isInside(target.address) ? 'Opportunistic' : 'EncryptionOnly');
}
