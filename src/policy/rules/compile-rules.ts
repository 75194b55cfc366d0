/**
 * An organization's rules made ready once: words split, patterns compiled, conditions sorted by what
 * they cost to decide. Forgotten with the snapshot.
 */
import { formatAddress } from '../../mail/address.ts';
import type { Address } from '../../mail/address.ts';
import type { Organization } from '../policy.ts';
import { nameOfCondition, nameOfException } from './condition-name.ts';
import type { Look } from './look.ts';
import type { CompiledPattern } from './pattern.ts';
import { compilePattern } from './pattern.ts';
import type { MailFlowRule, RuleAction, RuleCondition } from './rule.ts';
import type { SenderAddressLocation, TextPlace } from './rule.ts';
import type { ContentQuestion } from './rule-message.ts';
import type { Truth } from './truth.ts';
import { or } from './truth.ts';
import { compileWords, containsAnyWord } from './words.ts';
import { isInRanges } from '../ip-match.ts';

/** A condition about the message as a whole. `question` is what it may have to ask of the content. */
export interface MessageTest {
  readonly name: string;
  readonly question: ContentQuestion | null;
  /** Without an answer it is decided as far as the header goes: then undefined where it is open. */
  judge(look: Look): Truth | undefined;
}

/** A condition about one recipient. */
export interface RecipientTest {
  readonly name: string;
  judge(look: Look, recipient: Address): Truth;
}

/** The tests of conditions, or of exceptions; what needs content stands last. */
export interface Tests {
  readonly ofMessage: readonly MessageTest[];
  readonly ofRecipient: readonly RecipientTest[];
  readonly ofContent: readonly MessageTest[];
}

export interface CompiledRule {
  readonly rule: MailFlowRule;
  readonly conditions: Tests;
  readonly exceptions: Tests;
  /** Those of both that may have to ask of the content. */
  readonly ofContent: readonly MessageTest[];
  /** Every action only protects: doing it without need loses and shows nothing. */
  readonly isProtective: boolean;
}

const compiledRules = new WeakMap<Organization, readonly CompiledRule[]>();

/** Those that are enabled, in order. */
export function rulesOf(organization: Organization): readonly CompiledRule[] {
  const known = compiledRules.get(organization);
  if (known !== undefined) return known;
  const compiled = organization.rules.filter((rule) => rule.enabled).map(compileRule);
  compiledRules.set(organization, compiled);
  return compiled;
}

const protectiveKinds: ReadonlySet<RuleAction['kind']> = new Set([
  'require-tls',
  'reject',
  'quarantine',
]);

function compileRule(rule: MailFlowRule): CompiledRule {
  const location = rule.senderAddressLocation;
  const conditions = compileTests(rule.conditions, location, nameOfCondition);
  const exceptions = compileTests(rule.exceptions, location, nameOfException);
  return {
    rule,
    conditions,
    exceptions,
    ofContent: [...conditions.ofContent, ...exceptions.ofContent],
    isProtective: rule.actions.every(({ kind }) => protectiveKinds.has(kind)),
  };
}

function compileTests(
  conditions: readonly RuleCondition[],
  location: SenderAddressLocation,
  nameOf: (condition: RuleCondition) => string,
): Tests {
  const ofMessage: MessageTest[] = [];
  const ofRecipient: RecipientTest[] = [];
  const ofContent: MessageTest[] = [];
  for (const condition of conditions) {
    const name = nameOf(condition);
    const judgeRecipient = recipientTestOf(condition);
    if (judgeRecipient !== null) {
      ofRecipient.push({ name, judge: judgeRecipient });
      continue;
    }
    const question = questionOf(condition);
    const test = { name, question, judge: messageTestOf(condition, location, question) };
    (question === null ? ofMessage : ofContent).push(test);
  }
  return { ofMessage, ofRecipient, ofContent };
}

type JudgeRecipient = RecipientTest['judge'];

function recipientTestOf(condition: RuleCondition): JudgeRecipient | null {
  if (condition.kind === 'sent-to-scope') {
    const wantsInside = condition.scope === 'InOrganization';
    return (look, recipient) => look.isInside(recipient) === wantsInside;
  }
  if (condition.kind === 'sent-to') {
    const addresses = addressSet(condition.addresses);
    return (_look, recipient) => addresses.has(keyOfAddress(recipient));
  }
  if (condition.kind === 'recipient-domain-is') {
    const isWanted = domainTest(condition.domains);
    return (_look, { domain }) => isWanted(domain);
  }
  if (!isTextCondition(condition) || condition.place.kind !== 'recipient-address') return null;
  const judge = textTestOf(condition);
  return (look, recipient) => judge(look, [formatAddress(recipient)]);
}

/** One of these or below one; costs a look-up for each label, however many there are. */
function domainTest(wanted: readonly string[]): (domain: string) => boolean {
  const domains = new Set(wanted);
  return (domain) => {
    for (let rest = domain; ;) {
      if (domains.has(rest)) return true;
      const dot = rest.indexOf('.');
      if (dot === -1) return false;
      rest = rest.slice(dot + 1);
    }
  };
}

