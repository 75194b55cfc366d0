/**
 * A transaction whose only recipient is a rehearsal address: what comes is judged as any other mail,
 * answered to its sender, and thrown away. Nothing of it is ever delivered.
 *
 * What a connector would refuse is told here and not refused, which is why no other recipient shares
 * such a transaction.
 */
import { whyAutomatic } from '../content/automatic-mail.ts';
import { findHeaderFault, readArrivingHeader } from '../content/arriving-header.ts';
import { rulesOfArrival } from '../content/arrival-rules.ts';
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import { evidenceFor } from '../policy/inbound-paths.ts';
import type { InboundClock } from '../policy/inbound-session.ts';
import type { Organization, Policy } from '../policy/policy.ts';
import { postmasterOf } from '../policy/postmaster.ts';
import { isRehearsalAddress } from '../policy/rehearsal-address.ts';
import type { RehearsalVerdict } from '../policy/rehearsal.ts';
import { judgeRehearsal, rehearsalKeyOf } from '../policy/rehearsal.ts';
import { messageIdMark, messageIdOf, writeRehearsalAnswer } from '../report/rehearsal.ts';
import { formatRefusal, replyOf } from '../report/rehearsal-text.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { Refusal } from './refusal.ts';
import { nobody } from './refusal.ts';
import type { TransactionContext, TransactionStart } from './transaction-start.ts';

/** Of the content, what is kept of it while it comes: the header, up to this. */
export const rehearsedHeaderBytesMax = 64 * 1024;

/** Nobody but a rehearsal address may be in a transaction with one. @see RFC 5321 §4.5.3.1.10 */
export const rehearsalAlone = reply(
  452,
  '4.5.3',
  'a rehearsal address is alone in its transaction, send to the others apart',
);
const headerTooLarge = reply(552, '5.3.4', 'the header is larger than a rehearsal takes');

export interface RehearsalOptions {
  readonly context: TransactionContext;
  readonly policy: Policy;
  readonly start: TransactionStart;
  readonly organization: Organization;
  readonly recipient: Address;
}

/** What the client is told and the trace keeps; or that the answer was not taken, and why. */
export type RehearsalEnd =
  | { readonly kind: 'over'; readonly note: Refusal }
  | { readonly kind: 'failed'; readonly error: unknown };

export class Rehearsal {
  readonly #options: RehearsalOptions;
  /** What was kept so far; made when the content begins. */
  #header: Buffer = Buffer.alloc(0);
  #size = 0;
  #headerEnd = -1;
  #isTooLarge = false;

  constructor(options: RehearsalOptions) {
    this.#options = options;
  }

  get organization(): string {
    return this.#options.organization.id;
  }

