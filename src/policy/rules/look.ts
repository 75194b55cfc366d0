/**
 * One message as the tests of rules see it: what is looked up twice is kept, and matching is bounded.
 */
import type { Address } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';
import type { Recipient } from '../../mail/recipient.ts';
import { findDomainOwner, findNamed } from '../directory.ts';
import type { Organization, Policy } from '../policy.ts';
import type { CompiledPattern } from './pattern.ts';
import type { SenderAddressLocation } from './rule.ts';
import type { ContentQuestion, MessageFacts, RuleField, RuleMessage } from './rule-message.ts';
import type { Truth } from './truth.ts';
import { or } from './truth.ts';
import type { WordText } from './words.ts';
import { splitWords } from './words.ts';

/**
 * Steps of pattern matching on one message's envelope and header: a fraction of a second at worst.
 * Addresses and ordinary fields have a bound of their own, so that a thousand recipients fit in it.
 */
const shortLengthMax = 400;
const stepsOfShortMax = 64_000_000;
const stepsOfLongMax = 8_000_000;

/** Whose header only the organization's own servers may write: the firewall removed all others. */
const classificationField = 'x-ms-exchange-organization-classification';

interface Senders {
  readonly addresses: readonly Address[];
  readonly isWhole: boolean;
}

export class Look {
  readonly isAuthenticated: boolean;
  readonly isOverTls: boolean;
  readonly clientAddress: string | null;
  readonly sizeBytes: number;
  readonly recipients: readonly Recipient[];
  readonly #policy: Policy;
  readonly #organization: Organization;
  readonly #message: RuleMessage;
  readonly #facts: MessageFacts | null;
  readonly #words = new Map<string, WordText>();
  #fields: ReadonlyMap<string, readonly string[]> | null = null;
  #stepsOfShort = 0;
  #stepsOfLong = 0;

  /** `facts` null: the content was not looked at yet, and questions stay open. */
  constructor(
    policy: Policy,
    organization: Organization,
    message: RuleMessage,
    facts: MessageFacts | null,
  ) {
    this.isAuthenticated = message.isAuthenticated;
    this.isOverTls = message.isOverTls;
    this.clientAddress = message.clientAddress;
    this.sizeBytes = message.sizeBytes;
    this.recipients = message.recipients;
    this.#policy = policy;
    this.#organization = organization;
    this.#message = message;
    this.#facts = facts;
  }

  /** In an accepted domain of the organization, or the address of one of its mailboxes or aliases. */
  isInside(address: Address): boolean {
    const owner = findDomainOwner(this.#policy, address.domain);
    if (owner !== null) return owner.organization.id === this.#organization.id;
    const named = findNamed(this.#policy, address);
    return named?.kind === 'mailbox' && named.organization.id === this.#organization.id;
  }

  /** `isWhole` false: there may be others, since From cannot be read. */
  sendersAt(location: SenderAddressLocation): Senders {
    const { reversePath, header } = this.#message;
    const addresses: Address[] = [];
    let isWhole = true;
    if (location !== 'Envelope') {
      if (header.from.kind === 'addresses') addresses.push(...header.from.addresses);
      isWhole = header.from.kind !== 'unreadable';
    }
    if (location !== 'Header' && reversePath !== null) addresses.push(reversePath);
    return { addresses, isWhole };
  }

  /** Whether the test holds for any of the message's senders. */
  anySender(location: SenderAddressLocation, test: (sender: Address) => boolean): Truth {
    const { addresses, isWhole } = this.sendersAt(location);
    return addresses.some(test) || (isWhole ? false : unreadableFrom);
  }

  /** The same of their addresses as texts. */
  withSenders(location: SenderAddressLocation, test: (texts: readonly string[]) => Truth): Truth {
    const { addresses, isWhole } = this.sendersAt(location);
    return or(test(addresses.map(formatAddress)), isWhole ? false : unreadableFrom);
  }

  /** The values of all fields of that name, which is lower-case. */
  textsOf(name: string): readonly string[] {
    return this.#byName.get(name) ?? [];
  }

  /** Each once, lower-case. */
  get fieldNames(): Iterable<string> {
    return this.#byName.keys();
  }

  get #byName(): ReadonlyMap<string, readonly string[]> {
    this.#fields ??= valuesByName(this.#message.header.fields);
    return this.#fields;
  }

  /** Lower-case; empty for a message without one. */
  get classifications(): readonly string[] {
    return this.textsOf(classificationField)
      .map((value) => value.trim().toLowerCase())
      .filter((value) => value !== '');
  }

  wordsOf(text: string): WordText {
    let words = this.#words.get(text);
    if (words === undefined) {
      words = splitWords(text);
      this.#words.set(text, words);
    }
    return words;
  }

  match(pattern: CompiledPattern, text: string): Truth {
    const steps = pattern.steps * (text.length + 1);
    if (text.length <= shortLengthMax) this.#stepsOfShort += steps;
    else this.#stepsOfLong += steps;
    const isWithin = this.#stepsOfShort <= stepsOfShortMax && this.#stepsOfLong <= stepsOfLongMax;
    return isWithin ? pattern.matches(text) : tooMuchMatching;
  }

  /** Undefined while the content was not looked at. */
  answerTo(question: ContentQuestion): Truth | undefined {
    if (this.#facts === null) return undefined;
    const answer = this.#facts.get(question.key);
    if (answer === undefined) return { unknown: 'its content was not examined', isPassing: true };
    if (answer.kind !== 'unknown') return answer.kind === 'yes';
    return { unknown: answer.reason, isPassing: answer.isPassing ?? false };
  }
}

function valuesByName(fields: readonly RuleField[]): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, string[]>();
  for (const { name, value } of fields) {
    const values = byName.get(name);
    if (values === undefined) byName.set(name, [value]);
    else values.push(value);
  }
  return byName;
}

const tooMuchMatching = { unknown: 'its header is too long for so many patterns' };
const unreadableFrom = { unknown: 'its field From can be read in more than one way' };
