/**
 * The part of the schema about connectors: Exchange's parameters under their names, and ours.
 *
 * Which of them act together is in `check-inbound.ts`, `check-on-premises.ts` and `check-outbound.ts`.
 * @see New-InboundConnector, New-OutboundConnector
 */
import type { z } from 'zod';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import {
  calendarDate,
  daneMode,
  failureAction,
  mtaStsMode,
  noSenderRewriting,
  skippedAddresses,
  smartHosts,
  timestamp,
} from './connector-readers.ts';
import { field, fieldOr, fieldOrNull, oneOrMoreOrNone, oneOrMoreOrNull, section } from './field.ts';
import {
  addressRange,
  anchors,
  certificateName,
  domainName,
  domainPattern,
  mailAddress,
  pin,
} from './mail-readers.ts';
import { choice, comment, duration, flag, text } from './readers.ts';
import { minVersion, revocation, tlsSettings } from './tls-readers.ts';

const named = {
  name: field(
    text(64, 'a name'),
    'Unique among the connectors of this direction, at most 64 characters.',
  ),
  enabled: fieldOr(flag(), true, 'Whether the connector acts.'),
  comment: fieldOr(comment(), '', 'A note for the next administrator.'),
};

const kept = {
  connectorSource: fieldOr(
    choice(['Default', 'HybridWizard', 'Migrated', 'AdminUI']),
    'Default',
    "Who made it, in Exchange's words; shown only.",
  ),
  owner: fieldOrNull(
    text(128, 'a name or an address'),
    'nobody',
    'Who answers for it; shown only.',
  ),
  reviewDate: fieldOrNull(
    calendarDate(),
    'never',
    'When it is to be looked at again; from that day on `config check` and `doctor` say so.',
  ),
  revocation: fieldOr(
    revocation,
    'not-checked',
    'Revocation of certificates is not checked yet; the evidence of each session says so.',
  ),
};

const mode = fieldOr(
  choice(['enforce', 'warn', 'observe']),
  'enforce',
  'Whether what it demands binds. `observe`: it is judged on every session and the result kept, and mail flows all the same; `warn` tells the administrator besides. Its route and certificates act in every mode.',
);

const trustedOrganizations = (what: string) =>
  oneOrMoreOrNone(text(64, 'the id of an organization'), what);

const anchorsField = fieldOr(
  anchors(),
  'bundled',
  'The CAs that are trusted for this connector; a file holds PEM certificates.',
);

/** One inbound connector. */
export const inboundConnectorSection = section({
  ...named,
  connectorType: fieldOr(
    choice(['Partner', 'OnPremises']),
    'Partner',
    '`Partner` restricts mail from the sender domains. `OnPremises` names your own servers, by certificate or address, which may then send to the outside through this gateway.',
  ),
  mode,
  senderDomains: oneOrMoreOrNull(
    domainPattern(),
    'must be given on Partner; `*` on OnPremises',
    'Whose mail is restricted, by the domain of MAIL FROM. `*` is everybody. On OnPremises only `*`.',
  ),
  except: oneOrMoreOrNone(
    domainPattern(),
    'Sender domains that the connector does not cover although `senderDomains` does.',
  ),
  alsoHeaderFrom: fieldOr(
    flag(),
    false,
    'Also restrict mail that carries the sender domains in RFC5322.From only, judged after the header.',
  ),
  senderIPAddresses: oneOrMoreOrNone(
    addressRange(),
    "The partner's addresses, IPv4 or IPv6, any prefix. With `restrictDomainsToIPAddresses` mail from elsewhere is refused; without it the connector covers only sessions from them. On OnPremises your own servers' addresses.",
  ),
  restrictDomainsToIPAddresses: fieldOr(
    flag(),
    false,
    'Refuse mail of the sender domains from any address but `senderIPAddresses`.',
  ),
  requireTls: fieldOr(
    flag(),
    true,
    'Refuse mail of the sender domains, or of your own servers, that does not come over TLS 1.2 or newer.',
  ),
  restrictDomainsToCertificate: fieldOr(
    flag(),
    false,
    "Refuse mail of the sender domains unless the client shows the partner's certificate, by `tlsSenderCertificateName` or `pins`. On OnPremises: also from `senderIPAddresses`.",
  ),
  tlsSenderCertificateName: oneOrMoreOrNone(
    certificateName(),
    "The name on the partner's own client certificate, one of which it must carry; its chain must lead to `anchors`. `*.contoso.com` is the domain and all below it. On OnPremises the name on your own server's certificate, by which it is known.",
  ),
  pins: oneOrMoreOrNone(
    pin(),
    'Keys of the client certificate, one of which it must have: in place of CA and name, or besides them where names are given too. List the next key beside the current one before it is used, and take the old one away afterwards.',
  ),
  anchors: anchorsField,
  minVersion: fieldOr(minVersion, 'TLSv1.2', 'The oldest TLS version; acts with `requireTls`.'),
  postQuantum: fieldOr(
    choice(['prefer', 'require'], {
      off: 'off cannot be told of an inbound connector: the key exchange is over before anybody knows whose session it is; write prefer or require',
    }),
    'prefer',
    '`require`: the session must use a post-quantum key exchange (X25519MLKEM768), which is TLS 1.3; acts with `requireTls`.',
  ),
  acceptServerAuthOnly: fieldOr(
    flag(),
    false,
    'Also accept a client certificate that is meant for servers only. Public CAs issue no others any more.',
  ),
  associatedAcceptedDomains: oneOrMoreOrNone(
    domainName(),
    'Only mail to these accepted domains; only Partner. None: to all of the organization.',
  ),
  requireTlsTemporary: fieldOr(
    duration('0', '24h'),
    '1h',
    'How long mail in clear is answered 454 (try again) before it is refused for good with 550.',
  ),
  trustedOrganizations: trustedOrganizations(
    'Ids of other organizations of this gateway. Their mail, handed over inside, needs neither the certificate nor the address that the connector demands.',
  ),
  cloudServicesMailEnabled: fieldOr(
    flag(),
    false,
    'Take `X-MS-Exchange-CrossPremises-*` from your own servers back as `X-MS-Exchange-Organization-*`; only OnPremises.',
  ),
  treatMessagesAsInternal: fieldOr(
    flag(),
    false,
    'Mail of accepted domains through this connector counts as internal; only OnPremises, for servers other than Exchange.',
  ),
  efSkipLastIP: fieldOr(
    flag(),
    false,
    'Enhanced filtering: whoever was before the last hop is the source that SPF and reports see.',
  ),
  efSkipIPs: oneOrMoreOrNone(
    skippedAddresses(),
    'Enhanced filtering: hops that are passed over in search of the source. Private addresses always are.',
  ),
  efUsers: oneOrMoreOrNone(
    mailAddress(),
    'Recipients whom enhanced filtering is for; all recipients of a message must be listed. None: everybody.',
  ),
  ...kept,
});

