/**
 * What conditions ask for, and what a message has, as texts that are equal where a condition may hold:
 * with them rules are found that may concern a message, without a look at each.
 *
 * A condition can only hold where the message has one of its keys; whether it does is judged apart.
 */
import { formatAddress } from '../../mail/address.ts';
import type { Address } from '../../mail/address.ts';
import { withAncestors } from '../../mail/pattern-index.ts';
import { keyOfAddress } from './compile-rules.ts';
import type { Look } from './look.ts';
import type { RuleCondition, SenderAddressLocation, TextPlace } from './rule.ts';
import { compileWords } from './words.ts';

/** One side of a message that conditions look at. `location` of its sender, null elsewhere. */
export interface Aspect {
  readonly kind: AspectKind;
  readonly location: SenderAddressLocation | null;
}

type AspectKind =
  | 'sender'
  | 'sender-domain'
  | 'sender-scope'
  | 'sender-words'
  | 'recipient'
  | 'recipient-domain'
  | 'recipient-scope'
  | 'recipient-words'
  | 'subject-words'
  | 'header-words'
  | 'header-field'
  | 'classification'
  | 'encryption'
  | 'size'
  | 'client-range';

/** `keys` of `size` are bytes, of `client-range` CIDR: the index knows which ones a message reaches. */
export interface ConditionKeys {
  readonly aspect: Aspect;
  readonly keys: readonly string[];
}

/** Null where only judging tells: patterns, punctuation, the content. */
export function keysOfCondition(
  condition: RuleCondition,
  location: SenderAddressLocation,
): ConditionKeys | null {
  switch (condition.kind) {
    case 'from-scope':
      return { aspect: { kind: 'sender-scope', location }, keys: [condition.scope] };
    case 'from':
      return {
        aspect: { kind: 'sender', location },
        keys: condition.addresses.map(keyOfAddress),
      };
    case 'sender-domain-is':
      return { aspect: { kind: 'sender-domain', location }, keys: condition.domains };
    case 'sent-to-scope':
      return plain('recipient-scope', [condition.scope]);
    case 'sent-to':
      return plain('recipient', condition.addresses.map(keyOfAddress));
    case 'recipient-domain-is':
      return plain('recipient-domain', condition.domains);
    case 'message-size-over':
      return plain('size', [String(condition.bytes)]);
    case 'has-no-classification':
      return plain('classification', ['']);
    case 'has-classification':
      return plain('classification', [condition.classification.toLowerCase()]);
    case 'sender-ip-ranges':
      return plain('client-range', condition.ranges);
    case 'received-over-tls':
      return plain('encryption', [String(condition.isOverTls)]);
    case 'contains-words':
      return keysOfWords(condition, location);
    case 'matches-patterns': {
      // Without the field there is nothing that could match.
      const { place } = condition;
      return place.kind === 'header' ? plain('header-field', [place.name]) : null;
    }
    case 'attachment-extension-is':
    case 'attachment-type-is':
      return null;
  }
}

function plain(kind: AspectKind, keys: readonly string[]): ConditionKeys {
  return { aspect: { kind, location: null }, keys };
}

function keysOfWords(
  { place, words }: RuleCondition & { readonly kind: 'contains-words' },
  location: SenderAddressLocation,
): ConditionKeys | null {
  const kind = wordAspects[place.kind];
  if (kind === null) return null;
  const keys: string[] = [];
  for (const entry of compileWords(words)) {
    // A phrase stands under its longest word, which few texts have.
    const word = entry.words.toSorted((a, b) => b.length - a.length)[0];
    if (word === undefined) return null;
    keys.push(place.kind === 'header' ? keyOfFieldWord(place.name, word) : word);
  }
  return { aspect: { kind, location: kind === 'sender-words' ? location : null }, keys };
}

const wordAspects: Readonly<Record<TextPlace['kind'], AspectKind | null>> = {
  subject: 'subject-words',
  header: 'header-words',
  'sender-address': 'sender-words',
  'recipient-address': 'recipient-words',
  'subject-or-body': null,
  'attachment-name': null,
};

function keyOfFieldWord(field: string, word: string): string {
  return `${field}:${word}`;
}

/** What the message has of an aspect, each key at least once; null where nobody can say. */
export function keysOfMessage(
  { kind, location }: Aspect,
  look: Look,
  fields: ReadonlySet<string>,
): Iterable<string> | null {
  switch (kind) {
    case 'sender':
    case 'sender-domain':
    case 'sender-scope':
    case 'sender-words':
      return keysOfSenders(kind, location ?? 'Header', look);
    case 'recipient':
      return look.recipients.map(keyOfAddress);
    case 'recipient-domain':
      return keysOfDomains(look.recipients);
    case 'recipient-scope':
      return new Set(look.recipients.map((recipient) => scopeOf(look.isInside(recipient))));
    case 'recipient-words':
      return wordsOfAddresses(look, look.recipients);
    case 'subject-words':
      return look.textsOf('subject').flatMap((text) => [...look.wordsOf(text).words]);
    case 'header-words':
      return wordsOfFields(look, fields);
    case 'header-field':
      return look.fieldNames;
    case 'classification': {
      const classifications = look.classifications;
      return classifications.length === 0 ? [''] : classifications;
    }
    case 'encryption':
      return [String(look.isOverTls)];
    case 'size':
    case 'client-range':
      return null;
  }
}

function keysOfSenders(
  kind: AspectKind & `sender${string}`,
  location: SenderAddressLocation,
  look: Look,
): Iterable<string> | null {
  // Who is not signed in is outside, whatever is written in From.
  if (kind === 'sender-scope' && !look.isAuthenticated) return [scopeOf(false)];
  const { addresses, isWhole } = look.sendersAt(location);
  if (!isWhole) return null;
  switch (kind) {
    case 'sender':
      return addresses.map(keyOfAddress);
    case 'sender-domain':
      return keysOfDomains(addresses);
    case 'sender-scope':
      return [scopeOf(addresses.some((sender) => look.isInside(sender)))];
    case 'sender-words':
      return wordsOfAddresses(look, addresses);
  }
}

function scopeOf(isInside: boolean): string {
  return isInside ? 'InOrganization' : 'NotInOrganization';
}

/** Conditions hold the domains below theirs, so a message has its own and those above. */
function keysOfDomains(addresses: readonly Address[]): Iterable<string> {
  const domains = new Set(addresses.map(({ domain }) => domain));
  return [...domains].flatMap(withAncestors);
}

function wordsOfAddresses(look: Look, addresses: readonly Address[]): Iterable<string> {
  return addresses.flatMap((address) => [...look.wordsOf(formatAddress(address)).words]);
}

/** Of the fields that conditions name. */
function* wordsOfFields(look: Look, fields: ReadonlySet<string>): Iterable<string> {
  for (const field of look.fieldNames) {
    if (!fields.has(field)) continue;
    for (const text of look.textsOf(field)) {
      for (const word of look.wordsOf(text).words) yield keyOfFieldWord(field, word);
    }
  }
}
