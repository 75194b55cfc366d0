/** The part of the schema about mail-flow rules: Exchange's parameter names, in lower camel case. */
import { z } from 'zod';
import type { FieldMeta } from './field.ts';
import { field, fieldOr, fieldOrNull, oneOrMoreOrNone, section } from './field.ts';
import { addressRange, domainName, mailAddress } from './mail-readers.ts';
import { choice, comment, flag, size, text } from './readers.ts';
import {
  contentType,
  fileExtension,
  headerName,
  moment,
  reasonText,
  rejectStatus,
  rulePattern,
  ruleWord,
} from './rule-readers.ts';

const scopes = ['InOrganization', 'NotInOrganization'] as const;
const noPartnerScope =
  'is not known here: write NotInOrganization, and recipientDomainIs for the partner';

const conditions = {
  fromScope: fieldOrNull(
    choice(scopes),
    'any sender',
    '`InOrganization`: signed in, and the address is in an accepted domain. All others are `NotInOrganization`.',
  ),
  sentToScope: fieldOrNull(
    choice(scopes, { ExternalPartner: noPartnerScope, ExternalNonPartner: noPartnerScope }),
    'any recipient',
    '`InOrganization`: the recipient is in an accepted domain.',
  ),
  from: oneOrMoreOrNone(mailAddress(), 'The sender is one of these addresses.'),
  sentTo: oneOrMoreOrNone(mailAddress(), 'The recipient is one of these addresses.'),
  senderDomainIs: oneOrMoreOrNone(
    domainName(),
    "The sender's domain is one of these or below one.",
  ),
  recipientDomainIs: oneOrMoreOrNone(
    domainName(),
    "The recipient's domain is one of these or below one.",
  ),
  fromAddressContainsWords: oneOrMoreOrNone(
    ruleWord(),
    "The sender's address has one of these words; `@`, `.` and `-` part words.",
  ),
  fromAddressMatchesPatterns: oneOrMoreOrNone(
    rulePattern(),
    "The sender's address matches one of these patterns.",
  ),
  recipientAddressContainsWords: oneOrMoreOrNone(
    ruleWord(),
    "The recipient's address has one of these words.",
  ),
  recipientAddressMatchesPatterns: oneOrMoreOrNone(
    rulePattern(),
    "The recipient's address matches one of these patterns.",
  ),
  subjectContainsWords: oneOrMoreOrNone(
    ruleWord(),
    'The subject has one of these words or phrases, whole, in any case.',
  ),
  subjectMatchesPatterns: oneOrMoreOrNone(
    rulePattern(),
    'The subject matches one of these patterns.',
  ),
  subjectOrBodyContainsWords: oneOrMoreOrNone(
    ruleWord(),
    'The subject or a text of the body has one of these words or phrases.',
  ),
  subjectOrBodyMatchesPatterns: oneOrMoreOrNone(
    rulePattern(),
    'The subject or a text of the body matches one of these patterns.',
  ),
  headerContainsMessageHeader: fieldOrNull(
    headerName(),
    'none',
    'The header field in which `headerContainsWords` are looked for.',
  ),
  headerContainsWords: oneOrMoreOrNone(ruleWord(), 'That header field has one of these words.'),
  headerMatchesMessageHeader: fieldOrNull(
    headerName(),
    'none',
    'The header field that `headerMatchesPatterns` are about.',
  ),
  headerMatchesPatterns: oneOrMoreOrNone(
    rulePattern(),
    'That header field matches one of these patterns.',
  ),
  attachmentNameMatchesPatterns: oneOrMoreOrNone(
    rulePattern(),
    'The file name of an attachment matches one of these patterns.',
  ),
  attachmentExtensionMatchesWords: oneOrMoreOrNone(
    fileExtension(),
    'The file name of an attachment ends in one of these extensions.',
  ),
  attachmentContentTypeIs: oneOrMoreOrNone(
    contentType(),
    'An attachment is declared as one of these types; `image/*` is every image.',
  ),
  messageSizeOver: fieldOrNull(
    size('1B', '1TB'),
    'any size',
    'The message has this size or more, with everything that it carries.',
  ),
  senderIPRanges: oneOrMoreOrNone(
    addressRange(),
    'The client that brings the message has one of these addresses.',
  ),
  hasClassification: fieldOrNull(
    text(128, 'a classification'),
    'any',
    'X-MS-Exchange-Organization-Classification is this; the header firewall lets only trusted servers write it.',
  ),
  hasNoClassification: fieldOr(flag(), false, 'The message has no classification.'),
  receivedOverTls: fieldOrNull(
    flag(),
    'either',
    'Whether the message came over TLS. Not in Exchange.',
  ),
};

type Conditions = typeof conditions;
type Exceptions = { [K in keyof Conditions as `exceptIf${Capitalize<K>}`]: Conditions[K] };