  isFor(recipient: Address): boolean {
    return formatAddress(this.#options.recipient) === formatAddress(recipient);
  }

  /** After the answer to DATA; `rehearsedHeaderBytesMax` bytes are used until it is over. */
  begin(): void {
    this.#header = Buffer.alloc(rehearsedHeaderBytesMax);
  }

  /** The header is kept, the rest dropped as it comes. */
  push(bytes: Buffer): void {
    if (this.#headerEnd !== -1 || this.#isTooLarge) return;
    // The empty line may lie across two pieces.
    const from = Math.max(0, this.#size - 3);
    this.#size += bytes.copy(this.#header, this.#size);
    this.#headerEnd = endOfHeader(this.#header.subarray(0, this.#size), from);
    this.#isTooLarge = this.#headerEnd === -1 && this.#size === this.#header.length;
  }

  /** Gives back what was reserved for it, where its content had begun. */
  end(memory: MemoryBudget): void {
    memory.release(this.#header.length);
    this.#header = Buffer.alloc(0);
  }

  /** Once the content is there: the answer is durable when this resolves. Never rejects. */
  async finish(clock: InboundClock): Promise<RehearsalEnd> {
    const { context, policy, organization, recipient, start } = this.#options;
    if (this.#isTooLarge) return this.#refused(headerTooLarge);
    const end = this.#headerEnd === -1 ? this.#size : this.#headerEnd;
    const header = this.#header.subarray(0, end);
    const { hostName } = policy;
    const stranger = { trust: 'stranger', keepsOriginatorOrg: false, statement: null } as const;
    const read = readArrivingHeader(header, rulesOfArrival(hostName, stranger), null);
    const fault = findHeaderFault(read, context.settings.limits);
    if (fault !== null) return this.#refused(fault);
    const { from, messageId } = read.facts;
    const mail = { session: start.session, recipient, from };
    const verdict = judgeRehearsal(policy, organization, mail, clock);
    const silence = this.#whySilent(header);
    if (silence !== null) return { kind: 'over', note: this.#note(verdict, null, silence) };
    return this.#answer(verdict, messageIdOf(messageId), clock.nowMs);
  }

  async #answer(
    verdict: RehearsalVerdict,
    messageId: string | null,
    nowMs: number,
  ): Promise<RehearsalEnd> {
    const { services } = this.#options.context;
    const sender = this.#options.start.session.reversePath!;
    const waitMs = services.rehearsals.take(rehearsalKeyOf(sender), services.steadyNow());
    if (waitMs !== null) {
      const text = `too many rehearsals within an hour, try again in ${Math.ceil(waitMs / 60_000)} minutes`;
      return this.#refused(reply(450, '4.7.1', text));
    }
    const id = services.newId();
    const answer = this.#compose(verdict, { id, sender, messageId, nowMs });
    try {
      await services.accept(answer);
    } catch (error) {
      return { kind: 'failed', error };
    }
    return { kind: 'over', note: this.#note(verdict, id, answer.id) };
  }

  #compose(
    verdict: RehearsalVerdict,
    about: {
      readonly id: string;
      readonly sender: Address;
      readonly messageId: string | null;
      readonly nowMs: number;
    },
  ): IncomingMessage {
    const { context, policy, organization, recipient, start } = this.#options;
    const { clientAddress, heloName, evidence } = start.session;
    const { id, sender, messageId, nowMs } = about;
    return writeRehearsalAnswer({
      id: context.services.newId(),
      organization: organization.id,
      sender,
      isForced: verdict.isForced || start.isForced === true,
      nowMs,
      about: { id, address: recipient, receivedAtMs: nowMs, messageId },
      organizationName: organization.name,
      hostName: policy.hostName,
      postmaster: postmasterOf(policy, organization.id),
      session: {
        clientAddress,
        heloName,
        evidence: evidenceFor(policy, organization.id, evidence),
      },
      verdict,
    });
  }

  /** Why nobody is answered; null where the sender is. */
  #whySilent(header: Buffer): string | null {
    const { policy, start } = this.#options;
    const { reversePath } = start.session;
    if (reversePath === null) return 'it has the null reverse-path';
    if (isRehearsalAddress(policy, reversePath)) return 'its sender is a rehearsal address itself';
    if (isProgram(reversePath)) return `${reversePath.localPart}@ is no person's address`;
    if (citesAnswer(header, policy.hostName)) return 'it answers an answer of ours';
    return whyAutomatic(header);
  }

  #refused(answer: Reply): RehearsalEnd {
    const { recipient } = this.#options;
    const note = { ...nobody, recipient, reply: answer, reason: answer.lines[0]! };
    return { kind: 'over', note };
  }

  /** `id` null where a new one is to be given; `told`: the answer's id, or why there is none. */
  #note(verdict: RehearsalVerdict, id: string | null, told: string): Refusal {
    const refusal = replyOf(verdict);
    const wouldBe = refusal === null ? 'taken' : `refused: ${formatRefusal(refusal)}`;
    const what = id === null ? `not answered, since ${told}` : `answered by ${told}`;
    const { recipient, organization } = this.#options;
    const text =
      id === null
        ? `rehearsal over, and ${what}`
        : 'rehearsal over: the verdict goes to the sender by mail';
    return {
      ...nobody,
      recipient,
      organization: organization.id,
      reply: reply(250, '2.0.0', text),
      reason: `a rehearsal, ${what}; other mail of this session would be ${wouldBe}`,
      considered: verdict.atRcpt.considered,
      result: 'rehearsed',
      ...(id === null ? {} : { id }),
    };
  }
}

/** Behind the empty line; -1 where it has not come. Content may begin with it. */
function endOfHeader(bytes: Buffer, from: number): number {
  if (bytes.length >= 2 && bytes[0] === 0x0d && bytes[1] === 0x0a) return 2;
  const end = bytes.indexOf('\r\n\r\n', from);
  return end === -1 ? -1 : end + 4;
}

/** @see RFC 3834 §2 */
function isProgram({ localPart }: Address): boolean {
  const name = localPart.toLowerCase();
  return name === 'mailer-daemon' || name.startsWith('owner-') || name.endsWith('-request');
}

function citesAnswer(header: Buffer, hostName: string): boolean {
  const text = header.toString('latin1').toLowerCase();
  return text.includes(`${messageIdMark}${hostName.toLowerCase()}>`);
}
