/** The part of the schema about one organization: domains, mailboxes, settings. Exchange's names. */
import type { z } from 'zod';
import { field, fieldOr, fieldOrNull, listOf, oneOrMore, section } from './field.ts';
import { domainName, mailAddress, passwordHash } from './mail-readers.ts';
import { choice, duration, flag, parsed, text } from './readers.ts';
import { knownRecipients } from './recipient-readers.ts';
import { inboundConnectorSection, outboundConnectorSection } from './schema-connectors.ts';
import { aliasSection, delayNoticesSection, deliveryTargetSection } from './schema-recipients.ts';
import { ruleSection } from './schema-rules.ts';

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
  ).meta({ isList: true }),
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

const organizationId = parsed('an id such as contoso', (raw) =>
  /^[a-z0-9][a-z0-9-]{0,62}$/.test(raw)
    ? { value: raw }
    : { wrong: `must be of a-z, 0-9 and "-", at most 63 characters, not ${JSON.stringify(raw)}` },
);

export const organizationSection = section({
  id: field(organizationId, 'Never changes; names the organization in queue and trace.'),
  name: fieldOrNull(text(128, 'a name'), 'the id', 'The name for people.'),
  acceptedDomains: listOf(acceptedDomainSection)
    .prefault([])
    .meta({ description: 'The domains whose mail is taken on `mx` listeners.' }),
  mailboxes: listOf(mailboxSection)
    .prefault([])
    .meta({ description: 'Mailboxes that are delivered here (Maildir), and their accounts.' }),
  inboundConnectors: listOf(inboundConnectorSection)
    .prefault([])
    .meta({ description: 'What mail from partners must fulfil.' }),
  outboundConnectors: listOf(outboundConnectorSection)
    .prefault([])
    .meta({ description: 'Where mail to partners goes, and what TLS must be.' }),
  rules: listOf(ruleSection).prefault([]).meta({
    description:
      'Mail-flow rules, in the order in which they act (docs/rules.md). All conditions of a rule must hold, of the values of one any; no exception may hold; all actions are done.',
  }),
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
  rehearsalAddress: fieldOrNull(
    mailAddress(),
    'none',
    "An address in one of `acceptedDomains`, and nobody else's, with which partners try how their servers reach this gateway: their mail to it is judged as any other, answered with the verdict, and kept by nobody (docs/rehearsal.md).",
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
export type ParsedOrganization = z.output<typeof organizationSection>;
