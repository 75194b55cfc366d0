/** The part of the schema about one organization: domains, mailboxes, connectors. Exchange's names. */
import type { z } from 'zod';
import {
  field,
  fieldOr,
  fieldOrNull,
  listOf,
  oneOrMore,
  oneOrMoreOrNone,
  section,
} from './field.ts';
import {
  addressRange,
  anchors,
  certificateName,
  domainName,
  domainPattern,
  mailAddress,
  passwordHash,
  pin,
  smartHost,
} from './mail-readers.ts';
import { choice, comment, duration, flag, parsed, text } from './readers.ts';
import { knownRecipients } from './recipient-readers.ts';
import { aliasSection, delayNoticesSection, deliveryTargetSection } from './schema-recipients.ts';
import { minVersion, revocation, tlsSettings } from './tls-readers.ts';

const externalRelay =
  'ExternalRelay is not supported yet: write InternalRelay and an outbound connector that leads to the server';

export const acceptedDomainSection = section({
  domain: field(domainName(), 'The domain.'),
  type: fieldOr(
    choice(['Authoritative', 'InternalRelay'], { ExternalRelay: externalRelay }),
    'Authoritative',
    '`Authoritative`: recipients without a mailbox are refused. `InternalRelay`: they go on through the outbound connector that covers the domain.',
  ),
  matchSubDomains: fieldOr(flag(), false, 'Accept every subdomain too; only with `InternalRelay`.'),
  deliveryTarget: fieldOrNull(
    text(64, 'the name of a delivery target'),
    'none: only mailboxes here',
    'The entry of `deliveryTargets` that keeps the recipients which are no mailbox and no alias here.',
  ),
  recipients: fieldOrNull(
    knownRecipients(),
    'verify with a deliveryTarget or InternalRelay, none else',
    'Which recipients exist besides mailboxes and aliases. `none`: no others. A list: these local-parts. `verify`: the server that keeps them is asked at RCPT, and the answer kept for a while; while it is silent the client is told to try again. `any`: every address is taken, and what that server refuses later is returned to the sender, who may be forged.',
  ),
  catchAll: fieldOrNull(
    mailAddress(),
    'unknown recipients are refused',
    'An address of ours that takes mail for recipients that do not exist; with `recipients` `none` or a list.',
  ),
});

export const mailboxSection = section({
  account: field(
    text(128, 'a sign-in name'),
    'The name to sign in with; unique on the gateway, case is ignored. The primary address works too.',
  ),
  addresses: oneOrMore(
    mailAddress(),
    'Addresses in accepted domains, the primary one first. The account may send as each of them.',
  ),
  passwordHash: fieldOrNull(
    passwordHash(),
    'nobody can sign in',
    'argon2id hash of the password.',
  ).meta({ isSecret: true }),
});

const connectorName = text(64, 'a name');

const named = {
  name: field(
    connectorName,
    'Unique among the connectors of this direction, at most 64 characters.',
  ),
  enabled: fieldOr(flag(), true, 'Whether the connector acts.'),
  comment: fieldOr(comment(), '', 'A note for the next administrator.'),
};

