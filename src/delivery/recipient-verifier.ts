/**
 * Whether a recipient exists at the server that keeps its mailbox: asked once, remembered for a while.
 *
 * For `app`, which hands it to `receiving`. Everything is bounded: what is remembered, who waits, how
 * many ask at a time (for each organization apart, so that one dead server stops nobody else), and
 * how long a question takes; without an answer by then the server counts as silent.
 * @see ADR 0010
 */
import { createHash } from 'node:crypto';
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { findOrganization } from '../policy/directory.ts';
import type { Organization, Policy } from '../policy/policy.ts';
import type { RecipientVerification, VerifyRecipient } from '../policy/recipient-verification.ts';
import { AskSlots } from './ask-slots.ts';

/** Times in milliseconds, counts at least 1. */
export interface VerifierLimits {
  readonly positiveMs: number;
  readonly negativeMs: number;
  /** From the question to the answer. */
  readonly timeoutMs: number;
  readonly answersMax: number;
  /** Questions under way, and those that wait for one of them to end, for each organization. */
  readonly askingMax: number;
  readonly waitingMax: number;
}

export const defaultVerifierLimits: VerifierLimits = {
  positiveMs: 24 * 3600_000,
  negativeMs: 10 * 60_000,
  timeoutMs: 30_000,
  answersMax: 50_000,
  askingMax: 20,
  waitingMax: 500,
};

export interface VerifierServices {
  policy(): Policy;
  now(): number;
  /** Asks the server; never rejects, and ends by itself, if late. */
  ask(question: RecipientQuestion): Promise<RecipientVerification>;
}

export interface RecipientQuestion {
  readonly policy: Policy;
  readonly organization: string;
  readonly recipient: Address;
  /** When nobody waits for the answer any more. */
  readonly untilMs: number;
}

interface Answer {
  readonly verification: RecipientVerification;
  /** Of the organization's configuration under which it was given. */
  readonly fingerprint: string;
  readonly untilMs: number;
}

export function createRecipientVerifier(
  services: VerifierServices,
  limits: VerifierLimits = defaultVerifierLimits,
): VerifyRecipient {
  const verifier = new Verifier(services, limits);
  return (organization, recipient) => verifier.verify(organization, recipient);
}

class Verifier {
  readonly #services: VerifierServices;
  readonly #limits: VerifierLimits;
  readonly #answers = new Map<string, Answer>();
  /** Questions under way, by organization, fingerprint and address: whoever asks the same waits with them. */
  readonly #asked = new Map<string, Promise<RecipientVerification>>();
  readonly #slots = new Map<string, AskSlots>();
  readonly #fingerprints = new WeakMap<Organization, string>();

  constructor(services: VerifierServices, limits: VerifierLimits) {
    this.#services = services;
    this.#limits = limits;
  }

  verify(organization: string, recipient: Address): Promise<RecipientVerification> {
    const policy = this.#services.policy();
    const fingerprint = this.#fingerprintOf(policy, organization);
    const key = `${organization}\n${formatAddress(recipient)}`;
    const known = this.#answers.get(key);
    const isGood = known?.fingerprint === fingerprint && known.untilMs > this.#services.now();
    if (isGood) return Promise.resolve(known.verification);
    const question = `${fingerprint}\n${key}`;
    const asked = this.#asked.get(question);
    if (asked !== undefined) return asked;
    const asking = this.#ask(policy, organization, recipient).then((verification) => {
      this.#asked.delete(question);
      this.#remember(key, fingerprint, verification);
      return verification;
    });
    this.#asked.set(question, asking);
    return asking;
  }

  async #ask(
    policy: Policy,
    organization: string,
    recipient: Address,
  ): Promise<RecipientVerification> {
    const { timeoutMs } = this.#limits;
    const untilMs = this.#services.now() + timeoutMs;
    const timeout = Promise.withResolvers<RecipientVerification>();
    const reason = `the server that keeps the mailbox gave no answer in ${timeoutMs / 1000} s`;
    const timer = setTimeout(() => timeout.resolve({ kind: 'silent', reason }), timeoutMs);
    const answer = this.#slotsOf(organization).run(() =>
      this.#services.now() >= untilMs
        ? Promise.resolve({ kind: 'silent', reason } as const)
        : this.#services.ask({ policy, organization, recipient, untilMs }),
    );
    const tooMany = 'too many recipients wait to be verified';
    const given = answer.then((each) => each ?? ({ kind: 'silent', reason: tooMany } as const));
    try {
      return await Promise.race([given, timeout.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #remember(key: string, fingerprint: string, verification: RecipientVerification): void {
    this.#answers.delete(key);
    if (verification.kind === 'silent') return;
    const { positiveMs, negativeMs, answersMax } = this.#limits;
    if (this.#answers.size >= answersMax) {
      this.#answers.delete(this.#answers.keys().next().value!);
    }
    const keptMs = verification.kind === 'exists' ? positiveMs : negativeMs;
    const untilMs = this.#services.now() + keptMs;
    this.#answers.set(key, { verification, fingerprint, untilMs });
  }

  #slotsOf(organization: string): AskSlots {
    const known = this.#slots.get(organization);
    if (known !== undefined) return known;
    const slots = new AskSlots(this.#limits.askingMax, this.#limits.waitingMax);
    this.#slots.set(organization, slots);
    return slots;
  }

  /** Of everything configured for the organization: any change of it forgets its answers. */
  #fingerprintOf(policy: Policy, id: string): string {
    const organization = findOrganization(policy, id);
    if (organization === null) return '';
    const known = this.#fingerprints.get(organization);
    if (known !== undefined) return known;
    const text = JSON.stringify(organization);
    const fingerprint = createHash('sha256').update(text).digest('base64url');
    this.#fingerprints.set(organization, fingerprint);
    return fingerprint;
  }
}
