/** What is said about a key that the schema does not know: the nearest one, or why it is refused. */
import { findNearest } from './nearest.ts';
import type { Finding, Path } from './problem.ts';
import { keysOfSection, sectionAt, sectionsWithKey } from './schema-walk.ts';

const inbound = 'organizations[].inboundConnectors[]';
const outbound = 'organizations[].outboundConnectors[]';

/**
 * Keys of Exchange and of Postern's plan that are real but do nothing yet. Refused by name, so that
 * nobody believes that they act; compared without case, since Exchange begins them with a capital.
 */
const notYet: Readonly<Record<string, readonly string[]>> = {
  'organizations[].acceptedDomains[]': [
    'default',
    'outboundOnly',
    'sendingFromDomainDisabled',
    'sendingToDomainDisabled',
    'mailFlowRegion',
  ],
  'organizations[]': ['remoteDomains'],
  'organizations[].rules[]': [
    'priority',
    'ruleErrorAction',
    'setAuditSeverity',
    'setScl',
    'sclOver',
    'applyOME',
    'removeOME',
    'removeOMEv2',
    'applyRightsProtectionTemplate',
    'applyHtmlDisclaimerText',
    'applyClassification',
    'moderateMessageByUser',
    'copyTo',
    'generateIncidentReport',
    'notifySender',
    'withImportance',
    'messageTypeMatches',
    'messageContainsDataClassifications',
    'fromMemberOf',
    'sentToMemberOf',
    'anyOfRecipientAddressContainsWords',
    'anyOfRecipientAddressMatchesPatterns',
    'attachmentContainsWords',
    'attachmentMatchesPatterns',
    'attachmentSizeOver',
    'attachmentHasExecutableContent',
    'attachmentIsPasswordProtected',
    'attachmentIsUnsupported',
  ],
};

/** Words that people know from elsewhere, and the key that means it here. */
const synonyms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  tlssendercertificatenames: { [inbound]: 'tlsSenderCertificateName' },
  exceptdomains: { [inbound]: 'except' },
  messageexpiration: { queue: 'expiry', 'organizations[]': 'expiry' },
  externalpostmasteraddress: { 'organizations[]': 'postmaster' },
  domainname: { 'organizations[].acceptedDomains[]': 'domain' },
  domaintype: { 'organizations[].acceptedDomains[]': 'type' },
  tlsdomains: { [outbound]: 'tlsDomain' },
  keyexchangegroup: { [inbound]: 'postQuantum', [outbound]: 'postQuantum' },
  externaldelaydsnenabled: { 'organizations[]': 'delayNotices' },
  internaldelaydsnenabled: { 'organizations[]': 'delayNotices' },
  transportrules: { 'organizations[]': 'rules' },
  hostname: { '': 'hostName' },
  fqdn: { '': 'hostName' },
};

/** Parameters that Microsoft keeps to itself: known, and without meaning for anybody else. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  [inbound]: ['efSkipMailGateway', 'efTestMode', 'scanAndDropRecipients', 'clientHostNames'],
  [outbound]: ['linkForModifiedConnector'],
};

export function explainUnknownKey(path: Path, key: string): Finding {
  const section = sectionAt(path);
  const at = { path: [...path, key], at: 'key' } as const;
  const lower = key.toLowerCase();
  if (notYet[section]?.some((known) => known.toLowerCase() === lower) === true) {
    return { ...at, text: 'is not supported yet; remove it, it would have no effect' };
  }
  if (reserved[section]?.some((known) => known.toLowerCase() === lower) === true) {
    return {
      ...at,
      text: 'is reserved by Microsoft for its own use and means nothing here; remove it',
    };
  }
  if (key === '<<') return { ...at, text: 'merge keys are not supported; write the keys out' };
  const synonym = synonyms[lower]?.[section];
  if (synonym !== undefined) return { ...at, text: 'unknown key', suggestion: synonym };
  const suggestion = findNearest(key, keysOfSection(section));
  if (suggestion?.toLowerCase() === lower) return { ...at, text: 'unknown key', suggestion };
  const elsewhere = sectionsWithKey(key);
  if (elsewhere.length > 0) {
    const places = elsewhere.slice(0, 3).map((found) => found.section || 'the top level');
    const name = elsewhere[0]!.key;
    const text = `unknown key here; ${name} belongs to ${places.join(', ')}`;
    return { ...at, text, suggestion };
  }
  if (suggestion !== null) return { ...at, text: 'unknown key', suggestion };
  return { ...at, text: `unknown key; legal here: ${keysOfSection(section).join(', ')}` };
}