export const inboundConnectorSection = section({
  ...named,
  connectorType: fieldOr(
    choice(['Partner'], {
      OnPremises:
        'inbound connectors of type OnPremises (hybrid) are not supported yet; Partner restricts mail from a partner',
    }),
    'Partner',
    '`Partner` restricts mail from the sender domains. `OnPremises` is not supported yet.',
  ),
  senderDomains: oneOrMore(
    domainPattern(),
    'Whose mail is restricted, by the domain of MAIL FROM. `*` is everybody.',
  ),
  except: oneOrMoreOrNone(
    domainPattern(),
    'Sender domains that the connector does not cover although `senderDomains` does.',
  ),
  senderIPAddresses: oneOrMoreOrNone(
    addressRange(),
    "The partner's addresses, IPv4 or IPv6. With `restrictDomainsToIPAddresses` mail from elsewhere is refused; without it the connector covers only sessions from them.",
  ),
  restrictDomainsToIPAddresses: fieldOr(
    flag(),
    false,
    'Refuse mail of the sender domains from any address but `senderIPAddresses`.',
  ),
  requireTls: fieldOr(
    flag(),
    true,
    'Refuse mail of the sender domains that does not come over TLS 1.2 or newer.',
  ),
  restrictDomainsToCertificate: fieldOr(
    flag(),
    false,
    "Refuse mail of the sender domains unless the client shows the partner's certificate, by `tlsSenderCertificateName` or `pins`.",
  ),
  tlsSenderCertificateName: oneOrMoreOrNone(
    certificateName(),
    "The name on the partner's own client certificate, one of which it must carry; its chain must lead to `anchors`. `*.contoso.com` is the domain and all below it.",
  ),
  pins: oneOrMoreOrNone(
    pin(),
    "Keys of the partner's client certificate, one of which it must have: in place of CA and name, or besides them where names are given too.",
  ),
  anchors: fieldOr(
    anchors(),
    'bundled',
    'The CAs that are trusted for this connector; a file holds PEM certificates.',
  ),
  minVersion: fieldOr(minVersion, 'TLSv1.2', 'The oldest TLS version; acts with `requireTls`.'),
  acceptServerAuthOnly: fieldOr(
    flag(),
    false,
    'Also accept a client certificate that is meant for servers only. Public CAs issue no others any more.',
  ),
  associatedAcceptedDomains: oneOrMoreOrNone(
    domainName(),
    'Restrict only mail to these accepted domains. None: to all of the organization.',
  ),
  requireTlsTemporary: fieldOr(
    duration('0', '24h'),
    '1h',
    'How long mail in clear is answered 454 (try again) before it is refused for good with 550.',
  ),
  revocation: fieldOr(
    revocation,
    'not-checked',
    'Revocation of certificates is not checked yet; the evidence of each session says so.',
  ),
});

export const outboundConnectorSection = section({
  ...named,
  connectorType: fieldOr(
    choice(['Partner', 'OnPremises']),
    'Partner',
    '`Partner` leads to other organizations, `OnPremises` to your own servers.',
  ),
  recipientDomains: oneOrMoreOrNone(
    domainPattern(),
    'Mail to these domains takes this connector: exact before the longest wildcard before `*`.',
  ),
  allAcceptedDomains: fieldOr(
    flag(),
    false,
    'Mail to unknown recipients of all accepted domains takes this connector; only OnPremises.',
  ),
  isTransportRuleScoped: fieldOr(
    flag(),
    false,
    'Only rules choose this connector, never a domain.',
  ),
  useMXRecord: fieldOrNull(
    flag(),
    'true without smartHosts, false with them',
    "Send to the hosts of the recipient domain's MX records.",
  ),
  smartHosts: oneOrMoreOrNone(
    smartHost(),
    'Send to these hosts instead, in this order: a name, an address, `host:port`, `[IPv6]:port`.',
  ),
  tlsSettings: field(
    tlsSettings,
    'What TLS must be. `Opportunistic`: TLS where the other side offers it. `EncryptionOnly`: always TLS, anyone may answer. `CertificateValidation`: a certificate of a trusted CA, anyone with a certificate may answer. `DomainValidation`: and it carries `tlsDomain`. `Pinned`: the key is one of `pins`.',
  )
    .nullable()
    .prefault('Opportunistic' as never),
  tlsDomain: oneOrMoreOrNone(
    certificateName(),
    "Names one of which the certificate must carry; only with `DomainValidation`. None: with MX the recipient's domain or a name under it. `*.contoso.com` is the domain and all below it.",
  ),
  pins: oneOrMoreOrNone(
    pin(),
    'Keys one of which the certificate must have. With `Pinned` they decide alone; with the two validations they are demanded besides. List the next key before it is used.',
  ),
  anchors: fieldOr(
    anchors(),
    'bundled',
    'The CAs that are trusted for this connector; a file holds PEM certificates.',
  ),
  minVersion: fieldOr(
    minVersion,
    'TLSv1.2',
    'The oldest TLS version; TLSv1.3 needs a `tlsSettings` that forces TLS.',
  ),
  clientCertificate: fieldOrNull(
    text(64, 'the name of an entry of certificates'),
    'none',
    'The certificate that we present to the partner.',
  ),
  clearTextAfterFailedTls: fieldOr(
    flag(),
    false,
    'Send in clear after two failed TLS attempts at least 15 minutes apart; only where nothing forces TLS.',
  ),
  revocation: fieldOr(
    revocation,
    'not-checked',
    'Revocation of certificates is not checked yet; the evidence of each session says so.',
  ),
});