/** The same keys with `exceptIf` before them. */
function exceptionsOf(shape: Conditions): Exceptions {
  const entries = Object.entries(shape).map(([key, schema]) => {
    const meta = z.globalRegistry.get(schema) as FieldMeta | undefined;
    const inner = meta ?? metaInside(schema);
    const description = `Not where this holds: as \`${key}\`.`;
    return [exceptionKey(key), schema.meta({ ...inner, description })] as const;
  });
  return Object.fromEntries(entries) as unknown as Exceptions;
}

/** `exceptIfFromScope` of `fromScope`. */
export function exceptionKey(key: string): string {
  return `exceptIf${key.charAt(0).toUpperCase()}${key.slice(1)}`;
}

/** A list's form stands on the list inside of its default. */
function metaInside(schema: z.ZodType): FieldMeta | undefined {
  const wrapped = schema as unknown as { readonly def: { readonly innerType?: z.ZodType } };
  const inner = wrapped.def.innerType;
  return inner === undefined ? undefined : (z.globalRegistry.get(inner) as FieldMeta | undefined);
}

const actions = {
  routeMessageOutboundConnector: fieldOrNull(
    text(64, 'the name of an outbound connector'),
    'none',
    'Deliver through this outbound connector, which must have `isTransportRuleScoped`.',
  ),
  overrides: oneOrMoreOrNone(
    text(64, 'the name of an outbound connector'),
    'Outbound connectors past which the route takes mail without what they demand of TLS. Without it, what a connector of the recipient demands holds on the route too.',
  ),
  routeMessageOutboundRequireTls: fieldOr(
    flag(),
    false,
    'The message leaves over TLS or not at all, whoever answers: as `EncryptionOnly`.',
  ),
  rejectMessageReasonText: fieldOrNull(
    reasonText(),
    'Delivery not authorized, message refused',
    'Refuse the message with this text; for all of its recipients, in the answer to its content.',
  ),
  rejectMessageEnhancedStatusCode: fieldOrNull(
    rejectStatus(),
    '5.7.1 where it is rejected',
    'Refuse the message with this code.',
  ),
  redirectMessageTo: oneOrMoreOrNone(
    mailAddress(),
    'Deliver to these addresses instead of the recipients.',
  ),
  addToRecipients: oneOrMoreOrNone(
    mailAddress(),
    'Deliver to these addresses too, and name them in To.',
  ),
  blindCopyTo: oneOrMoreOrNone(
    mailAddress(),
    'Deliver to these addresses too; neither header nor DSNs tell of it.',
  ),
  setHeaderName: fieldOrNull(
    headerName(),
    'none',
    'Set this header field to `setHeaderValue`, in the place of all of that name.',
  ),
  setHeaderValue: fieldOrNull(text(256), 'none', 'The value of `setHeaderName`.'),
  removeHeader: fieldOrNull(headerName(), 'none', 'Remove all header fields of this name.'),
  prependSubject: fieldOrNull(
    text(64),
    'none',
    'Put this before the subject; with a blank at its end where one is wanted.',
  ),
  quarantine: fieldOr(flag(), false, 'Hold the message until somebody releases it.'),
  deleteMessage: fieldOr(flag(), false, 'Take the message and drop it; nobody is told.'),
  stopRuleProcessing: fieldOr(
    flag(),
    false,
    'Later rules do not see the message, for recipients whom this one met.',
  ),
};

export const ruleSection = section({
  name: field(text(64, 'a name'), 'Unique in the organization, at most 64 characters.'),
  enabled: fieldOr(flag(), true, 'Whether the rule acts.'),
  comments: fieldOr(comment(), '', 'A note for the next administrator.'),
  mode: fieldOr(
    choice(['Enforce', 'Audit'], {
      AuditAndNotify: 'has no one to notify: there are no policy tips here; write Audit',
    }),
    'Enforce',
    '`Audit` records what the rule would have done, and does nothing.',
  ),
  activationDate: fieldOrNull(moment(), 'at once', 'The rule acts from then on.'),
  expiryDate: fieldOrNull(moment(), 'never', 'The rule acts until then.'),
  senderAddressLocation: fieldOr(
    choice(['Header', 'Envelope', 'HeaderOrEnvelope']),
    'Header',
    "Which address is the sender's: that of From, of MAIL FROM, or either.",
  ),
  ...conditions,
  ...exceptionsOf(conditions),
  ...actions,
});

export type ParsedRule = z.output<typeof ruleSection>;
/** The keys of conditions, in order; each has an exception. */
export const conditionKeys = Object.keys(conditions) as readonly (keyof Conditions)[];
/** What the conditions of a rule say; exceptions are read into the same shape. */
export type ParsedConditions = Pick<ParsedRule, keyof Conditions>;

/** The exceptions of a rule by the names of their conditions. */
export function exceptionsIn(rule: ParsedRule): ParsedConditions {
  const values = rule as Readonly<Record<string, unknown>>;
  const entries = conditionKeys.map((key) => [key, values[exceptionKey(key)]] as const);
  return Object.fromEntries(entries) as unknown as ParsedConditions;
}