function messageTestOf(
  condition: RuleCondition,
  location: SenderAddressLocation,
  question: ContentQuestion | null,
): MessageTest['judge'] {
  switch (condition.kind) {
    case 'from-scope': {
      const wantsInside = condition.scope === 'InOrganization';
      return (look) => {
        const isInside = look.isAuthenticated
          ? look.anySender(location, (sender) => look.isInside(sender))
          : false;
        return typeof isInside === 'boolean' ? isInside === wantsInside : isInside;
      };
    }
    case 'from': {
      const addresses = addressSet(condition.addresses);
      return (look) => look.anySender(location, (sender) => addresses.has(keyOfAddress(sender)));
    }
    case 'sender-domain-is': {
      const isWanted = domainTest(condition.domains);
      return (look) => look.anySender(location, ({ domain }) => isWanted(domain));
    }
    case 'message-size-over':
      return (look) => look.sizeBytes >= condition.bytes;
    case 'has-no-classification':
      return (look) => look.classifications.length === 0;
    case 'has-classification': {
      const wanted = condition.classification.toLowerCase();
      return (look) => look.classifications.includes(wanted);
    }
    case 'sender-ip-ranges':
      return (look) =>
        look.clientAddress !== null && isInRanges(look.clientAddress, condition.ranges);
    case 'received-over-tls':
      return (look) => look.isOverTls === condition.isOverTls;
    case 'contains-words':
    case 'matches-patterns':
      return placedTestOf(condition, location, question);
    case 'attachment-extension-is':
    case 'attachment-type-is':
    // Those about one recipient were taken out before.
    case 'recipient-domain-is':
    case 'sent-to':
    case 'sent-to-scope':
      return (look) => look.answerTo(question!);
  }
}

type TextCondition = RuleCondition & { readonly kind: 'contains-words' | 'matches-patterns' };

function placedTestOf(
  condition: TextCondition,
  location: SenderAddressLocation,
  question: ContentQuestion | null,
): MessageTest['judge'] {
  const { place } = condition;
  const judge = textTestOf(condition);
  switch (place.kind) {
    case 'subject':
      return (look) => judge(look, look.textsOf('subject'));
    case 'header':
      return (look) => judge(look, look.textsOf(place.name));
    case 'sender-address':
      return (look) => look.withSenders(location, (texts) => judge(look, texts));
    case 'subject-or-body':
      return (look) => {
        const inSubject = judge(look, look.textsOf('subject'));
        if (inSubject === true) return true;
        const inBody = look.answerTo(question!);
        return inBody === undefined ? undefined : or(inSubject, inBody);
      };
    case 'attachment-name':
    case 'recipient-address':
      return (look) => look.answerTo(question!);
  }
}

/** Whether any of the texts has any of the words, or matches any of the patterns. */
function textTestOf(condition: TextCondition): (look: Look, texts: readonly string[]) => Truth {
  if (condition.kind === 'contains-words') {
    const words = compileWords(condition.words);
    return (look, texts) => texts.some((text) => containsAnyWord(words, look.wordsOf(text)));
  }
  const patterns = condition.patterns.map(compileOrRefuse);
  return (look, texts) => {
    let found: Truth = false;
    for (const text of texts) {
      for (const pattern of patterns) {
        found = or(
          found,
          typeof pattern === 'string' ? { unknown: pattern } : look.match(pattern, text),
        );
        if (found === true) return true;
      }
    }
    return found;
  };
}

/** The configuration refuses what is no pattern; here it makes the condition unknown, never false. */
function compileOrRefuse(text: string): CompiledPattern | string {
  const result = compilePattern(text);
  return result.kind === 'compiled' ? result.pattern : `the pattern ${result.reason}`;
}

function questionOf(condition: RuleCondition): ContentQuestion | null {
  const question = unkeyedQuestionOf(condition);
  return question === null ? null : { ...question, key: JSON.stringify(question) };
}

type Unkeyed = ContentQuestion extends infer Q
  ? Q extends unknown
    ? Omit<Q, 'key'>
    : never
  : never;

function unkeyedQuestionOf(condition: RuleCondition): Unkeyed | null {
  if (condition.kind === 'attachment-extension-is') {
    return { kind: condition.kind, extensions: condition.extensions };
  }
  if (condition.kind === 'attachment-type-is') {
    return { kind: condition.kind, types: condition.types };
  }
  if (!isTextCondition(condition)) return null;
  const place = contentPlaceOf(condition.place);
  if (place === null) return null;
  return condition.kind === 'contains-words'
    ? { kind: `${place}-contains-words`, words: condition.words }
    : { kind: `${place}-matches-patterns`, patterns: condition.patterns };
}

function contentPlaceOf({ kind }: TextPlace): 'body' | 'attachment-name' | null {
  if (kind === 'subject-or-body') return 'body';
  return kind === 'attachment-name' ? kind : null;
}

function isTextCondition(condition: RuleCondition): condition is TextCondition {
  return condition.kind === 'contains-words' || condition.kind === 'matches-patterns';
}

function addressSet(addresses: readonly Address[]): ReadonlySet<string> {
  return new Set(addresses.map(keyOfAddress));
}

/** Case is ignored everywhere: a rule that misses `Ann@` where it names `ann@` surprises people. */
export function keyOfAddress({ localPart, domain }: Address): string {
  return `${localPart.toLowerCase()}@${domain}`;
}