const organizationId = parsed('an id such as contoso', (raw) =>
  /^[a-z0-9][a-z0-9-]{0,62}$/.test(raw)
    ? { value: raw }
    : { wrong: `must be of a-z, 0-9 and "-", at most 63 characters, not ${JSON.stringify(raw)}` },
);

export const organizationSection = section({
  id: field(organizationId, 'Never changes; names the organization in queue and trace.'),
  name: fieldOrNull(text(128, 'a name'), 'the id', 'The name for people.'),
  acceptedDomains: listOf(acceptedDomainSection).meta({
    description: 'The domains whose mail is taken on `mx` listeners. At least one.',
  }),
  mailboxes: listOf(mailboxSection)
    .prefault([])
    .meta({ description: 'Mailboxes that are delivered here (Maildir), and their accounts.' }),
  inboundConnectors: listOf(inboundConnectorSection)
    .prefault([])
    .meta({ description: 'What mail from partners must fulfil.' }),
  outboundConnectors: listOf(outboundConnectorSection)
    .prefault([])
    .meta({ description: 'Where mail to partners goes, and what TLS must be.' }),
  aliases: listOf(aliasSection)
    .prefault([])
    .meta({ description: 'Addresses of ours whose mail goes to other addresses.' }),
  deliveryTargets: listOf(deliveryTargetSection).prefault([]).meta({
    description:
      'Servers that keep mailboxes of ours and take their mail by LMTP or SMTP, as a hop with what TLS must be.',
  }),
  addressExtension: fieldOrNull(
    choice(['+', '-', '=', '#', '_']),
    'none',
    'What ends the local-part proper: with `+` mail for `ann+news@contoso.com` is for `ann@contoso.com`, unless the longer address exists itself.',
  ),
  delayNotices: delayNoticesSection.prefault({}).meta({
    description: 'When the sender is told that mail waits.',
  }),
  postmaster: fieldOrNull(
    mailAddress(),
    'postmaster@ and the first of acceptedDomains',
    'The address that reports to senders (DSNs) come from and questions go to; one of this organization.',
  ),
  expiry: fieldOrNull(
    duration('12h', '7d'),
    'queue.expiry',
    'How long mail of this organization is tried before it is returned to its sender; at most `queue.expiryMax`.',
  ),
  rejectDirectSend: fieldOr(
    flag(),
    true,
    'Refuse mail on `mx` listeners whose MAIL FROM is in an accepted domain, unless a connector proves the sender by certificate or address.',
  ),
  clearTextAfterFailedTls: fieldOr(
    flag(),
    false,
    'For mail that takes no connector: send in clear after two failed TLS attempts at least 15 minutes apart.',
  ),
});

export type ParsedAcceptedDomain = z.output<typeof acceptedDomainSection>;
export type ParsedMailbox = z.output<typeof mailboxSection>;
export type ParsedInbound = z.output<typeof inboundConnectorSection>;
export type ParsedOutbound = z.output<typeof outboundConnectorSection>;
export type ParsedOrganization = z.output<typeof organizationSection>;