/** One outbound connector. */
export const outboundConnectorSection = section({
  ...named,
  connectorType: fieldOr(
    choice(['Partner', 'OnPremises']),
    'Partner',
    '`Partner` leads to other organizations, `OnPremises` to your own servers.',
  ),
  mode,
  testMode: fieldOrNull(flag(), '`mode` says it', "Exchange's word: true is `mode: observe`."),
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
  routeAllMessagesViaOnPremises: fieldOr(
    flag(),
    false,
    'All mail to the outside goes to these servers of yours first (centralized mail transport); only OnPremises, with `smartHosts`.',
  ),
  useMXRecord: fieldOrNull(
    flag(),
    'true without smartHosts, false with them',
    "Send to the hosts of the recipient domain's MX records.",
  ),
  smartHosts: oneOrMoreOrNone(
    smartHosts(),
    'Send to these hosts instead, in this order: a name, an address, `host:port`, `[IPv6]:port`, or a CIDR range of at most 16 addresses.',
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
    'Keys one of which the certificate must have. With `Pinned` they decide alone; with the two validations they are demanded besides. List the next key beside the current one before it is used, and take the old one away afterwards.',
  ),
  anchors: anchorsField,
  minVersion: fieldOr(
    minVersion,
    'TLSv1.2',
    'The oldest TLS version; TLSv1.3 needs a `tlsSettings` that forces TLS.',
  ),
  postQuantum: fieldOr(
    choice(['off', 'prefer', 'require']),
    'prefer',
    'Key exchange with a post-quantum group (X25519MLKEM768): `off` never offers it, for servers that break on it; `require` sends over nothing else, which is TLS 1.3, and needs a `tlsSettings` that forces TLS.',
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
  failureAction: fieldOr(
    failureAction,
    'queue',
    'What becomes of mail whose TLS is not met. `queue`: it waits, and its sender is told.',
  ),
  mtaStsMode: fieldOr(
    mtaStsMode,
    'None',
    'Whether the MTA-STS policy of the destination binds; only `None` for now.',
  ),
  smtpDaneMode: fieldOr(
    daneMode,
    'None',
    'Whether the TLSA records of the destination bind; only `None` for now.',
  ),
  trustedOrganizations: trustedOrganizations(
    'Ids of other organizations of this gateway. Where mail to them is handed over inside, no certificate is demanded.',
  ),
  cloudServicesMailEnabled: fieldOr(
    flag(),
    false,
    'Send `X-MS-Exchange-Organization-*` to your own servers as `X-MS-Exchange-CrossPremises-*`; only OnPremises.',
  ),
  senderRewritingEnabled: fieldOr(
    noSenderRewriting,
    false,
    'Rewriting of senders (SRS) is not there yet; only false.',
  ),
  isValidated: fieldOr(
    flag(),
    false,
    'Whether the last validation succeeded, as another system recorded it; kept and shown only, since the gateway keeps its own.',
  ),
  lastValidationTimestamp: fieldOrNull(
    timestamp(),
    'never',
    'When that was, in UTC; kept and shown only.',
  ),
  validationRecipients: oneOrMoreOrNone(
    mailAddress(),
    'Addresses to validate it with, in its `recipientDomains`; at most 10.',
  ),
  validationEvery: fieldOrNull(
    duration('1h', '31d'),
    'never by itself',
    'How often it is validated by itself while it is on, up to RCPT for `validationRecipients` and without a message. When the result or the certificate of the other side changes, an alarm opens.',
  ),
  ...kept,
});

/** As written: the scope may be left out on OnPremises. */
export type WrittenInbound = z.output<typeof inboundConnectorSection>;
export type ParsedInbound = WrittenInbound & { readonly senderDomains: readonly DomainPattern[] };

/** Without a scope: everybody on OnPremises, which has none; nobody on Partner, which is refused. */
export function withScope(written: WrittenInbound): ParsedInbound {
  const isOnPremises = written.connectorType === 'OnPremises';
  const otherwise: readonly DomainPattern[] = isOnPremises ? [{ kind: 'any' }] : [];
  return { ...written, senderDomains: written.senderDomains ?? otherwise };
}

export type ParsedOutbound = z.output<typeof outboundConnectorSection>;
